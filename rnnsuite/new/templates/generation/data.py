"""Pairs of texts: from a table to subword ids."""

import base64
import dataclasses
import pathlib

import tensorflow as tf

from rnnsuite.app import Data
from rnnsuite.core.errors import UserError
from rnnsuite.data import batches, sources, splits, tables
from rnnsuite.data.notes import Skips
from rnnsuite.inputs.subword import END, START, Subwords, learn_subwords, normalize

from . import sample
from .config import DataConfig

COLUMNS = {"the text to read": "text", "the text to write": "target"}


@dataclasses.dataclass(frozen=True)
class Fitted:
    """Learned on train: the sentencepiece model in base64, and how many subwords are read."""

    vocabulary: str
    max_tokens: int

    def subwords(self) -> Subwords:
        """Texts to ids and back."""
        return Subwords(base64.b64decode(self.vocabulary), self.max_tokens)


def load(config: DataConfig, split: str) -> tf.data.Dataset:
    """Records of `text` and `target`."""
    if config.source == "sample":
        return sources.from_records(sample.records(split))
    places = splits.path_splits(pathlib.Path(config.source).expanduser())
    return splits.with_validation(
        lambda name: _read(config, places[name]), places, split, "text", config.validation
    )


def _read(config: DataConfig, file: pathlib.Path) -> list[dict[str, str]]:
    skips = Skips(config.on_error)
    records = []
    for line, row in tables.table(file, config, COLUMNS, skips):
        pair = {name: row[name] for name in COLUMNS.values()}
        if all(isinstance(value, str) and value.strip() for value in pair.values()):
            records.append(pair)
        else:
            skips(f"{file}, line {line}: text and target must be texts, neither of them empty.")
    skips.report(file)
    if not records:
        raise UserError(f"{file} holds no usable pairs.")
    return records


def fit(config: DataConfig, records: tf.data.Dataset) -> Fitted:
    """The subwords of the training texts and targets."""
    texts = []
    for batch in records.batch(1024):
        both = tf.concat([batch["text"], batch["target"]], axis=0)
        texts += [text.decode() for text in normalize(both).numpy()]
    try:
        model = learn_subwords(texts, config.vocabulary_size)
    except ValueError as error:
        raise UserError(f"{config.source}: {error}.") from error
    return Fitted(base64.b64encode(model).decode(), config.max_tokens)


def examples(config: DataConfig, fitted: Fitted, records: tf.data.Dataset) -> tf.data.Dataset:
    """({source, target: ids before each step}, ids at it) of every pair that is not too long."""
    most = fitted.max_tokens
    subwords = dataclasses.replace(fitted, max_tokens=most + 1).subwords()

    def pairs(batch):
        return subwords(batch["text"]), subwords(batch["target"])

    def example(source, target):
        before = tf.concat([[START], target], 0)
        return {"source": source, "target": before}, tf.concat([target, [END]], 0)

    return (
        batches.encoded(records, pairs)
        .filter(lambda source, target: (tf.size(source) <= most) & (tf.size(target) < most))
        .map(example)
    )


DATA = Data(
    config=DataConfig,
    fitted=Fitted,
    load=load,
    fit=fit,
    examples=examples,
    length=lambda inputs: tf.maximum(tf.shape(inputs["source"])[0], tf.shape(inputs["target"])[0]),
)
