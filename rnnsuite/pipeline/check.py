"""What is wrong or odd with a source of data, before an hour is spent on it."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnsuite.app import App
from rnnsuite.core.errors import NoSplit, UserError
from rnnsuite.core.progress import bar
from rnnsuite.data import notes
from rnnsuite.data.contents import SplitContents
from rnnsuite.pipeline.config import Config
from rnnsuite.pipeline.train import overview

SPLITS = ("train", "validation", "test")
FEW_RECORDS = 50
"""For training, under which it is told."""
UNEVEN = 20
"""Times that the largest class has the records of the smallest."""
LONG = 20
"""Times that the longest value is as long as half of them are at most."""
SHOWN = 3
"""Examples of a finding."""


def check(app: App, config: Config) -> dict[str, Any]:
    """Reads every split of a source and looks for what would spoil a training.

    Args:
        app: the application.
        config: its configuration, with `data.source`.

    Returns:
        `splits`: of each, how many records, its fields' lengths and its classes; `examples`: a line
        for each split as training sees it; `skipped`: bad records; `wrong`: what training or its
        score would fail of; `odd`: what should be looked at.

    Raises:
        UserError: where nothing can be read.
    """
    section = config.data
    if hasattr(section, "on_error"):
        section = dataclasses.replace(section, on_error="skip")
    wrong: list[str] = []
    with notes.collected() as said:
        splits = {}
        for name in SPLITS:
            try:
                splits[name] = _looked_at(app, section, name)
            except UserError as error:
                if name == "train":
                    raise
                if not isinstance(error, NoSplit):
                    wrong.append(f"{name}: {error}")
        examples = _examples(app, section, splits, wrong)
    skipped = list(said.skipped)
    wrong += _wrong(app, splits)
    odd = [*_unreadable(skipped), *_repeated(splits), *_uneven(splits["train"])]
    for split in splits.values():
        odd += _odd_fields(split)
    return {
        "splits": {
            name: {
                "records": split.records,
                "fields": {key: field.values() for key, field in split.fields.items()},
                "classes": split.by_class,
            }
            for name, split in splits.items()
        },
        "examples": examples,
        "skipped": skipped,
        "wrong": wrong,
        "odd": odd,
    }


def _looked_at(app: App, section: Any, name: str) -> SplitContents:
    split = SplitContents(name)
    records = app.data.load(section, name).as_numpy_iterator()
    for record in bar(records, desc=name, unit="record"):
        names = [field for field in app.serving.fields if field in record]
        split.add(record, names, app.data.label)
    if not split.records:
        raise UserError(f"The {name} split of {section.source} holds no records.")
    return split


def _examples(app: App, section: Any, splits: Mapping[str, Any], wrong: list[str]) -> list[str]:
    """A line for each split, as training and its validation see it; adds what they fail of."""
    lines = []
    try:
        fitted = app.data.fit(section, app.data.load(section, "train"))
        names = fitted.labels if app.data.label else None
        for name in splits:
            if app.data.label and _unknown(app, splits, name):
                continue
            records = app.data.load(section, name)
            examples = app.data.examples(section, fitted, records)
            lines.append(overview.summarise(name, examples, app.data, names).line())
    except UserError as error:
        wrong.append(str(error))
    return lines


def _unknown(app: App, splits: Mapping[str, SplitContents], name: str) -> dict[str, int]:
    """The classes of a split that train does not have."""
    known = splits["train"].by_class
    if not app.data.label:
        return {}
    return {label: n for label, n in splits[name].by_class.items() if label not in known}


def _wrong(app: App, splits: Mapping[str, SplitContents]) -> list[str]:
    findings = []
    for name in splits:
        unknown = _unknown(app, splits, name)
        if unknown:
            text = ", ".join(f"{label} {count}" for label, count in list(unknown.items())[:SHOWN])
            findings.append(f"{name} has {len(unknown)} classes that train does not have: {text}.")
    classes = splits["train"].by_class
    if len(classes) == 1:
        findings.append(f"All training records are of one class, {next(iter(classes))}.")
    return findings


def _unreadable(skipped: Sequence[str]) -> list[str]:
    if not skipped:
        return []
    return [f"{len(skipped)} bad records, such as: {' '.join(skipped[:1])}"]


def _repeated(splits: Mapping[str, SplitContents]) -> list[str]:
    """Inputs that stand in one split several times, in two splits, or under two classes."""
    findings = []
    train = splits["train"]
    for name, split in splits.items():
        again = split.records - len(split.inputs)
        if again:
            key = split.inputs.most_common(1)[0][0]
            findings.append(
                f"{name}: {_share(again, split.records)} repeat another one's input, "
                f"such as {split.first[key]}."
            )
        shared = [key for key in split.inputs if key in train.inputs] if name != "train" else []
        if shared:
            count = sum(split.inputs[key] for key in shared)
            findings.append(
                f"{name}: {_share(count, split.records)} are in train, too, such as "
                f"{split.first[shared[0]]}. The score will be too good."
            )
        torn = [key for key, classes in split.classes.items() if len(classes) > 1]
        if torn:
            labels = ", ".join(split.classes[torn[0]])
            findings.append(
                f"{name}: {len(torn)} inputs stand under several classes, such as "
                f"{split.first[torn[0]]} under {labels}."
            )
    return findings


def _uneven(train: SplitContents) -> list[str]:
    findings = []
    if train.records < FEW_RECORDS:
        findings.append(f"train has only {train.records} records.")
    classes = train.by_class
    few = [f"{name} {count}" for name, count in classes.items() if count < overview.FEW]
    if few:
        findings.append(f"Classes of fewer than {overview.FEW} records: {', '.join(few[:SHOWN])}.")
    counts = list(classes.values())
    if counts and counts[0] >= UNEVEN * counts[-1]:
        names = list(classes)
        findings.append(
            f"Classes are uneven: {names[0]} has {counts[0]} records, {names[-1]} {counts[-1]}. "
            f"Accuracy says little; look at macro_f1."
        )
    return findings


def _odd_fields(split: SplitContents) -> list[str]:
    findings = []
    for name, field in split.fields.items():
        where = f"{split.name}, {name}"
        empty = sum(length == 0 for length in field.lengths)
        if empty:
            findings.append(f"{where}: {_share(empty, split.records)} are empty.")
        if field.missing:
            share = _share(field.missing, split.records)
            findings.append(f"{where}: {share} hold numbers that are NaN or infinite.")
        median, longest = np.median(field.lengths), max(field.lengths)
        if field.unit in ("characters", "steps") and longest > LONG * max(median, 1):
            findings.append(
                f"{where}: the longest has {longest} {field.unit}, half of all at most "
                f"{median:.0f}."
            )
        columns = field.unchanging()
        if columns:
            text = ", ".join(map(str, columns[:10]))
            findings.append(f"{where}: columns that never change, counted from 0: {text}.")
    return findings


def _share(count: int, total: int) -> str:
    return f"{count} of {total} records ({count / total:.1%})"
