"""A speech-command model as a stream: accuracy on clips, time of a step, and events in a long
recording.

    python benchmarks/speech_commands.py MODEL ... --data path/to/speech_commands --split validation

For every MODEL (run, SavedModel folder or .tflite): the share of clips whose word the stream
hears, 20 ms after the other; milliseconds for each 20 ms; and F1 of the events in ten minutes
of clips at random times over noise, on threshold after threshold (drawn in --plot).
The noise is of other seeds than that of training. Onsets may be --tolerance seconds off.
"""

import argparse
import json
import pathlib
import time

import numpy as np

from rnnsuite import catalog
from rnnsuite.data.records import collect
from rnnsuite.device import events, wave
from rnnsuite.pipeline.inference.card import data_section, training_config
from rnnsuite.pipeline.inference.models import fitted_of, open_model
from rnnsuite.pipeline.inference.session import Session

STEP = 320


def steps(session: Session, samples: np.ndarray) -> np.ndarray:
    pieces = samples[: len(samples) // STEP * STEP].astype(np.float32).reshape(-1, 1, STEP)
    return np.concatenate([session({"samples": piece})["probabilities"] for piece in pieces])


def heard(rows: np.ndarray, background: int, window: int = 10) -> int:
    """The class of a clip from its steps, as the model's `Heard` layer says it."""
    words = np.array([number for number in range(rows.shape[1]) if number != background])
    happening = np.flatnonzero(rows[:, words].sum(axis=1) >= 0.5)
    if not len(happening):
        return int(rows.sum(axis=0).argmax())
    end = happening[-1] + 1
    return int(words[rows[max(end - window, 0) : end, words].sum(axis=0).argmax()])


def noise(length: int, rng: np.random.Generator) -> np.ndarray:
    """White to brown, its colour and loudness drifting."""
    hertz = np.maximum(np.fft.rfftfreq(length, 1 / wave.RATE), 20)
    kinds = [
        np.fft.irfft(np.fft.rfft(rng.normal(size=length)) / hertz**slope, length)
        for slope in (0, 0.5, 1)
    ]
    kinds = [each / each.std() for each in kinds]
    shares = [
        np.interp(np.arange(length), np.linspace(0, length, 60), rng.uniform(0, 1, 60))
        for _ in kinds
    ]
    mixed = sum(share * each for share, each in zip(shares, kinds, strict=True))
    return mixed / mixed.std()


def power(clip: np.ndarray) -> tuple[float, int, int]:
    """Mean square of the word in a clip, and its first and last sample."""
    from apps.speech_commands.examples import find_span

    first, last = (int(each) for each in find_span(clip).numpy())
    return float(np.mean(np.square(clip[first:last]))), first, last


def recording(
    records, minutes: float, snr: float, seed: int, level: bool = True
) -> tuple[np.ndarray, list]:
    """Clips at random times over noise, and where which word is.

    level: each word is made `snr` dB louder than the noise under it; otherwise the words are so on
    the average.
    """
    from apps.speech_commands.noise import SILENCE

    rng = np.random.default_rng(seed)
    words = [record for record in records if record["label"].decode() != SILENCE]
    length = round(minutes * 60 * wave.RATE)
    sound, truth, place = 0.02 * noise(length, rng), [], 0
    mean = np.mean([power(wave.clip(record["audio"], wave.RATE))[0] for record in words])
    while True:
        record = words[rng.integers(len(words))]
        place += round(rng.uniform(0.2, 2.5) * wave.RATE)
        clip = wave.clip(record["audio"], wave.RATE)
        if place + len(clip) > len(sound):
            break
        own, first, last = power(clip)
        under = np.mean(np.square(sound[place + first : place + last])) if level else 0.02**2
        sound[place : place + len(clip)] += clip * np.sqrt(
            under * 10 ** (snr / 10) / (own if level else mean)
        )
        start, end = (place + first) / wave.RATE, (place + last) / wave.RATE
        truth.append(events.Event(record["label"].decode(), start, end, 1.0))
        place += len(clip)
    return np.clip(sound, -1, 1), truth


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="+", type=pathlib.Path)
    parser.add_argument("--data")
    parser.add_argument("--split", default="validation")
    parser.add_argument("--clips", type=int, help="At most so many.  [default: all]")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--snr", type=float, default=10.0)
    parser.add_argument(
        "--average", action="store_true", help="The words are so much louder on the average only."
    )
    parser.add_argument("--tolerance", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", dest="settings")
    parser.add_argument("--plot", type=pathlib.Path)
    options = parser.parse_args()
    app = catalog.find("speech_commands")
    for model in options.models:
        settings = data_section(app, model, options.data, ["data.silence=0"])
        records = collect(app.data.load(settings, options.split), options.clips)
        print(json.dumps({"model": str(model), **measure(app, model, records, options)}))


def measure(app, model, records, options) -> dict:
    fitted = fitted_of(app, model)
    answers = open_model(app, model).answer(records)
    whole = app.scoring.score(records, answers, fitted).metrics["accuracy"]
    session, right, started = Session(app, model, "stream"), 0, time.perf_counter()
    for record in records:
        session.reset()
        label = fitted.labels[
            heard(
                steps(session, wave.clip(record["audio"], fitted.clip_samples)), fitted.background
            )
        ]
        right += label == record["label"].decode()
    spent = (time.perf_counter() - started) / (len(records) * fitted.clip_samples / STEP)
    sound, truth = recording(
        records, options.minutes, options.snr, options.seed, not options.average
    )
    session.reset()
    rows = steps(session, sound)
    stream = training_config(app, model, options.settings).sections["stream"]
    found = follow(app, stream, fitted, rows)
    scores = events.match(found, truth, options.tolerance)
    late = [
        min((e.start - t.start for e in found if e.label == t.label), key=abs, default=9)
        for t in truth
    ]
    late = [each for each in late if abs(each) < 1]
    if options.plot:
        draw(app, stream, fitted, rows, truth, options)
    return {
        "clips": len(records),
        "whole_accuracy": whole,
        "stream_accuracy": right / len(records),
        "step_ms": round(spent * 1e3, 3),
        "events": len(truth),
        "found": len(found),
        "f1": round(scores.f1, 4),
        "precision": round(scores.precision, 4),
        "recall": round(scores.recall, 4),
        "false_alarms_per_hour": round(scores.false_alarms * 60 / options.minutes, 1),
        "onset_late_s": [
            round(float(each), 3) for each in np.percentile(late or [0], [10, 50, 90])
        ],
    }


def follow(app, settings, fitted, rows) -> list[events.Event]:
    follower = app.serving.stream.follow(settings, fitted)
    return follower.detector.feed(rows) + follower.detector.end()


def draw(app, settings, fitted, rows, truth, options) -> None:
    """Misses against false alarms an hour as the threshold moves."""
    import dataclasses

    from matplotlib.figure import Figure

    points = []
    for threshold in np.linspace(0.2, 0.95, 31):
        found = follow(app, dataclasses.replace(settings, threshold=float(threshold)), fitted, rows)
        scores = events.match(found, truth, options.tolerance)
        points.append((scores.false_alarms * 60 / options.minutes, 100 * (1 - scores.recall)))
    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(*zip(*points, strict=True), marker=".")
    axes.set(xlabel="false alarms an hour", ylabel="words missed, %", xlim=0, ylim=0)
    axes.grid(alpha=0.3)
    figure.savefig(options.plot)


if __name__ == "__main__":
    main()
