"""Clips and labels: from a source to samples, with noise, silence and what is left out as classes of their own."""

import dataclasses
import functools
import hashlib
import logging
import pathlib
import re
from collections.abc import Callable, Iterable
from typing import Annotated, Literal

import numpy as np
import pydantic
import tensorflow as tf

from apps.speech_commands.sample import SpeechSample
from rnnsuite import sources
from rnnsuite.config import NotNegative, Share, section
from rnnsuite.errors import UserError
from rnnsuite.inputs import audio, recording, wave
from rnnsuite.progress import bar

log = logging.getLogger(__name__)
SILENCE, UNKNOWN, NOISES = "_silence_", "_unknown_", "_background_noise_"
STEP = 320  # samples that one step of the model covers: 20 ms
TAIL = 0.1  # seconds after a word in which a stream still says it
LISTS = {"validation": "validation_list.txt", "test": "testing_list.txt"}


@section
class Config:
    """What to read, how to hear it, and how to alter it in training.

    source: sample, tfds:NAME, or a folder of class folders of sound files, with or without
    train/validation/test folders around them; validation_list.txt and testing_list.txt are
    followed, otherwise a hash of the speaker (or file) divides.
    audio, label: the record's fields in a tensorflow-datasets source; splits: other names for its splits.
    validation, test: shares held out where the source has no such split.
    words: the classes; other folders become _unknown_. Empty for all of them.
    silence, unknown: clips of noise, and of other words, for each clip of a word.
    clip_seconds: what a clip is cut or filled up to. bins, coefficients: of log-mel; of MFCC, 0 for none.
    normalisation: of the features; "clip" has no streaming form.
    shift: seconds, either way. speed: share, either way. gain: dB, either way.
    noise: share of clips that noise is added to, at `snr` dB.
    on_error: what an unreadable file does.
    """

    source: str = "sample"
    audio: str = "audio"
    label: str = "label"
    splits: dict[Literal["train", "validation", "test"], str] = dataclasses.field(default_factory=dict)
    validation: Share = 0.1
    test: Share = 0.1
    words: tuple[str, ...] = ()
    silence: NotNegative = 0.1
    unknown: NotNegative = 0.1
    clip_seconds: Annotated[float, pydantic.Field(ge=0.2, le=30)] = 1.0
    bins: Annotated[int, pydantic.Field(ge=8, le=128)] = 40
    coefficients: Annotated[int, pydantic.Field(ge=0, le=128)] = 0
    normalisation: Literal["fixed", "running", "clip"] = "fixed"
    shift: NotNegative = 0.1
    speed: Annotated[float, pydantic.Field(ge=0, le=0.5)] = 0.1
    gain: NotNegative = 6.0
    noise: Annotated[float, pydantic.Field(ge=0, le=1)] = 0.8
    snr: tuple[float, float] = (0.0, 30.0)
    on_error: Literal["error", "skip"] = "error"


@dataclasses.dataclass(frozen=True)
class Fitted:
    """Learned on train: class names in the order of their numbers, and each feature's mean and deviation.

    The rest says how sound becomes features, as the configuration has it.
    """

    labels: tuple[str, ...]
    clip_samples: int
    bins: int
    coefficients: int
    normalisation: Literal["fixed", "running", "clip"]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @property
    def background(self) -> int:
        """The number of the class that stands for no word; -1 where there is none."""
        return self.labels.index(SILENCE) if SILENCE in self.labels else -1


def load(config: Config, split: str) -> tf.data.Dataset:
    """Records `{audio, label}` of one split: the bytes of a WAV file, and a class name. Raises UserError."""
    if sources.is_built(config.source):
        records, count, names = _prepared(config, split)
    else:
        records, count, names = _folders(config, split)
    more = 0 if SILENCE in names else round(config.silence * count)
    return records.concatenate(_silence(config, split, more)) if more else records


def _prepared(config: Config, split: str) -> tuple[tf.data.Dataset, int, set[str]]:
    fields = (config.audio, config.label)
    builder, read, splits = sources.built(config.source, SpeechSample, config.splits, fields)

    def chosen(record):
        return {"audio": _wav(record[config.audio]), "label": record[config.label]}

    records = sources.with_validation(lambda name: read(name).map(chosen), splits, split, "audio", config.validation)
    if config.words:
        words = tf.constant([*config.words, SILENCE])
        records = records.map(
            lambda record: {
                **record,
                "label": tf.where(tf.reduce_any(record["label"] == words), record["label"], UNKNOWN),
            }
        )
    names = getattr(builder.info.features[config.label], "names", None) or ()
    count = builder.info.splits[splits.get(split, splits["train"])].num_examples
    if "validation" not in splits:
        count *= {"train": 1 - config.validation, "validation": config.validation}.get(split, 1)
    return records, round(count), set(names)


