"""Pairs of sentences: from a source to subword ids."""

import base64
import dataclasses
import functools
import gzip
import logging
import pathlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from rnnsuite.app import Data
from rnnsuite.core.errors import UserError
from rnnsuite.data import batches, sources, splits, suggestions, tables
from rnnsuite.data.notes import Skips
from rnnsuite.inputs.subword import END, START, Subwords, learn_subwords, normalize

from .config import DataConfig
from .sample import TranslationSample

log = logging.getLogger(__name__)
LONGEST = 1024
"""Tokens that are counted of a sentence."""


@dataclasses.dataclass(frozen=True)
class Fitted:
    """Learned on train: the sentencepiece models in base64, one where both languages share it."""

    languages: tuple[str, str]
    models: tuple[str, ...]
    max_tokens: int

    @property
    def shared(self) -> bool:
        return len(self.models) == 1

    def subwords(self) -> tuple[Subwords, Subwords]:
        """Of the source's language and of the target's."""
        vocabularies = [Subwords(base64.b64decode(model), self.max_tokens) for model in self.models]
        return vocabularies[0], vocabularies[-1]


def load(config: DataConfig, split: str) -> tf.data.Dataset:
    """Records `{text, translation, language}` of one split. Raises UserError."""
    if config.languages[0] == config.languages[1]:
        raise UserError(f"data.languages: {config.languages[0]} given twice.")
    read, known = _source(config)
    records = splits.with_validation(read, known, split, config.split_by, config.validation)
    return records.map(lambda record: {**record, "language": config.languages[1]})


def _source(config: DataConfig) -> tuple[Callable[[str], Any], Iterable[str]]:
    if sources.is_built(config.source):
        _, read, names = sources.built(
            config.source, TranslationSample, config.splits, config.languages
        )
        return lambda split: read(split).map(functools.partial(_chosen, config)), names
    path = pathlib.Path(config.source).expanduser()
    places = splits.path_splits(path) if path.exists() else {"all": path}
    places |= {split: path / name for split, name in config.splits.items()}
    return lambda split: _read(config, places[split]), places


