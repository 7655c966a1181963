"""Speech recognition: weights of the fusion, and how long an answer takes.

    python benchmarks/speech_recognition.py sweep RUN LANGUAGE_MODEL [--beam 16]
    taskset -c 0 python benchmarks/speech_recognition.py speed SAVED_MODEL LITE.tflite SOUND.wav ...

`sweep` decodes the validation records of a run with a language model of several weights, and prints
word and character error rates. `speed` measures, after a call to begin with, the seconds that an
answer takes over those of the sound (real-time factor, least of five runs): of the SavedModel's
serving_default, whole, and of the .tflite file's stream in chunks of 160 ms; and how much
sound a stream hears before it shows the first word, and before the last one stands (s).
"""

import argparse
import dataclasses
import itertools
import json
import pathlib
import time
from typing import Any

import numpy as np
import tensorflow as tf

from apps.speech_recognition import APP
from apps.speech_recognition.serve import Follower
from rnnsuite.data.records import collect
from rnnsuite.device import wave
from rnnsuite.pipeline.inference.card import data_section, training_config
from rnnsuite.pipeline.inference.models import fitted_of, open_model
from rnnsuite.pipeline.inference.session import Session
from rnnsuite.tasks.sections import TranscribeConfig
from rnnsuite.tasks.transcription.alphabet import Alphabet
from rnnsuite.tasks.transcription.decoder import transcription

WEIGHTS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
BONUSES = (0.0, 0.5, 1.0, 2.0)
RUNS = 5
CHUNK_SAMPLES = 2560
"""Of a stream, 160 ms."""


def sweep(options: argparse.Namespace) -> None:
    """Prints a row for every pair of weights."""
    run = pathlib.Path(options.run)
    records = collect(APP.data.load(data_section(APP, run, None), "validation"))
    answers = open_model(APP, run).answer(records, "logits")
    steps = np.array(answers["steps"], np.int32)
    logs = np.zeros(
        [len(records), steps.max(), len(answers["log_probabilities"][0][0])], np.float32
    )
    for row, own in enumerate(answers["log_probabilities"]):
        logs[row, : steps[row]] = np.asarray(own)[: steps[row]]
    alphabet = Alphabet(fitted_of(APP, run).vocabulary())
    settings = TranscribeConfig(beam=options.beam, language_model=options.language_model)
    for weight, bonus in itertools.product(WEIGHTS, BONUSES):
        changed = dataclasses.replace(settings, language_weight=weight, word_bonus=bonus)
        decoder = transcription(alphabet, changed)
        search = tf.function(decoder.search, autograph=False)
        ids = search(tf.constant(logs), tf.constant(steps)).ids[:, 0]
        metrics = APP.scoring.score(records, {"text": alphabet.text(ids).numpy()}, None).metrics
        rates = f"wer {metrics['wer']:.4f} cer {metrics['cer']:.4f}"
        print(f"weight {weight:.1f} bonus {bonus:.1f}: {rates}", flush=True)


def speed(options: argparse.Namespace) -> None:
    """Prints real-time factors."""
    contents = [pathlib.Path(path).read_bytes() for path in options.sounds]
    seconds = sum(len(samples) / rate for samples, rate in map(wave.read, contents))
    model = open_model(APP, options.saved_model)
    records = [{"audio": content} for content in contents]
    whole = _least(lambda: [model.answer([record]) for record in records])
    session = Session(APP, pathlib.Path(options.lite), "stream")
    folder = pathlib.Path(options.lite).parent
    settings = json.loads((folder / "alphabet.json").read_text(encoding="utf-8"))
    size = settings["chunk"]
    chunks = [wave.whole(content, size).reshape(-1, 1, size) for content in contents]
    streamed = _least(lambda: [session({"samples": part}) for parts in chunks for part in parts])
    print(f"{len(contents)} recordings, {seconds:.1f} s")
    print(f"SavedModel, serving_default: real-time factor {whole / seconds:.3f}")
    print(f"{pathlib.Path(options.lite).name}, stream: real-time factor {streamed / seconds:.3f}")
    delays = [_latency(model, options, content) for content in contents]
    first, last = zip(*delays, strict=True)
    print(f"first word shown {np.nanmedian(first):.2f} s after it begins (median)")
    print(f"last word stands {np.nanmedian(last):.2f} s after it ends (median)")


def _latency(model: Any, options: argparse.Namespace, content: bytes) -> tuple[float, float]:
    """Seconds of sound from the first word's begin to the first text that is shown, and from the
    last one's end to the word that stands, where a pause of silence follows.
    """
    answer = model.answer([{"audio": content}])
    samples, rate = wave.read(content)
    silent = np.concatenate([samples, np.zeros(3 * rate, np.float32)])
    session = Session(APP, pathlib.Path(options.lite), "stream")
    model_path = pathlib.Path(options.saved_model)
    follower = Follower(training_config(APP, model_path), fitted_of(APP, model_path))
    heard = 0.0
    shown: list[float] = []
    stands: list[float] = []
    for part in wave.whole(wave.write(silent, rate), CHUNK_SAMPLES).reshape(-1, 1, CHUNK_SAMPLES):
        events = follower.feed(session({"samples": part}))
        heard += CHUNK_SAMPLES / wave.RATE
        shown += [heard for event in events if event["text"]]
        stands += [heard for event in events if event["is_final"]]
    starts = answer["starts"][0]
    ends = answer["ends"][0]
    if not shown or not stands or not len(starts):
        return float("nan"), float("nan")
    return shown[0] - float(starts[0]), stands[-1] - float(ends.max())


def _least(work) -> float:
    work()
    times = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    sweeping = commands.add_parser("sweep")
    sweeping.add_argument("run")
    sweeping.add_argument("language_model")
    sweeping.add_argument("--beam", type=int, default=16)
    sweeping.set_defaults(call=sweep)
    timing = commands.add_parser("speed")
    timing.add_argument("saved_model")
    timing.add_argument("lite")
    timing.add_argument("sounds", nargs="+")
    timing.set_defaults(call=speed)
    options = parser.parse_args()
    options.call(options)


if __name__ == "__main__":
    main()