def _wav(samples: tf.Tensor) -> tf.Tensor:
    values = tf.cast(samples, tf.float32) / (1.0 if samples.dtype.is_floating else 32768.0)
    return tf.audio.encode_wav(values[:, None], wave.RATE)


def _folders(config: Config, split: str) -> tuple[tf.data.Dataset, int, set[str]]:
    root = pathlib.Path(config.source).expanduser()
    found = _files(config, root)
    if split not in found:
        raise UserError(f"{root} has no {split} split; it has {', '.join(sorted(found))}.")
    if split == "train":
        _warn_of_shared_speakers(root, found)
    skips = sources.Skips(config.on_error)
    files = bar(found[split], desc="files", unit="file", disable=len(found[split]) < 5000)
    known = [(file, label) for file, label in files if _usable(file, skips)]
    skips.report(root)
    words, others = _chosen(config, known)
    if not words:
        raise UserError(
            f"{root}: the {split} split has no usable sound files of {', '.join(config.words) or 'any class'}."
        )
    kept = [*words, *((file, UNKNOWN) for file, _ in others[: round(config.unknown * len(words))])]
    records = tf.data.Dataset.from_tensor_slices(
        {"path": [str(file) for file, _ in kept], "label": [label for _, label in kept]}
    )

    def read(record):
        content = tf.numpy_function(
            lambda path: recording.as_wav(pathlib.Path(path.decode())), [record["path"]], tf.string
        )
        return {"audio": tf.ensure_shape(content, []), "label": record["label"]}

    return records.map(read, num_parallel_calls=tf.data.AUTOTUNE), len(words), {label for _, label in kept}


def _chosen(config: Config, files: list) -> tuple[list, list]:
    """Files of the classes, and of the other words in an order that has no order."""
    missing = set(config.words) - {label for _, label in files}
    if missing:
        raise UserError(f"{config.source} has no folders for {', '.join(sorted(missing))} (data.words).")
    if not config.words:
        return files, []
    others = [each for each in files if each[1] not in config.words]
    others.sort(key=lambda each: hashlib.sha1(f"{each[1]}/{each[0].name}".encode()).digest())
    return [each for each in files if each[1] in config.words], others


def _usable(file: pathlib.Path, skips: sources.Skips) -> bool:
    fault = recording.check(file)
    if fault:
        skips(f"{file}: {fault}.")
    return not fault


def _files(config: Config, root: pathlib.Path) -> dict[str, list[tuple[pathlib.Path, str]]]:
    """Every split's files with their classes."""
    places = sources.splits_of(root)
    found = {
        split: sources.class_folders(place, recording.SUFFIXES, ignored=(NOISES,)) for split, place in places.items()
    }
    whole = "all" if "all" in found else "train"
    if whole not in found or {"train", "validation"} <= found.keys():
        return found
    if whole == "all" and any((root / name).is_file() for name in LISTS.values()):
        lists = {split: set(_lines(root / name)) for split, name in LISTS.items()}
        of = {f"{file.parent.name}/{file.name}": split for split, names in lists.items() for file, _ in found["all"]
              if f"{file.parent.name}/{file.name}" in names}  # fmt: skip
    else:
        shares = {"validation": config.validation, **({"test": config.test} if whole == "all" else {})}
        of = {f"{file.parent.name}/{file.name}": _drawn(file.name, shares) for file, _ in found[whole]}
    divided: dict[str, list] = {"train": [], "validation": [], **({"test": []} if whole == "all" else {})}
    for file, label in found[whole]:
        divided[of.get(f"{file.parent.name}/{file.name}", "train")].append((file, label))
    return {**found, **divided}


def _lines(path: pathlib.Path) -> list[str]:
    return path.read_text(encoding="utf-8").split() if path.is_file() else []


def _drawn(name: str, shares: dict[str, float]) -> str:
    """A split by the hash of the speaker in a file's name, as Google's own lists were made (arXiv 1804.03209)."""
    most = 2**27 - 1
    place = int(hashlib.sha1(_speaker(name).encode()).hexdigest(), 16) % (most + 1) / most
    for split, share in shares.items():
        if place < share:
            return split
        place -= share
    return "train"


def _speaker(name: str) -> str:
    return re.sub(r"_nohash_.*$", "", name)


