"""The series of a source, whatever it is, divided by time."""

import dataclasses
import pathlib

import numpy as np

from rnnsuite.core.errors import UserError
from rnnsuite.data import sources, splits
from rnnsuite.data.frequency import HOUR, Frequency
from rnnsuite.data.notes import Skips
from rnnsuite.data.series import Series, read_series
from rnnsuite.data.windows import Divided, check_covered, divided

from .config import DataConfig
from .sample import ForecastingSample


def corpus(config: DataConfig) -> Divided:
    """All series of a source, divided by time. Raises UserError."""
    if sources.is_built(config.source):
        fields = ("id", "start", "values", "promotion")
        _, read, _ = sources.built(config.source, ForecastingSample, config.splits, fields)
        series = [_generated(record) for record in read("train").as_numpy_iterator()]
        return divided(series, Frequency(HOUR), config.cuts)
    root = pathlib.Path(config.source).expanduser()
    places = splits.path_splits(root)
    if splits.WHOLE in places:
        data = divided(*_read(places[splits.WHOLE], config), config.cuts)
    else:
        data = _joined(places, config)
    check_covered(data)
    return data


def _generated(record: dict) -> Series:
    values = record["values"]
    return Series(
        record["id"].decode(),
        int(record["start"]),
        values,
        np.zeros([len(values), 0], np.float32),
        record["promotion"][:, None],
        np.zeros([0], np.float32),
    )


def _read(path: pathlib.Path, config: DataConfig) -> tuple[list[Series], Frequency]:
    skips = Skips(config.on_error)
    series, frequency = read_series(path, config, skips)
    skips.report(path)
    return series, frequency


def _joined(places: dict[str, pathlib.Path], config: DataConfig) -> Divided:
    """Series whose later part is a file of its own: test begins where train ends."""
    if "train" not in places or "test" not in places:
        raise UserError(f"{config.source}: series in files of their own are train and test.")
    train, frequency = _read(places["train"], config)
    later = {item.id: item for item in _read(places["test"], config)[0]}
    missing = next((item.id for item in train if item.id not in later), None)
    if missing is not None:
        raise UserError(f"{places['test']} has no series {missing!r}, which train has.")
    data = divided(train, frequency, config.cuts[:1])
    series = [
        dataclasses.replace(
            item,
            values=np.concatenate([item.values, later[item.id].values]),
            past=np.concatenate([item.past, later[item.id].past]),
            future=np.concatenate([item.future, later[item.id].future]),
        )
        for item in train
    ]
    ends = {
        "train": data.ends["train"],
        "validation": np.array([len(item.values) for item in train]),
        "test": np.array([len(item.values) for item in series]),
    }
    return Divided(series, frequency, ends)


def check_together(data: Divided) -> None:
    """Raises UserError for series that are not of the same times, or have covariates."""
    first = data.series[0]
    for item in data.series:
        if item.start != first.start or len(item.values) != len(first.values):
            raise UserError(
                f"data.together: {item.id!r} is not of the same times as {first.id!r}; a wide table"
                " has series that are."
            )
        if item.past.shape[1] or item.future.shape[1] or len(item.static):
            raise UserError(
                f"data.together: {item.id!r} has covariates, which series together have not."
            )
