"""Series from a source to windows, and what is fitted on them."""

import dataclasses
import logging
from collections.abc import Iterable

import numpy as np
import tensorflow as tf

from rnnsuite.app import Data
from rnnsuite.core.errors import NoSplit, UserError
from rnnsuite.data import batches, sources
from rnnsuite.data.frequency import DAY, WEEK, Frequency
from rnnsuite.data.series import Series
from rnnsuite.data.windows import SPLITS, Divided, origins, windows
from rnnsuite.inputs.calendar import YEAR, waves
from rnnsuite.inputs.window import Windowed, Windows
from rnnsuite.tasks.forecasting.naive import seasonal_error

from .config import DataConfig
from .corpus import check_together, corpus

log = logging.getLogger(__name__)
MONTHLY = 12
"""Months of a year."""


@dataclasses.dataclass(frozen=True)
class Fitted:
    """What is fitted on train, and what a window is.

    Args:
        step, unit: the frequency; see `rnnsuite.data.frequency`.
        season: steps of a season, 1 without one.
        covariates: their names: past, future and static ones.
        lookback, horizon, center, scale, power: as the configuration has them.
        waves: of the calendar; see `rnnsuite.inputs.calendar.waves`.
        no_count: the first value of train that is no count, in words; empty where all are.
        together: the names of series that are forecast side by side; empty where each is alone.
        scales: what each of them is divided by, where that is of the training part.
    """

    step: int
    unit: str
    season: int
    covariates: tuple[str, ...]
    lookback: int
    horizon: int
    center: str
    scale: str
    waves: tuple[tuple[int, int], ...]
    no_count: str = ""
    together: tuple[str, ...] = ()
    power: float = 1.0
    scales: tuple[float, ...] = ()

    def windowed(self) -> Windowed:
        """The windows, as operations of a graph."""
        return Windowed(
            self.lookback,
            self.horizon,
            self.step,
            self.unit,
            self.center,
            self.scale,
            self.waves,
            self.power,
            self.scales,
        )

    def series_axis(self) -> list[int]:
        """The size of the axis of series together, or nothing where each is forecast alone."""
        return [len(self.together)] if self.together else []

    def features(self) -> int:
        """Numbers that stand beside each step: the calendar's and the covariates."""
        return 2 * len(self.waves) + len(self.covariates)


def load(config: DataConfig, split: str) -> tf.data.Dataset:
    """Windows of one split.

    Each is a record of `values`, `times` and `covariates` up to the origin, the `truth` that
    follows, and for scores `id`, `origin` (its place in the series), `deviation` and
    `seasonal_error` of the series' training part. With `data.together` values and truth have a
    column, and the latter an element, for each series. Raises UserError.
    """
    if split not in SPLITS:
        raise NoSplit(f"Series are divided by time into {', '.join(SPLITS)}, and have no {split}.")
    data = corpus(config)
    step, most = (config.stride, 0) if split == "train" else (config.step, config.windows)
    pairs = origins(data, split, config.lookback, config.horizon, step, most)
    if config.together:
        check_together(data)
        pairs = pairs[pairs[:, 0] == 0]
    if not len(pairs):
        longest = max(len(item.values) for item in data.series)
        raise UserError(
            f"{config.source}: no series has {config.horizon} observations in {split} "
            f"(data.horizon, data.cuts); the longest has {longest} in all."
        )
    if split == "train":
        # Neighbours are alike: a shuffle of a part of them would not do.
        pairs = np.random.default_rng(0).permutation(pairs)
    if config.together:
        numbers = np.tile(np.arange(len(data.series), dtype=np.int32), len(pairs))
        pairs = np.stack([numbers, np.repeat(pairs[:, 1], len(data.series))], axis=1)
    season = _season(config, data.frequency)
    ids = tf.constant([item.id for item in data.series])
    sizes = [
        _sizes(item, end, season) for item, end in zip(data.series, data.ends["train"], strict=True)
    ]
    deviations, errors = (tf.constant(part, tf.float32) for part in zip(*sizes, strict=True))
    places = tf.data.Dataset.from_tensor_slices(pairs[:, 1])

    def with_series(record, place):
        number = record.pop("series")
        return {
            **record,
            "id": ids[number],
            "origin": place,
            "deviation": deviations[number],
            "seasonal_error": errors[number],
        }

    window = windows(data, pairs, config.lookback, config.horizon)
    records = tf.data.Dataset.zip((window, places)).map(with_series)
    if config.together:
        return records.batch(len(data.series), drop_remainder=True).map(_side_by_side)
    return records