def _warn_of_shared_speakers(root: pathlib.Path, found: dict[str, list]) -> None:
    speakers = {
        split: {_speaker(file.name) for file, _ in files if "_nohash_" in file.name} for split, files in found.items()
    }
    for split in ("validation", "test"):
        shared = speakers["train"] & speakers.get(split, set())
        if shared:
            log.warning(
                "%s: %d speakers of train are in %s too (%s ...): its scores will be too good.",
                root, len(shared), split, ", ".join(sorted(shared)[:3]),
            )  # fmt: skip


@functools.lru_cache(maxsize=2)
def noises(source: str) -> np.ndarray:
    """Background noise at 16 kHz, `[stretches, samples]` of ten seconds: the source's own, or synthesised.

    The source's is what lies in its _background_noise_ folder. Synthesised: white, pink,
    brown and hum, and each of them in gusts.
    """
    length = 10 * wave.RATE
    place = pathlib.Path(source).expanduser()
    files = sorted(file for each in place.glob(f"**/{NOISES}") for file in each.iterdir()
                   if file.suffix in recording.SUFFIXES) if place.is_dir() else []  # fmt: skip
    stretches = [block for file in files for block in recording.blocks(file, length)]
    return np.stack(stretches or list(_synthesised(length))).astype(np.float32)


