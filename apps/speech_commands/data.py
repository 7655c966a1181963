"""Clips and labels: from a source to records, with noise and other words as classes."""

import hashlib
import logging
import pathlib
import re

import tensorflow as tf

from rnnsuite.app import Data
from rnnsuite.core.errors import NoSplit, UserError
from rnnsuite.core.progress import bar
from rnnsuite.data import labels, sources, splits
from rnnsuite.data.notes import Skips
from rnnsuite.device import wave
from rnnsuite.inputs import sound_files
from rnnsuite.inputs.noise import FOLDER

from .augment import augment
from .config import DataConfig
from .examples import Fitted, examples, fit, length
from .noise import SILENCE, silence
from .sample import SpeechSample

log = logging.getLogger(__name__)
UNKNOWN = "_unknown_"
LISTS = {"validation": "validation_list.txt", "test": "testing_list.txt"}
Files = list[tuple[pathlib.Path, str]]


def load(config: DataConfig, split: str) -> tf.data.Dataset:
    """Records `{audio, label}` of one split: the bytes of a WAV file, and a class name.

    Raises:
        UserError: on unusable data.
    """
    read = _load_built if sources.is_built(config.source) else _load_folders
    records, count, names = read(config, split)
    noise_clips = 0 if SILENCE in names else round(config.silence * count)
    return records.concatenate(silence(config, split, noise_clips)) if noise_clips else records


def _load_built(config: DataConfig, split: str) -> tuple[tf.data.Dataset, int, set[str]]:
    """Records, how many, and the class names that the source has."""
    fields = (config.audio, config.label)
    builder, read, names = sources.built(config.source, SpeechSample, config.splits, fields)

    def select(record):
        return {"audio": _wav(record[config.audio]), "label": record[config.label]}

    records = splits.with_validation(
        lambda name: read(name).map(select), names, split, "audio", config.validation
    )
    if config.words:
        words = tf.constant([*config.words, SILENCE])

        def rename(record):
            is_known = tf.reduce_any(record["label"] == words)
            return {**record, "label": tf.where(is_known, record["label"], UNKNOWN)}

        records = records.map(rename)
    classes = getattr(builder.info.features[config.label], "names", None) or ()
    slices = names.get(split, names["train"])
    count = builder.info.splits[slices].num_examples
    if "validation" not in names:
        held_out = config.validation
        count *= {"train": 1 - held_out, "validation": held_out}.get(split, 1)
    return records, round(count), set(classes)


def _wav(samples: tf.Tensor) -> tf.Tensor:
    scale = 1.0 if samples.dtype.is_floating else 32768.0
    return tf.audio.encode_wav(tf.cast(samples, tf.float32)[:, None] / scale, wave.RATE)


def _load_folders(config: DataConfig, split: str) -> tuple[tf.data.Dataset, int, set[str]]:
    """Records, how many of words, and their class names."""
    root = pathlib.Path(config.source).expanduser()
    by_split = _files(config, root)
    if split not in by_split:
        raise NoSplit(f"{root} has no {split} split; it has {', '.join(sorted(by_split))}.")
    if split == "train":
        _warn_of_shared_speakers(root, by_split)
    chosen = _usable(config, root, split, by_split[split])
    paths = {"path": [str(file) for file, _ in chosen], "label": [label for _, label in chosen]}

    def read(record):
        content = tf.numpy_function(_read_wav, [record["path"]], tf.string)
        return {"audio": tf.ensure_shape(content, []), "label": record["label"]}

    records = tf.data.Dataset.from_tensor_slices(paths)
    records = records.map(read, num_parallel_calls=tf.data.AUTOTUNE)
    words = sum(label != UNKNOWN for _, label in chosen)
    return records, words, {label for _, label in chosen}


def _read_wav(path: bytes) -> bytes:
    return sound_files.as_wav(pathlib.Path(path.decode()))


def _usable(config: DataConfig, root: pathlib.Path, split: str, files: Files) -> Files:
    """Readable files of the classes, and some of the other words as _unknown_."""
    skips = Skips(config.on_error)
    readable = []
    for file, label in bar(files, desc="files", unit="file", disable=len(files) < 5000):
        fault = sound_files.check(file)
        if fault:
            skips(f"{file}: {fault}.")
        else:
            readable.append((file, label))
    skips.report(root)
    words, others = _by_class(config, readable)
    if not words:
        classes = ", ".join(config.words) or "any class"
        raise UserError(f"{root}: the {split} split has no usable sound files of {classes}.")
    unknown = others[: round(config.unknown * len(words))]
    return [*words, *((file, UNKNOWN) for file, _ in unknown)]


