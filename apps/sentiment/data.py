"""Texts and labels: from a source to token ids."""

import base64
import dataclasses
import logging
import pathlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from rnnsuite.app import Data
from rnnsuite.core.errors import UserError
from rnnsuite.core.text import as_text
from rnnsuite.data import batches, labels, sources, splits, suggestions, tables
from rnnsuite.data.notes import Skips
from rnnsuite.inputs.subword import Subwords
from rnnsuite.inputs.text import TextToIds, learn_vocabulary

from . import pretrained
from .config import DataConfig
from .ngrams import Ngrams, learn
from .sample import SentimentSample

log = logging.getLogger(__name__)
LONGEST = 4096
"""Tokens that are counted of a text."""
SUGGESTED_BY = 10_000
"""Texts that a suggestion looks at."""


@dataclasses.dataclass(frozen=True)
class Fitted:
    """What is fitted on train.

    Args:
        vocabulary: token pieces in the order of their ids.
        labels: class names in the order of their numbers.
        lower: whether case is folded, by the configuration or the language model.
        max_tokens: that are read of a text once the model is trained.
        subwords: the language model's sentencepiece model in base64; empty for WordPiece.
        ngrams: a linear classifier beside the network, or None.
    """

    vocabulary: tuple[str, ...]
    labels: tuple[str, ...]
    lower: bool
    max_tokens: int
    subwords: str = ""
    ngrams: Ngrams | None = None

    def text_to_ids(self) -> TextToIds | Subwords:
        """The tokenizer, as operations of a graph."""
        if self.subwords:
            model = base64.b64decode(self.subwords)
            return Subwords(model, self.max_tokens, self.lower, keep="ends")
        return TextToIds(self.vocabulary, self.lower, self.max_tokens)


def load(config: DataConfig, split: str) -> tf.data.Dataset:
    """Records `{text, label}` of one split, both scalar strings. Raises UserError.

    Those of files have their `origin`, too.
    """
    read, known = _source(config)
    return splits.with_validation(read, known, split, "text", config.validation, "label")


def _source(config: DataConfig) -> tuple[Callable[[str], Any], Iterable[str]]:
    if sources.is_built(config.source):
        fields = (config.text, config.label)
        _, read, names = sources.built(config.source, SentimentSample, config.splits, fields)

        def select(record):
            return {"text": record[config.text], "label": record[config.label]}

        return lambda split: read(split).map(select), names
    places = splits.path_splits(pathlib.Path(config.source).expanduser())
    return lambda split: _read(config, places[split]), places


def _read(config: DataConfig, place: pathlib.Path) -> list[dict[str, bytes | str]]:
    skips = Skips(config.on_error)
    read = _read_folders if place.is_dir() else _read_table
    records = list(read(config, place, skips))
    skips.report(place)
    if not records:
        raise UserError(f"{place} holds no usable records.")
    return records


def _read_folders(config: DataConfig, folder: pathlib.Path, skips: Skips) -> Iterator[dict]:
    # aclImdb's train/unsup has no labels.
    for file, label in labels.class_folders(folder, (".txt",), ignored=("unsup",)):
        text = file.read_bytes()
        try:
            text.decode("utf-8")
        except UnicodeDecodeError as error:
            skips(f"{file}: not UTF-8 at byte {error.start}.")
            continue
        yield {"text": text, "label": label, "origin": str(file)}


def _read_table(config: DataConfig, file: pathlib.Path, skips: Skips) -> Iterator[dict]:
    if not tables.is_table(file):
        raise UserError(
            f"{file}: texts come as {', '.join(tables.SUFFIXES)}, or as folders of classes."
        )
    keys = {"data.text": config.text, "data.label": config.label}
    for line, row in tables.table(file, config, keys, skips):
        origin = f"{file}, line {line}"
        text = row[config.text]
        label = row[config.label]
        if not isinstance(text, str):
            skips(f"{origin}: no text.")
        elif label is None or str(label).strip() == "":
            skips(f"{origin}: no label.")
        else:
            yield {"text": text.encode(), "label": str(label).strip(), "origin": origin}


def fit(config: DataConfig, records: tf.data.Dataset) -> Fitted:
    """Vocabulary and class names of the training records. Raises UserError for one class."""
    names = labels.class_names(records, config.source)
    texts = records.map(lambda record: record["text"])
    fitted = _vocabulary(config, names, texts)
    if not config.ngrams:
        return fitted
    log.info("Fitting the n-grams' linear classifier ...")
    to_ids = fitted.text_to_ids()
    ids = [np.array(row, np.int32) for batch in texts.batch(256) for row in to_ids(batch).to_list()]
    truth = [as_text(record["label"]) for record in records.as_numpy_iterator()]
    size = len(fitted.vocabulary)
    return dataclasses.replace(fitted, ngrams=learn(ids, truth, names, size, config.ngrams))


def _vocabulary(config: DataConfig, names: tuple[str, ...], texts: tf.data.Dataset) -> Fitted:
    most = max(config.longest, config.max_tokens)
    if config.language_model:
        taken = pretrained.vocabulary(config.language_model)
        fitted = Fitted((), names, taken.lower, most, taken.subwords)
        fitted = dataclasses.replace(fitted, vocabulary=fitted.text_to_ids().pieces)
        log.info("%d classes; the language model's vocabulary.", len(names))
        return fitted
    try:
        vocabulary = learn_vocabulary(texts, config.vocabulary_size, config.lower)
    except ValueError as error:
        raise UserError(f"{config.source}: {error}.") from error
    log.info("%d classes, %d pieces in the vocabulary.", len(names), len(vocabulary))
    fitted = Fitted(vocabulary, names, config.lower, most)
    _say_what_is_cut(fitted, texts, config.max_tokens)
    return fitted


def _say_what_is_cut(fitted: Fitted, texts: tf.data.Dataset, most: int) -> None:
    """Suggests the number of tokens of a text that nearly all texts fit in."""
    to_ids = TextToIds(fitted.vocabulary, fitted.lower, LONGEST)
    counts = [to_ids(batch).row_lengths().numpy() for batch in texts.take(SUGGESTED_BY).batch(256)]
    suggestions.say_longer(np.concatenate(counts), most, "texts", "cut in the middle")


def examples(config: DataConfig, fitted: Fitted, records: tf.data.Dataset) -> tf.data.Dataset:
    """(ids `[tokens]` int32, class number) of every record. A label that train lacks fails."""
    most = min(fitted.max_tokens, config.max_tokens)
    to_ids = dataclasses.replace(fitted, max_tokens=most).text_to_ids()
    to_numbers = labels.class_numbers(fitted.labels)

    def encode(batch):
        return to_ids(batch["text"]), to_numbers(batch["label"])

    return batches.encoded(records, encode)


def length(ids: tf.Tensor) -> tf.Tensor:
    """Tokens of an example."""
    return tf.shape(ids)[0]


DATA = Data(
    config=DataConfig,
    fitted=Fitted,
    load=load,
    fit=fit,
    examples=examples,
    length=length,
    label="label",
)
