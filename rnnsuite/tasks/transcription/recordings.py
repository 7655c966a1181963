"""Recordings and what is said in them: from a source of files to WAV bytes and texts."""

import dataclasses
import itertools
import pathlib
from collections.abc import Iterable, Sequence

import numpy as np
import soundfile
import tensorflow as tf

from rnnsuite.core.errors import UserError
from rnnsuite.data import people, sources
from rnnsuite.data.notes import Skips
from rnnsuite.data.transcript_layouts import read_utterances
from rnnsuite.data.transcripts import TranscriptsConfig, Utterance, normalised
from rnnsuite.device import wave
from rnnsuite.inputs import audio, sound_files, waveform

MEASURED = 500
"""Recordings from which mean and deviation of features are taken."""


def load(
    config: TranscriptsConfig, split: str, hop: int, is_spelled: bool = True
) -> tf.data.Dataset:
    """Records `{audio, text, speaker, id}` of one split: the bytes of a WAV file, and what is said.

    Args:
        config: where recordings and transcripts are, and how transcripts are written.
        split: the one wanted; speakers are divided where the source has no splits.
        hop: samples of a step of the network.
        is_spelled: whether every character needs a step of its own: what is too short for its text
            is left out of training.

    Returns:
        The records.

    Raises:
        UserError: on unusable data.
    """
    chosen = people.of_split(
        config.source, _utterances(config), split, config.validation, config.test
    )
    usable = _usable(config, split, chosen, hop if is_spelled else 0)
    rows = [
        {"path": str(item.path), "text": item.text, "speaker": item.person, "id": item.id}
        for item in usable
    ]

    def read(record):
        content = tf.numpy_function(_read_wav, [record["path"]], tf.string)
        rest = {name: record[name] for name in ("text", "speaker", "id")}
        return {"audio": tf.ensure_shape(content, []), **rest}

    return sources.from_records(rows).map(read, num_parallel_calls=tf.data.AUTOTUNE)


def known_splits(config: TranscriptsConfig) -> Iterable[str]:
    """Of a source of files."""
    return people.split_names(_utterances(config))


def _utterances(config: TranscriptsConfig) -> dict[str, list[Utterance]]:
    return read_utterances(pathlib.Path(config.source).expanduser(), config)


def _read_wav(path: bytes) -> bytes:
    return sound_files.as_wav(pathlib.Path(path.decode()))


def _usable(
    config: TranscriptsConfig, split: str, utterances: Sequence[Utterance], hop: int
) -> list[Utterance]:
    """Utterances that can be read and learned; their transcripts normalised."""
    skips = Skips(config.on_error)
    usable = []
    for utterance in utterances:
        text = normalised(utterance.text, config)
        fault = sound_files.check(utterance.path) if utterance.path.is_file() else "no such file"
        if fault:
            skips(f"{utterance.path}: {fault}.")
        elif not text:
            skips(f"{utterance.path}: the transcript {utterance.text!r} has no word.")
        elif split == "train" and (reason := _unfit(config, utterance.path, text, hop)):
            skips.leave_out(f"{utterance.path}: {reason}.")
        else:
            usable.append(dataclasses.replace(utterance, text=text))
    skips.report(f"{config.source}, {split}")
    if not usable:
        raise UserError(f"{config.source}: the {split} split has no usable recordings.")
    return usable


def _unfit(config: TranscriptsConfig, path: pathlib.Path, text: str, hop: int) -> str:
    """Why a recording cannot be trained on; empty where it can. hop: 0 where no step is needed."""
    info = soundfile.info(str(path))
    seconds = info.frames / info.samplerate
    if not config.shortest <= seconds <= config.longest:
        return f"{seconds:.1f} s, not {config.shortest:g} to {config.longest:g} (data.longest)"
    steps = int(seconds * wave.RATE) // hop if hop else len(text)
    needed = len(text) + sum(before == after for before, after in itertools.pairwise(text))
    if hop and needed > steps:
        return f"{len(text)} characters in {seconds:.1f} s need {needed} steps; there are {steps}"
    return ""


def moments(
    features: audio.LogMel, records: tf.data.Dataset, hop: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation of each feature, over the first recordings.

    Args:
        features: of samples.
        records: see `load`.
        hop: samples of a step.
    """
    total = np.zeros(())
    squares = np.zeros(())
    frames = 0
    every_sound = records.take(MEASURED).map(lambda record: waveform.whole(record["audio"], hop))
    for samples in every_sound:
        values = features(samples[None])[0].numpy().astype(np.float64)
        total = total + values.sum(axis=0)
        squares = squares + np.square(values).sum(axis=0)
        frames += len(values)
    mean = total / max(frames, 1)
    deviation = np.sqrt(np.maximum(squares / max(frames, 1) - mean**2, 1e-4))
    return tuple(mean.tolist()), tuple(deviation.tolist())
