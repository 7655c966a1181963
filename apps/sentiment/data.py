"""Texts and labels: from a source to token ids."""

import dataclasses
import functools
import logging
import pathlib
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Literal

import pydantic
import tensorflow as tf

from apps.sentiment.sample import SentimentSample
from rnnsuite import sources
from rnnsuite.config import Share, section
from rnnsuite.errors import UserError
from rnnsuite.inputs.text import TextToIds, learn_vocabulary

log = logging.getLogger(__name__)


@section
class Config:
    """What to read and how to turn it into ids.

    source: sample, tfds:NAME, a folder of class folders of .txt files, or .csv, .tsv or .jsonl files.
    text, label: the record's fields. columns: the columns' names in a file without a header.
    splits: other names or slices for a tensorflow-datasets source's splits.
    validation: the share of train held out where the source has no validation split.
    max_tokens: longer texts keep their first and last half of this many tokens.
    on_error: what a record without a label or with undecodable bytes does in a path source.
    """

    source: str = "sample"
    text: str = "text"
    label: str = "label"
    columns: tuple[str, ...] = ()
    splits: dict[Literal["train", "validation", "test"], str] = dataclasses.field(default_factory=dict)
    validation: Share = 0.1
    vocabulary_size: Annotated[int, pydantic.Field(ge=64)] = 8000
    lower: bool = True
    max_tokens: Annotated[int, pydantic.Field(ge=2)] = 512
    on_error: Literal["error", "skip"] = "error"


@dataclasses.dataclass(frozen=True)
class Fitted:
    """Learned on train: token vocabulary and class names, both in the order of their ids."""

    vocabulary: tuple[str, ...]
    labels: tuple[str, ...]
    lower: bool
    max_tokens: int

    def text_to_ids(self) -> TextToIds:
        return TextToIds(self.vocabulary, self.lower, self.max_tokens)


def load(config: Config, split: str) -> tf.data.Dataset:
    """Records `{text, label}` of one split, both scalar strings. Raises UserError on unusable data."""
    read, known = _source(config)
    return sources.with_validation(read, known, split, "text", config.validation)


def _source(config: Config) -> tuple[Callable[[str], tf.data.Dataset], Iterable[str]]:
    if sources.is_built(config.source):
        _, read, names = sources.built(config.source, SentimentSample, config.splits, (config.text, config.label))
        return lambda split: read(split).map(functools.partial(_chosen, config)), names
    places = sources.splits_of(pathlib.Path(config.source).expanduser())
    return lambda split: sources.from_records(_read(config, places[split])), places


def _chosen(config: Config, record: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    return {"text": record[config.text], "label": record[config.label]}


def _read(config: Config, place: pathlib.Path) -> list[dict[str, bytes | str]]:
    skips = sources.Skips(config.on_error)
    read = _read_folders if place.is_dir() else _read_table
    records = list(read(config, place, skips))
    skips.report(place)
    if not records:
        raise UserError(f"{place} holds no usable records.")
    return records


def _read_folders(config: Config, folder: pathlib.Path, skips: sources.Skips) -> Iterator[dict]:
    # aclImdb's train/unsup has no labels.
    for file, label in sources.class_folders(folder, (".txt",), ignored=("unsup",)):
        text = file.read_bytes()
        try:
            text.decode("utf-8")
        except UnicodeDecodeError as error:
            skips(f"{file}: not UTF-8 at byte {error.start}.")
            continue
        yield {"text": text, "label": label}


def _read_table(config: Config, file: pathlib.Path, skips: sources.Skips) -> Iterator[dict]:
    if file.suffix not in (".csv", ".tsv", ".jsonl"):
        raise UserError(f"{file}: texts come as .csv, .tsv or .jsonl, or as folders of classes.")
    for line, row in sources.table(file, config.columns, skips):
        for name in (config.text, config.label):
            if name not in row:
                raise UserError(
                    f"{file}, line {line}: no {name!r}; the fields are {', '.join(row)}. "
                    "Name them with data.text and data.label, or with data.columns where there is no header."
                )
        text, label = row[config.text], row[config.label]
        if not isinstance(text, str) or label is None or str(label).strip() == "":
            skips(f"{file}, line {line}: {'no label' if isinstance(text, str) else 'no text'}.")
            continue
        yield {"text": text, "label": str(label).strip()}


def fit(config: Config, records: tf.data.Dataset) -> Fitted:
    """The vocabulary and the class names of the training records. Raises UserError when there is only one class."""
    labels = sources.classes(records, config.source)
    texts = records.map(lambda record: record["text"])
    try:
        vocabulary = learn_vocabulary(texts, config.vocabulary_size, config.lower)
    except ValueError as error:
        raise UserError(f"{config.source}: {error}.") from error
    log.info("%d classes, %d pieces in the vocabulary.", len(labels), len(vocabulary))
    return Fitted(vocabulary, labels, config.lower, config.max_tokens)


def examples(config: Config, fitted: Fitted, records: tf.data.Dataset) -> tf.data.Dataset:
    """(ids `[tokens]` int32, class number) of every record. Raises UserError on a label that train had not."""
    to_ids, numbers = fitted.text_to_ids(), sources.class_numbers(fitted.labels)
    return (
        records.batch(256)
        .map(lambda batch: (to_ids(batch["text"]), numbers(batch["label"])), num_parallel_calls=tf.data.AUTOTUNE)
        .unbatch()
        .map(lambda ids, number: (ids.to_tensor() if isinstance(ids, tf.RaggedTensor) else ids, number))
    )


def length(ids: tf.Tensor) -> tf.Tensor:
    return tf.shape(ids)[0]