def _chosen(config: DataConfig, record: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    return {"text": record[config.languages[0]], "translation": record[config.languages[1]]}


def _read(config: DataConfig, place: pathlib.Path) -> list[dict[str, bytes]]:
    skips = Skips(config.on_error)
    records = []
    read = _read_table if tables.is_table(place) else _read_lines
    for where, *sides in read(config, place, skips):
        empty = [
            name for name, side in zip(config.languages, sides, strict=True) if not side.strip()
        ]
        if empty:
            skips(f"{where}: the {' and the '.join(empty)} side is empty.")
            continue
        records.append(dict(zip(("text", "translation"), sides, strict=True)))
    skips.report(place)
    if not records:
        raise UserError(f"{place} holds no usable pairs.")
    return records


def _read_table(config: DataConfig, file: pathlib.Path, skips: Skips) -> Iterator[tuple]:
    keys = {f"data.languages ({name})": name for name in config.languages}
    for line, row in tables.table(file, config, keys, skips):
        origin = f"{file}, line {line}"
        sides = [row[name] for name in config.languages]
        if all(isinstance(side, str) for side in sides):
            yield origin, *(side.encode() for side in sides)
        else:
            skips(f"{origin}: a side is no text.")


def _read_lines(config: DataConfig, place: pathlib.Path, skips: Skips) -> Iterator[tuple]:
    files = [_line_file(place, language) for language in config.languages]
    sides = [_lines(file) for file in files]
    if len(sides[0]) != len(sides[1]):
        raise UserError(
            f"{files[0]} has {len(sides[0])} lines and {files[1]} has {len(sides[1])}; "
            "line n of one must be the translation of line n of the other."
        )
    for number, pair in enumerate(zip(*sides, strict=True), 1):
        broken = [file for file, line in zip(files, pair, strict=True) if not _is_utf8(line)]
        if broken:
            skips(f"{broken[0]}, line {number}: not UTF-8.")
        else:
            yield f"{place}, line {number}", *pair


def _line_file(place: pathlib.Path, language: str) -> pathlib.Path:
    """The file of one language: of a split's beginning, of one of its files, or in a folder of its
    own.
    """
    folder, stem = (place, "") if place.is_dir() else (place.parent, place.name.split(".")[0])
    endings = (f".{language}", f".{language}.gz")
    found = [
        file
        for file in (sorted(folder.iterdir()) if folder.is_dir() else [])
        if file.name.endswith(endings) and (not stem or file.name.split(".")[0] == stem)
    ]
    if not found:
        raise UserError(f"There is no {folder / (stem or '*')}.{language}, nor one with .gz.")
    if len(found) > 1:
        raise UserError(
            f"Which is it: {' or '.join(str(file) for file in found)}? Keep one of them there."
        )
    return found[0]


def _lines(file: pathlib.Path) -> list[bytes]:
    try:
        content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    except (OSError, EOFError) as error:
        raise UserError(f"{file}: {error}.") from error
    lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    return [line.removesuffix(b"\r") for line in (lines[:-1] if lines[-1] == b"" else lines)]


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def fit(config: DataConfig, records: tf.data.Dataset) -> Fitted:
    """The subword vocabularies of the training records. Raises UserError without any words."""
    sides: list[list[str]] = [[], []]
    for batch in records.batch(1024):
        for side, key in zip(sides, ("text", "translation"), strict=True):
            side += [text.decode() for text in normalize(batch[key]).numpy()]
    try:
        models = [
            learn_subwords(texts, config.vocabulary_size)
            for texts in ([sides[0] + sides[1]] if config.shared else sides)
        ]
    except ValueError as error:
        raise UserError(f"{config.source}: {error}.") from error
    encoded = tuple(base64.b64encode(model).decode() for model in models)
    fitted = Fitted(config.languages, encoded, config.max_tokens)
    sizes = [len(subwords.pieces) for subwords in fitted.subwords()]
    log.info("%s subwords.", sizes[0] if config.shared else f"{sizes[0]} and {sizes[1]}")
    _say_what_is_left_out(fitted, sides)
    return fitted


def _say_what_is_left_out(fitted: Fitted, sides: Sequence[Sequence[str]]) -> None:
    """Suggests the number of tokens that nearly all pairs fit in."""
    counts = []
    for subwords, texts in zip(_uncut(fitted).subwords(), sides, strict=True):
        parts = np.array_split(np.array(texts, object), -(-len(texts) // 4096))
        lengths = [subwords(tf.constant(part.astype(str))).row_lengths().numpy() for part in parts]
        counts.append(np.concatenate(lengths))
    # A target has its end in addition.
    longest = np.maximum(counts[0], counts[1] + 1)
    suggestions.say_longer(longest, fitted.max_tokens, "pairs", "left out")


def _uncut(fitted: Fitted) -> Fitted:
    return dataclasses.replace(fitted, max_tokens=LONGEST)


def examples(config: DataConfig, fitted: Fitted, records: tf.data.Dataset) -> tf.data.Dataset:
    """({source, target: ids before each step}, ids at it) of every pair that is not too long."""
    source_subwords, target_subwords = (
        dataclasses.replace(fitted, max_tokens=fitted.max_tokens + 1)
    ).subwords()

    def pairs(batch):
        return source_subwords(batch["text"]), target_subwords(batch["translation"])

    def example(source, target):
        return {"source": source, "target": tf.concat([[START], target], 0)}, tf.concat(
            [target, [END]], 0
        )

    most = fitted.max_tokens
    fitting = batches.encoded(records, pairs).filter(
        lambda source, target: (tf.size(source) <= most) & (tf.size(target) <= most - 1)
    )
    return fitting.map(example)


def length(inputs: dict[str, tf.Tensor]) -> tf.Tensor:
    return tf.maximum(tf.shape(inputs["source"])[0], tf.shape(inputs["target"])[0])


DATA = Data(config=DataConfig, fitted=Fitted, load=load, fit=fit, examples=examples, length=length)
