"""Folders in which recordings with annotations are published, and one's own."""

import pathlib
from collections.abc import Iterator, Mapping

import numpy as np

from rnnsuite.core.errors import UserError
from rnnsuite.data import tables
from rnnsuite.data.arrays import loaded, numbers
from rnnsuite.data.channels import ChannelsConfig, read_table
from rnnsuite.data.notes import Skips
from rnnsuite.data.recordings import Labelled, Recording, RecordingsConfig
from rnnsuite.data.splits import WHOLE, split_name

ANNOTATIONS = ("annotations", "events", "labels")
"""Ends of the name of a table of events."""
RECORDS = "records"
"""End of the name of a table of recordings, with their splits and persons."""
SOUNDS = (".wav", ".flac", ".ogg", ".aiff")
ARRAYS = (".npy", ".npz")
ACTIVITIES = "activity_labels.txt"
"""By which a folder with smartphone recordings is known (Reyes-Ortiz et al., Neurocomputing 2016):
`*.npz` with an array for each experiment, `EE_UU`, and `labels`."""
SMARTPHONE_RATE = 50.0


def read_recordings(root: pathlib.Path, config: RecordingsConfig) -> dict[str, list[Recording]]:
    """All recordings of a folder by split.

    Args:
        root: a folder of recordings (sound files, `.npy`, `.npz`, tables) with a table of events
            whose name ends in annotations, events or labels, and perhaps one that ends in records,
            with columns record, split and person; or a folder of smartphone activities.
        config: how these are written.

    Returns:
        Recordings by the splits that a table of recordings, or a list of people, names; "all" where
        there is none.

    Raises:
        UserError: for what cannot be read, for a recording without a rate, and for events outside
            of their recording; it names file and line.
    """
    if not root.is_dir():
        raise UserError(f"There is no folder {root}.")
    has_activities = (root / ACTIVITIES).is_file()
    by_split = _activities(root) if has_activities else _annotated(root, config)
    if not by_split:
        raise UserError(f"{root} holds no recordings ({', '.join(SOUNDS + ARRAYS)} or tables).")
    return by_split


def _annotated(root: pathlib.Path, config: RecordingsConfig) -> dict[str, list[Recording]]:
    events = _events(root, config)
    by_name = {}
    splits: dict[str, str] = {}
    persons: dict[str, str] = {}
    for path, line, row in _rows(root, (RECORDS,), config, {}):
        name = str(row.get(config.record) or "").strip()
        if not name:
            raise UserError(f"{path}, line {line}: no {config.record}.")
        splits[name] = split_name(str(row.get("split") or WHOLE).strip())
        persons[name] = str(row.get(config.person) or name).strip()
    for path in sorted(root.rglob("*")):
        suffix = path.suffix.lower()
        is_table = tables.is_table(path) and not _is_about(path)
        if not path.is_file() or (suffix not in (*SOUNDS, *ARRAYS) and not is_table):
            continue
        if splits and path.stem not in splits:
            continue
        if path.stem in by_name:
            raise UserError(f"{path}: there is another recording {path.stem!r}.")
        values, rate = read_recording(path, config)
        by_name[path.stem] = path, values, rate
    for name in [*splits, *events]:
        if name not in by_name:
            raise UserError(f"{root} has no recording {name!r}, which a table names.")
    by_split: dict[str, list[Recording]] = {}
    for name, (path, values, rate) in by_name.items():
        labelled = (
            _labelled(path, events.get(name, []), config, rate, len(values)) if events else None
        )
        person = persons.get(name) or name
        recording = Recording(name, person, rate, values, labelled)
        by_split.setdefault(splits.get(name, WHOLE), []).append(recording)
    return by_split


def _is_about(path: pathlib.Path) -> bool:
    return path.stem.lower().endswith((*ANNOTATIONS, RECORDS))


def _rows(
    root: pathlib.Path, ends: tuple[str, ...], config: RecordingsConfig, keys: Mapping[str, str]
) -> Iterator[tuple[pathlib.Path, int, dict]]:
    """The rows of all tables whose names end so."""
    for path in sorted(root.glob("*")):
        if tables.is_table(path) and path.stem.lower().endswith(ends):
            skips = Skips(config.on_error)
            for line, row in tables.table(path, config, keys, skips):
                yield path, line, row
            skips.report(path)