def _by_class(config: DataConfig, files: Files) -> tuple[Files, Files]:
    """Files of the classes, and of the other words, shuffled by a hash."""
    missing = set(config.words) - {label for _, label in files}
    if missing:
        names = ", ".join(sorted(missing))
        raise UserError(f"{config.source} has no folders for {names} (data.words).")
    if not config.words:
        return files, []
    others = [pair for pair in files if pair[1] not in config.words]
    others.sort(key=lambda pair: _sha1(f"{pair[1]}/{pair[0].name}").digest())
    return [pair for pair in files if pair[1] in config.words], others


def _files(config: DataConfig, root: pathlib.Path) -> dict[str, Files]:
    """Every split's files with their classes."""
    by_split = {
        split: labels.class_folders(folder, sound_files.SUFFIXES, ignored=(FOLDER,))
        for split, folder in splits.path_splits(root).items()
    }
    whole = splits.WHOLE if splits.WHOLE in by_split else "train"
    if whole not in by_split or {"train", "validation"} <= by_split.keys():
        return by_split
    names = ["train", "validation", *(["test"] if whole == splits.WHOLE else [])]
    divided: dict[str, Files] = {name: [] for name in names}
    split_of = _division(config, root, whole, by_split[whole])
    for file, label in by_split[whole]:
        divided[split_of.get(_key(file), "train")].append((file, label))
    return {**by_split, **divided}


def _key(file: pathlib.Path) -> str:
    return f"{file.parent.name}/{file.name}"


def _division(config: DataConfig, root: pathlib.Path, whole: str, files: Files) -> dict[str, str]:
    """The split of files, by the lists beside them or by a hash of the speaker."""
    if whole == splits.WHOLE and any((root / name).is_file() for name in LISTS.values()):
        listed = {split: set(_lines(root / name)) for split, name in LISTS.items()}
        return {key: split for split, keys in listed.items() for key in keys}
    shares = {"validation": config.validation}
    if whole == splits.WHOLE:
        shares["test"] = config.test
    return _by_speaker(files, shares)


def _by_speaker(files: Files, shares: dict[str, float]) -> dict[str, str]:
    """The splits of files by their speakers, with every class in each where there are enough."""
    split_of = {}
    rest = files
    before = 0
    for split, share in shares.items():
        speakers = [_speaker(file.name) for file, _ in rest]
        buckets = [int(_position(speaker) * splits.BUCKETS) - before for speaker in speakers]
        held = splits.held_out(speakers, buckets, share, [label for _, label in rest])
        split_of |= {_key(file): split for (file, _), out in zip(rest, held, strict=True) if out}
        rest = [pair for pair, out in zip(rest, held, strict=True) if not out]
        before += round(share * splits.BUCKETS)
    return split_of


def _lines(path: pathlib.Path) -> list[str]:
    return path.read_text(encoding="utf-8").split() if path.is_file() else []


def split_by_speaker(name: str, shares: dict[str, float]) -> str:
    """A split by a hash of the speaker in a file's name, as Google's lists (arXiv 1804.03209).

    Args:
        name: of the file, such as 1a2b_nohash_0.wav.
        shares: of the splits beside train.

    Returns:
        One of them, or train.
    """
    position = _position(_speaker(name))
    for split, share in shares.items():
        if position < share:
            return split
        position -= share
    return "train"


def _position(speaker: str) -> float:
    most = 2**27 - 1
    return int(_sha1(speaker).hexdigest(), 16) % (most + 1) / most


def _speaker(name: str) -> str:
    return re.sub(r"_nohash_.*$", "", name)


def _warn_of_shared_speakers(root: pathlib.Path, found: dict[str, Files]) -> None:
    speakers = {
        split: {_speaker(file.name) for file, _ in files if "_nohash_" in file.name}
        for split, files in found.items()
    }
    for split in ("validation", "test"):
        shared = speakers["train"] & speakers.get(split, set())
        if shared:
            log.warning(
                "%s: %d speakers of train are in %s too (%s ...): its scores will be too good.",
                root,
                len(shared),
                split,
                ", ".join(sorted(shared)[:3]),
            )


DATA = Data(
    config=DataConfig,
    fitted=Fitted,
    load=load,
    fit=fit,
    examples=examples,
    length=length,
    augment=augment,
    label="label",
)


def _sha1(text: str):
    """Spreads names evenly, as the data set's own splits do; it protects nothing."""
    return hashlib.sha1(text.encode(), usedforsecurity=False)