def _synthesised(length: int) -> Iterable[np.ndarray]:
    rng = np.random.default_rng(0)
    hertz = np.maximum(np.fft.rfftfreq(length, 1 / wave.RATE), 20)
    for slope in (0.0, 0.5, 1.0, 0.75):  # white, pink, brown, between
        for gusts in (False, True):
            noise = np.fft.irfft(np.fft.rfft(rng.normal(size=length)) / hertz**slope)
            if slope == 0.75:
                times = np.arange(length) / wave.RATE
                hum = sum(np.sin(2 * np.pi * 50 * k * times + rng.uniform(0, 6)) / k for k in range(1, 12))
                noise = noise / noise.std() + 0.5 * hum
            if gusts:
                steps = rng.normal(size=41).repeat(length // 40)[:length]
                noise = noise * np.exp(np.convolve(steps, np.hanning(8000) / 4000, "same"))
            yield 0.1 * noise / noise.std()


def _silence(config: Config, split: str, count: int) -> tf.data.Dataset:
    """Records of noise alone, at -70 to -20 dB of full scale."""
    bank, samples = noises(config.source), round(config.clip_seconds * wave.RATE)
    rng = np.random.default_rng([ord(letter) for letter in split])
    contents = []
    for _ in range(count):
        row = bank[rng.integers(len(bank))]
        part = np.resize(np.roll(row, rng.integers(len(row))), samples)
        level = 10 ** (rng.uniform(-70, -20) / 20)
        contents.append(wave.write(level * part / max(float(part.std()), 1e-4)))
    return tf.data.Dataset.from_tensor_slices({"audio": contents, "label": [SILENCE] * count})


def fit(config: Config, records: tf.data.Dataset) -> Fitted:
    """Class names, and the mean and deviation of every feature. Raises UserError where there is only one class."""
    labels = sources.classes(records, config.source)
    if config.normalisation == "clip":
        log.info("Features are normalised by the clip: there will be no streaming form.")
    count = round(config.clip_seconds * wave.RATE / STEP) * STEP
    features = audio.LogMel(config.bins, config.coefficients)
    total, squares, seen = 0.0, 0.0, 0
    batches = records.map(lambda record: audio.clip(record["audio"], count), num_parallel_calls=tf.data.AUTOTUNE)
    for batch in batches.batch(64).map(features):
        values = batch.numpy().reshape(-1, features.width).astype(np.float64)
        total, squares, seen = total + values.sum(axis=0), squares + np.square(values).sum(axis=0), seen + len(values)
    mean = total / seen
    deviation = np.sqrt(np.maximum(squares / seen - mean**2, 1e-4))
    log.info("%d classes, %d clips.", len(labels), seen * audio.HOP // count)
    means, deviations = (tuple(float(value) for value in each) for each in (mean, deviation))
    return Fitted(labels, count, config.bins, config.coefficients, config.normalisation, means, deviations)


def examples(config: Config, fitted: Fitted, records: tf.data.Dataset) -> tf.data.Dataset:
    """(samples `[clip_samples]`, targets) of every record.

    targets: `label`, the class number; `span`, where in the clip something sounds, in samples
    `[2]`; `steps`, the class number of every 20 ms, -1 where none is known.
    """
    numbers = sources.class_numbers(fitted.labels)

    def example(record):
        samples, label = audio.clip(record["audio"], fitted.clip_samples), numbers(record["label"])
        return samples, _targets(fitted, label, tf.where(label == fitted.background, 0.0, span(samples)))

    return records.map(example, num_parallel_calls=tf.data.AUTOTUNE)


def _targets(fitted: Fitted, label: tf.Tensor, span: tf.Tensor) -> dict[str, tf.Tensor]:
    ends = tf.cast(tf.range(1, fitted.clip_samples // STEP + 1) * STEP, tf.float32)
    within = (ends > span[0]) & (ends <= span[1] + TAIL * wave.RATE) & (span[1] > span[0])
    return {"label": label, "span": span, "steps": tf.where(within, label, fitted.background)}


def span(samples: tf.Tensor) -> tf.Tensor:
    """First and last sample of the loudest stretch: 10 ms pieces that stand out of the floor, with gaps up to 0.2 s."""
    pieces = tf.reshape(samples[: tf.size(samples) // 160 * 160], [-1, 160])
    loudness = 10 * tf.experimental.numpy.log10(tf.reduce_mean(tf.square(pieces), axis=1) + 1e-9)
    loudness = tf.nn.avg_pool1d(loudness[None, :, None], 3, 1, "SAME")[0, :, 0]
    peak, place = tf.reduce_max(loudness), tf.argmax(loudness, output_type=tf.int32)
    floor = tf.sort(loudness)[tf.size(loudness) // 10]
    loud = tf.cast(loudness > tf.maximum(floor, peak - 45) * 0.6 + peak * 0.4, tf.float32)
    gap = 10
    joined = tf.nn.max_pool1d(loud[None, :, None], 2 * gap + 1, 1, "SAME")[0, :, 0] > 0
    places = tf.range(tf.size(loudness))
    first = tf.reduce_max(tf.where(~joined & (places < place), places + 1, 0))
    last = tf.reduce_min(tf.where(~joined & (places > place), places, tf.size(loudness)))
    held = tf.where((loud > 0) & (places >= first) & (places < last))[:, 0]
    ends = tf.stack([tf.reduce_min(held), tf.reduce_max(held) + 1])
    return tf.cast(ends * 160, tf.float32)


def augment(config: Config, fitted: Fitted) -> Callable:
    """Speed, time shift, noise at a drawn signal-to-noise ratio, and gain, each drawn for every clip and epoch."""
    bank = tf.constant(noises(config.source)) if config.noise else None
    count = fitted.clip_samples

    def uniform(seed, low, high):
        return tf.random.stateless_uniform([], seed, low, high)

    def altered(samples, targets, seed):
        seeds = tf.random.split(tf.cast(seed, tf.int32), 7)
        span = targets["span"]
        if config.speed:
            rate = uniform(seeds[0], (1 - config.speed) * wave.RATE, (1 + config.speed) * wave.RATE)
            samples = audio.interpolate(samples, tf.cast(rate, tf.int32), count, half_width=4)
            span = span * wave.RATE / rate
        if config.shift:
            samples, span = _shifted(samples, span, uniform(seeds[1], -config.shift, config.shift) * wave.RATE)
        if config.noise:
            part = _part(bank, count, seeds[2], seeds[3])
            first, last = tf.cast(tf.minimum(span, count - 1), tf.int32)[0], tf.cast(span, tf.int32)[1]
            level = tf.sqrt(_power(samples[first : last + 1]) / _power(part))
            amount = level * tf.pow(10.0, -uniform(seeds[4], *config.snr) / 20)
            samples += part * tf.where(uniform(seeds[5], 0, 1) < config.noise, amount, 0.0)
        loudness = tf.pow(10.0, uniform(seeds[6], -config.gain, config.gain + 1e-6) / 20)
        samples = tf.ensure_shape(tf.clip_by_value(samples * loudness, -1.0, 1.0), [count])
        return samples, _targets(fitted, targets["label"], span)

    return altered


def _power(samples):
    return tf.reduce_mean(tf.square(samples)) + 1e-8


def _shifted(samples, span, by):
    """Moved to later, or earlier where `by` is negative; silence comes in, and what is moved out is lost."""
    by, count = tf.cast(by, tf.int32), tf.size(samples)
    samples = tf.pad(samples, [[tf.maximum(by, 0), tf.maximum(-by, 0)]])[tf.maximum(-by, 0) :][:count]
    return samples, tf.clip_by_value(span + tf.cast(by, tf.float32), 0.0, tf.cast(count, tf.float32))


def _part(bank, count, seed, other):
    row = tf.random.stateless_uniform([], seed, 0, bank.shape[0], tf.int32)
    start = tf.random.stateless_uniform([], other, 0, max(bank.shape[1] - count, 1), tf.int32)
    return tf.pad(bank[row, start : start + count], [[0, max(count - bank.shape[1], 0)]])


def length(samples: tf.Tensor) -> tf.Tensor:
    return tf.shape(samples)[0]