def _events(root: pathlib.Path, config: RecordingsConfig) -> dict[str, list[tuple]]:
    """(path, line, label, start, end) of each recording's events; none without such a table."""
    keys = {"data.record": config.record, "data.start": config.start, "data.label": config.label}
    by_name: dict[str, list[tuple]] = {}
    for path, line, row in _rows(root, ANNOTATIONS, config, keys):
        label = str(row.get(config.label) or "").strip()
        if not label:
            continue
        try:
            start = tables.number(row, config.start)
            end = tables.number(row, config.end) if config.end in row else start
        except ValueError as error:
            raise UserError(f"{path}, line {line}: {error}.") from error
        if not (np.isfinite(start) and np.isfinite(end)):
            raise UserError(
                f"{path}, line {line}: an event without {config.start} or {config.end}."
            )
        name = str(row[config.record] or "").strip()
        by_name.setdefault(name, []).append((path, line, label, start, end))
    return by_name


def _labelled(
    recording: pathlib.Path, rows: list[tuple], config: RecordingsConfig, rate: float, length: int
) -> tuple[Labelled, ...]:
    factor = rate if config.unit == "seconds" else 1.0
    events = []
    for path, line, label, start, end in rows:
        first = round(start * factor)
        last = round(end * factor)
        if config.unit == "seconds" and end > start:
            last = max(last - 1, first)  # an interval ends before its end
        if not 0 <= first <= last < length:
            raise UserError(
                f"{path}, line {line}: an event from {start:g} to {end:g} is not within "
                f"{recording.name}, which has {length} samples ({length / rate:g} s)."
            )
        events.append(Labelled(label, first, last))
    return tuple(sorted(events, key=lambda event: (event.first, event.last)))


def read_recording(path: pathlib.Path, config: RecordingsConfig) -> tuple[np.ndarray, float]:
    """Values and samples a second of a file. Raises UserError."""
    suffix = path.suffix.lower()
    rate = config.rate
    if suffix in SOUNDS:
        import soundfile

        try:
            values, rate = soundfile.read(path, dtype="float32", always_2d=True)
        except (OSError, RuntimeError) as error:
            raise UserError(f"{path} cannot be read as sound ({error}).") from error
    elif suffix in ARRAYS:
        content = loaded(path)
        if suffix == ".npz" and "rate" in content:
            rate = float(content.pop("rate"))
        if len(content) != 1:
            raise UserError(f"{path} holds {len(content)} arrays, and one recording is one.")
        (values,) = content.values()
        values = numbers(path, values[:, None] if values.ndim == 1 else values)
    else:
        values = read_table(path, ChannelsConfig(delimiter=config.delimiter)).values
    if not rate > 0:
        raise UserError(f"{path} does not say how many samples a second it has: set data.rate.")
    if not len(values):
        raise UserError(f"{path} holds no samples.")
    if not np.isfinite(values).all():
        place = int(np.flatnonzero(~np.isfinite(values).all(axis=1))[0])
        raise UserError(f"{path}: sample {place} is no finite number.")
    return values, float(rate)


def _activities(root: pathlib.Path) -> dict[str, list[Recording]]:
    names = {}
    for number, line in enumerate((root / ACTIVITIES).read_text().splitlines(), 1):
        words = line.split()
        if len(words) == 2 and words[0].isdigit():
            names[int(words[0])] = words[1]
        elif words:
            raise UserError(
                f"{root / ACTIVITIES}, line {number}: {line[:60]!r} is no number, name."
            )
    by_split: dict[str, list[Recording]] = {}
    for path in sorted(root.glob("*.npz")):
        content = loaded(path)
        if "labels" not in content:
            raise UserError(f"{path} has no array labels.")
        rows = numbers(path, content["labels"]).astype(np.int64)
        if rows.shape[1] != 5:
            raise UserError(f"{path}: labels are [n, 5], not {list(rows.shape)}.")
        people = {int(person) for person in content.get("val_subjects", ())}
        for name, values in content.items():
            experiment, _, person = name.partition("_")
            if not (experiment.isdigit() and person.isdigit()):
                continue
            values = numbers(path, values)
            own = rows[(rows[:, 0] == int(experiment)) & (rows[:, 1] == int(person))]
            events = []
            for _, _, activity, first, last in own.tolist():
                if activity not in names or not 1 <= first <= last <= len(values):
                    raise UserError(
                        f"{path}: activity {activity} from {first} to {last} is not within "
                        f"{name}, which has {len(values)} samples."
                    )
                events.append(Labelled(names[activity], first - 1, last - 1))
            split = ("validation" if int(person) in people else "train") if people else WHOLE
            ordered = tuple(sorted(events, key=lambda event: event.first))
            recording = Recording(name, person, SMARTPHONE_RATE, values, ordered)
            by_split.setdefault(split, []).append(recording)
    return by_split
