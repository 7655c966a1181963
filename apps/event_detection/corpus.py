"""The recordings of a source, whatever it is, divided by the people whose they are."""

import functools
import pathlib

from rnnsuite.data import people, sources
from rnnsuite.data.recording_layouts import read_recordings
from rnnsuite.data.recordings import Labelled, Recording

from .config import DataConfig
from .sample import EventSample


def of_split(config: DataConfig, split: str) -> list[Recording]:
    """The recordings of one split; see `rnnsuite.data.people.of_split`."""
    by_split = recordings_of(config)
    return people.of_split(config.source, by_split, split, config.validation, config.test)


def recordings_of(config: DataConfig) -> dict[str, list[Recording]]:
    """All recordings of a source by the splits that it has itself. Raises UserError."""
    if not sources.is_built(config.source):
        return read_recordings(pathlib.Path(config.source).expanduser(), config)
    return _generated(config.source, tuple(sorted(config.splits.items())))


@functools.lru_cache(maxsize=1)
def _generated(source: str, chosen: tuple[tuple[str, str], ...]) -> dict[str, list[Recording]]:
    fields = ("id", "person", "rate", "values", "events")
    _, read, names = sources.built(source, EventSample, dict(chosen), fields)
    by_split = {}
    for split in names:
        recordings = []
        for record in read(split).as_numpy_iterator():
            events = record["events"]
            labelled = tuple(
                Labelled(label.decode(), int(first), int(last))
                for label, first, last in zip(
                    events["label"], events["first"], events["last"], strict=True
                )
            )
            name = record["id"].decode()
            person = record["person"].decode()
            rate = float(record["rate"])
            recordings.append(Recording(name, person, rate, record["values"], labelled))
        by_split[split] = recordings
    return by_split
