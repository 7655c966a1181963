"""Pairs of sentences: from a source to subword ids."""

import base64
import dataclasses
import functools
import gzip
import logging
import pathlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import tensorflow as tf

from rnnsuite.app import Data
from rnnsuite.core.errors import UserError
from rnnsuite.data import sources, splits, tables
from rnnsuite.inputs.subword import END, START, Subwords, learn_subwords, normalize

from .config import DataConfig
from .sample import TranslationSample

log = logging.getLogger(__name__)


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


def _source(config: DataConfig) -> tuple[Callable[[str], tf.data.Dataset], Iterable[str]]:
    if sources.is_built(config.source):
        _, read, names = sources.built(
            config.source, TranslationSample, config.splits, config.languages
        )
        return lambda split: read(split).map(functools.partial(_chosen, config)), names
    path = pathlib.Path(config.source).expanduser()
    places = splits.path_splits(path) if path.exists() else {"all": path}
    places |= {split: path / name for split, name in config.splits.items()}
    return lambda split: sources.from_records(_read(config, places[split])), places


def _chosen(config: DataConfig, record: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    return {"text": record[config.languages[0]], "translation": record[config.languages[1]]}


def _read(config: DataConfig, place: pathlib.Path) -> list[dict[str, bytes]]:
    skips = tables.Skips(config.on_error)
    records = []
    read = _read_table if place.suffix == ".tsv" else _read_lines
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


def _read_table(config: DataConfig, file: pathlib.Path, skips: tables.Skips) -> Iterator[tuple]:
    for line, row in tables.table(file, config.columns, skips):
        for name in config.languages:
            if name not in row:
                raise UserError(
                    f"{file}, line {line}: no column {name!r}; the columns are {', '.join(row)}. "
                    "Name them by language with data.columns where there is no header."
                )
        yield f"{file}, line {line}", *(row[name].encode() for name in config.languages)


def _read_lines(config: DataConfig, place: pathlib.Path, skips: tables.Skips) -> Iterator[tuple]:
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
    long = len(sides[0]) - int(
        examples(config, fitted, records).reduce(0, lambda count, _: count + 1)
    )
    if long:
        log.warning(
            "%d of %d pairs are longer than data.max_tokens; they are left out.",
            long,
            len(sides[0]),
        )
    return fitted


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

    dense = records.batch(256).map(pairs, num_parallel_calls=tf.data.AUTOTUNE).unbatch().map(_dense)
    most = fitted.max_tokens
    fitting = dense.filter(
        lambda source, target: (tf.size(source) <= most) & (tf.size(target) <= most - 1)
    )
    return fitting.map(example)


def _dense(*sides: Any) -> tuple:
    return tuple(side.to_tensor() if isinstance(side, tf.RaggedTensor) else side for side in sides)


def length(inputs: dict[str, tf.Tensor]) -> tf.Tensor:
    return tf.maximum(tf.shape(inputs["source"])[0], tf.shape(inputs["target"])[0])


DATA = Data(config=DataConfig, fitted=Fitted, load=load, fit=fit, examples=examples, length=length)
