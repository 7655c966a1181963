"""Running text: from a source to tokens, each with the one that comes next."""

import base64
import dataclasses
import logging
import pathlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from rnnsuite.app import Data
from rnnsuite.core.errors import NoSplit, UserError
from rnnsuite.data import batches, documents, sources, splits
from rnnsuite.data.notes import Skips
from rnnsuite.inputs import subword, words
from rnnsuite.inputs.subword import END, Subwords
from rnnsuite.inputs.words import Words

from .config import DataConfig
from .sample import LanguageModelSample

log = logging.getLogger(__name__)
WHOLE = 2**31 - 1
"""Tokens of a document: all."""
LEARNED_BYTES = 20_000_000
"""Of text that subwords are learned from, about so many."""


@dataclasses.dataclass(frozen=True)
class Fitted:
    """What is fitted on train.

    Args:
        unit: what tokens are.
        tokens: words or characters in the order of their ids; empty for subwords.
        subwords: the sentencepiece model in base64; empty for words and characters.
        lower, direction, reset, max_tokens: as the configuration has them.
    """

    unit: str
    tokens: tuple[str, ...]
    subwords: str
    lower: bool
    direction: str
    reset: bool
    max_tokens: int

    def vocabulary(self, whole: bool = False) -> Words | Subwords:
        """Texts to ids and back, as operations of a graph.

        Args:
            whole: whether all of a text is read; otherwise its last `max_tokens` tokens, or of a
                backward model its first.
        """
        most = WHOLE if whole else self.max_tokens
        keep: Any = "first" if self.direction == "backward" else "last"
        if self.subwords:
            return Subwords(base64.b64decode(self.subwords), most, self.lower, keep)
        return Words(self.tokens, self.unit, self.lower, most, keep)


def load(config: DataConfig, split: str) -> tf.data.Dataset:
    """Records `{text, origin}` of one split, in their order. Raises UserError."""
    if sources.is_built(config.source):
        fields = (config.text,)
        _, read, names = sources.built(config.source, LanguageModelSample, config.splits, fields)

        def select(record):
            return {"text": record[config.text]}

        return splits.with_validation(
            lambda split: read(split).map(select), names, split, "text", config.validation
        )
    places = _places(config)
    if split in places and (split != "train" or "validation" in places):
        return sources.from_records(_read(config, places[split]))
    whole = splits.WHOLE if splits.WHOLE in places else "train"
    if split not in ("train", "validation") or whole not in places:
        raise NoSplit(f"The source has no {split} split; it has {', '.join(sorted(places))}.")
    records = _read(config, places[whole])
    return sources.from_records(_part(records, split, config.validation))


def _places(config: DataConfig) -> dict[str, pathlib.Path]:
    """Where the splits of a path are; only "all" where it has none."""
    path = pathlib.Path(config.source).expanduser()
    places = splits.path_splits(path)
    if config.splits:
        places.pop(splits.WHOLE, None)
    return {**places, **{name: path / file for name, file in config.splits.items()}}


def _read(config: DataConfig, place: pathlib.Path) -> list[dict[str, bytes | str]]:
    unit = config.documents
    if unit == "auto":
        unit = "file" if place.is_dir() else "line"
    skips = Skips(config.on_error)
    records = list(documents.documents(place, config, config.text, unit, skips))
    skips.report(place)
    if not any(record["text"].strip() for record in records):
        raise UserError(f"{place} holds no text.")
    return records


def _part(records: list[dict], split: str, fraction: float) -> list[dict]:
    """The first documents for train and the last for validation; of one, its first and last lines,
    by their share of the text.

    Raises:
        UserError: where a part would be empty.
    """
    if len(records) == 1:
        lines = records[0]["text"].splitlines(keepends=True)
        pieces = lines if len(lines) > 1 else records[0]["text"].split(b" ")
        joint = b"" if len(lines) > 1 else b" "
        sizes = [len(piece) for piece in pieces]
    else:
        pieces = records
        joint = None
        sizes = [1] * len(pieces)
    border = _border(sizes, fraction)
    part = pieces[:border] if split == "train" else pieces[border:]
    if not part or not border:
        raise UserError(
            f"data.validation={fraction:g} leaves the {split} split of {len(pieces)} pieces of "
            "text empty. Take another share, or give a validation split of its own."
        )
    if joint is None:
        return part
    return [{**records[0], "text": joint.join(part)}]


