"""The recordings of a source, whatever it is, divided by the people whose they are."""

import functools
import hashlib
import logging
import pathlib
from collections.abc import Mapping, Sequence

from rnnsuite.core.errors import NoSplit, UserError
from rnnsuite.data import sources, splits
from rnnsuite.data.notes import say
from rnnsuite.data.recording_layouts import read_recordings
from rnnsuite.data.recordings import Labelled, Recording, persons_of

from .config import DataConfig
from .sample import EventSample


def of_split(config: DataConfig, split: str) -> list[Recording]:
    """The recordings of one split; people are divided by a hash where the source has no splits.

    Args:
        config: the source, and the shares that are held out.
        split: its name.

    Returns:
        At least one.

    Raises:
        NoSplit: for a split that there is not.
        UserError: for what cannot be read, and for shares that leave a split empty.
    """
    by_split = recordings_of(config)
    if split not in by_split and splits.WHOLE not in by_split and "train" not in by_split:
        raise NoSplit(f"The source has no {split} split; it has {', '.join(sorted(by_split))}.")
    if split in by_split and (split != "train" or "validation" in by_split):
        if split == "train":
            _warn_of_shared_people(config, by_split)
        return by_split[split]
    whole = splits.WHOLE if splits.WHOLE in by_split else "train"
    shares = {"validation": config.validation}
    if whole == splits.WHOLE:
        shares["test"] = config.test
    if split not in ("train", *shares):
        raise NoSplit(f"The source has no {split} split; it has {', '.join(sorted(by_split))}.")
    recordings = by_split[whole]
    of_person = _divided(sorted(persons_of(recordings)), shares)
    part = [item for item in recordings if of_person[item.person] == split]
    if not part:
        raise UserError(
            f"{config.source}: {len(of_person)} people leave the {split} split empty; take another "
            "data.validation, or name splits in a table of records."
        )
    return part


def _divided(people: Sequence[str], shares: Mapping[str, float]) -> dict[str, str]:
    """The split of every person, by a hash."""

    def bucket(person: str) -> int:
        digest = hashlib.sha1(person.encode()).hexdigest()
        return int(digest, 16) % splits.BUCKETS

    of_person = dict.fromkeys(people, "train")
    rest = list(people)
    for split, share in shares.items():
        is_held_out = splits.held_out(rest, [bucket(person) for person in rest], share)
        of_person |= {person: split for person, out in zip(rest, is_held_out, strict=True) if out}
        rest = [person for person, out in zip(rest, is_held_out, strict=True) if not out]
    return of_person


def _warn_of_shared_people(config: DataConfig, by_split: Mapping[str, list[Recording]]) -> None:
    people = persons_of(by_split["train"])
    for split in ("validation", "test"):
        shared = people & persons_of(by_split.get(split, ()))
        if shared:
            names = ", ".join(sorted(shared)[:3])
            say(
                f"{config.source}: {len(shared)} people of train are in {split} too ({names}): its "
                "scores will be too good.",
                logging.WARNING,
            )


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