def _side_by_side(records: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """The windows of all series at one origin as one record."""
    columns = {name: tf.transpose(records[name]) for name in ("values", "truth")}
    shared = {name: records[name][0] for name in ("times", "origin")}
    return {**records, **columns, **shared}


def _sizes(series: Series, end: int, season: int) -> tuple[float, float]:
    """Standard deviation (1 of a constant) and seasonal error of a series' training part."""
    train = series.values[: int(end)]
    present = train[~np.isnan(train)]
    deviation = float(present.std()) if len(present) else 0.0
    return deviation or 1.0, seasonal_error(train, season)


def _season(config: DataConfig, frequency: Frequency) -> int:
    """Steps of the season that data of a frequency have as a rule."""
    if config.season:
        return config.season
    if frequency.unit == "month":
        return max(MONTHLY // frequency.count, 1)
    if frequency.unit == "step":
        return 1
    for period in (DAY, WEEK):
        if frequency.count < period and period % frequency.count == 0:
            return period // frequency.count
    return 1


def fit(config: DataConfig, records: tf.data.Dataset) -> Fitted:
    """The frequency and what the configuration says of windows."""
    data = corpus(config)
    is_sample = sources.is_built(config.source)
    names = ("promotion",) if is_sample else (*config.past, *config.future, *config.static)
    season = _season(config, data.frequency)
    log.info("%d series, a step is 1 %s, a season %d.", len(data.series), data.frequency, season)
    fitted = Fitted(
        data.frequency.count,
        data.frequency.unit,
        season,
        names,
        config.lookback,
        config.horizon,
        config.center,
        config.scale,
        _waves(data) if config.calendar else (),
        _no_count(data),
        tuple(item.id for item in data.series) if config.together else (),
        _checked_power(config, data),
    )
    return dataclasses.replace(fitted, scales=_scales(config, data, fitted.windowed()))


def _scales(config: DataConfig, data: Divided, windowed: Windowed) -> tuple[float, ...]:
    """The standard deviation of each series' training part, where windows are divided by it.

    Raises:
        UserError: where a window could be of any series.
    """
    if config.scale != "training":
        return ()
    if not config.together:
        raise UserError(
            "data.scale=training needs data.together=true: else nobody knows which series a window "
            "is of."
        )
    parts = [s.values[: int(end)] for s, end in zip(data.series, data.ends["train"], strict=True)]
    levels = [windowed.level(tf.constant(part, tf.float32)).numpy() for part in parts]
    return tuple(float(np.nanstd(level)) or 1.0 for level in levels)


def _checked_power(config: DataConfig, data: Divided) -> float:
    for series in data.series if config.power < 1 else ():
        if (series.values < 0).any():
            value = series.values[series.values < 0][0]
            raise UserError(f"data.power: {value:g} in {series.id!r} is below 0.")
    return config.power


def _no_count(data: Divided) -> str:
    for series, end in zip(data.series, data.ends["train"], strict=True):
        values = series.values[: int(end)]
        present = values[~np.isnan(values)]
        odd = present[(present < 0) | (present != np.round(present))]
        if len(odd):
            return f"{odd[0]:g} in {series.id!r}"
    return ""


def _waves(data: Divided) -> tuple[tuple[int, int], ...]:
    """Of the calendar, those that the training part of the longest series holds."""
    frequency = data.frequency
    if frequency.unit == "step":
        return ()
    step = frequency.count if frequency.unit == "second" else frequency.count * YEAR // MONTHLY
    return waves(step, step * int(data.ends["train"].max()))


def examples(config: DataConfig, fitted: Fitted, records: tf.data.Dataset) -> tf.data.Dataset:
    """(inputs, targets) of every window, scaled. Inputs are those of a window and `ahead`; targets
    are truth, observed, and what errors and counts need of the scale.
    """
    windowed = fitted.windowed()

    def encode(batch):
        window = windowed(batch["values"], batch["times"], batch.get("covariates"))
        truth = (windowed.level(batch["truth"]) - window.center) / window.scale
        present = tf.math.is_finite(truth)
        truth = tf.where(present, truth, tf.zeros_like(truth))
        observed = tf.cast(present, tf.float32)
        targets = {
            "truth": truth,
            "observed": observed,
            # So that errors of series of different sizes count alike, whatever the power.
            "weight": window.scale[:, 0] / batch["deviation"] ** fitted.power,
            "scale": window.scale[:, 0],
        }
        return {**inputs(window), "ahead": tf.stack([truth, observed], axis=-1)}, targets

    return batches.encoded(records, encode)


def inputs(window: Windows) -> dict[str, tf.Tensor]:
    """What the network reads of windows."""
    values = {"values": window.values, "observed": window.observed}
    return values if window.features is None else {**values, "features": window.features}


def length(inputs: dict[str, tf.Tensor]) -> tf.Tensor:
    """Steps of a window."""
    return tf.shape(inputs["values"])[0]


def known_splits(config: DataConfig) -> Iterable[str]:
    """Every source has these: it is divided by time."""
    return SPLITS


DATA = Data(
    config=DataConfig,
    fitted=Fitted,
    load=load,
    fit=fit,
    examples=examples,
    length=length,
    splits=known_splits,
)