def _border(sizes: Sequence[int], fraction: float) -> int:
    """How many of the first pieces are not in the last share of them all, the nearest number."""
    if not fraction:
        return len(sizes)
    ends = np.cumsum([0, *sizes])
    nearest = int(np.argmin(np.abs(ends - ends[-1] * (1 - fraction))))
    return min(nearest, len(sizes) - 1)


def fit(config: DataConfig, records: tf.data.Dataset) -> Fitted:
    """The vocabulary of the training records. Raises UserError where they hold no token."""
    texts = records.map(lambda record: record["text"])
    tokens: tuple[str, ...] = ()
    model = b""
    try:
        if config.unit == "subwords":
            normal = _normal_texts(texts, config.lower)
            model = subword.learn_subwords(normal, config.vocabulary_size)
        else:
            counts = words.count_tokens(texts.batch(256), config.unit, config.lower)
            tokens = words.vocabulary(counts, config.vocabulary_size, config.least_count)
    except ValueError as error:
        raise UserError(f"{config.source}: {error}.") from error
    fitted = Fitted(
        config.unit,
        tokens,
        base64.b64encode(model).decode(),
        config.lower,
        config.direction,
        config.reset,
        config.max_tokens,
    )
    log.info("%d tokens in the vocabulary.", len(fitted.vocabulary().pieces))
    return fitted


def _normal_texts(texts: tf.data.Dataset, lower: bool) -> Iterable[str]:
    """Texts as subwords are learned from, evenly spread where there are very many."""
    sizes = texts.batch(1024).map(lambda batch: tf.reduce_sum(tf.strings.length(batch)))
    total = sum(int(size) for size in sizes)
    stride = -(-total // LEARNED_BYTES)
    for batch in texts.shard(stride, 0).batch(256):
        for text in subword.normalize(batch, lower).numpy():
            yield text.decode()


def examples(config: DataConfig, fitted: Fitted, records: tf.data.Dataset) -> tf.data.Dataset:
    """(inputs, targets) of every document, `[tokens]` each, in the order of reading.

    The document's tokens and an end are the targets; each input is the token before, an end for
    the first. `fresh` is true where the state becomes zero. Of both directions, the backward one's
    names begin with `backward_`.
    """
    vocabulary = fitted.vocabulary(whole=True)
    directions = {"": fitted.direction}
    if fitted.direction == "both":
        directions = {"": "forward", "backward_": "backward"}

    def encode(batch):
        ids = vocabulary(batch["text"])
        inputs: dict[str, Any] = {}
        for prefix, direction in directions.items():
            before, targets = shifted(in_order(ids, direction))
            inputs |= {f"{prefix}ids": before, f"{prefix}next": targets}
            if fitted.reset:
                places = tf.ragged.range(before.row_lengths())
                inputs[f"{prefix}fresh"] = places.with_values(places.values == 0)
        return inputs

    rows = batches.encoded(records, encode, size=64)
    return rows.map(lambda inputs: (inputs, inputs["next"]))


def in_order(ids: Any, direction: str) -> Any:
    """Ids `[batch, (ids)]` of texts in the order in which they are read, and back."""
    return ids[:, ::-1] if direction == "backward" else ids


def shifted(ids: tf.RaggedTensor) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
    """The token before each of a text's tokens and of its end, and these."""
    end = tf.fill([ids.nrows(), 1], END)
    return tf.concat([end, ids], axis=1), tf.concat([ids, end], axis=1)


def length(inputs: Any) -> tf.Tensor:
    """Tokens of an example."""
    return tf.shape(inputs["ids"])[0]


DATA = Data(
    config=DataConfig,
    fitted=Fitted,
    load=load,
    fit=fit,
    examples=examples,
    length=length,
    order="contiguous",
    splits=_places,
)
