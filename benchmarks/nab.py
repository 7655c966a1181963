"""The Numenta Anomaly Benchmark's score, as `rnnsuite.tasks.detection.nab` has it.

    python benchmarks/nab.py FOLDER              a detector whose results are published
    python benchmarks/nab.py FOLDER --model RUN  an anomaly detector, and what each part adds

FOLDER is the benchmark's repository, or a copy.
"""

import argparse
import dataclasses
import pathlib

import numpy as np
from scipy.special import erfc

from rnnsuite import catalog
from rnnsuite.data.channel_layouts import read_channels
from rnnsuite.data.channels import ChannelsConfig, runs
from rnnsuite.pipeline.run import Run
from rnnsuite.tasks.detection.nab import Scored, report

PUBLISHED = {
    "standard": 39.6,
    "reward_low_FP_rate": 20.9,
    "reward_low_FN_rate": 47.4,
}
"""Of the board in the repository's README, for its windowed Gaussian detector."""
WINDOW = 6400
STEP = 100
DIGITS = 12
"""Of the scores in the benchmark's result files."""


def windowed_gaussian(values: np.ndarray) -> np.ndarray:
    """One minus the tail of a normal distribution whose mean and deviation are those of the last
    `WINDOW` values, found anew with every value until the window is full, then every `STEP`.

    Args:
        values: `[time]`.

    Returns:
        Scores `[time]`, 0 for the first value.
    """
    scores = np.zeros(len(values))
    known = 0
    for place in range(1, len(values)):
        if place <= WINDOW or (place - WINDOW) % STEP == 0:
            known = place
        recent = values[max(known - WINDOW, 0) : known]
        distance = abs(values[place] - recent.mean()) / (recent.std() or 1e-6)
        # The detector divides by 1.4142, not by the square root of 2.
        scores[place] = 1 - 0.5 * erfc(distance / 1.4142)
    return np.round(scores, DIGITS)


def parts(folder: pathlib.Path, model: pathlib.Path) -> None:
    """Prints the scores of a run with all of its evidence, without each piece, by each alone, with
    another tail, and without silence after alarms.
    """
    app = catalog.find("anomaly_detection")
    config = Run(app, model).config()
    evidence = config.model.evidence
    settings = {"all": evidence}
    for piece in evidence:
        settings[f"without {piece}"] = tuple(name for name in evidence if name != piece)
    settings |= {f"{piece} alone": (piece,) for piece in evidence}
    changes = {name: {"evidence": pieces} for name, pieces in settings.items()}
    changes["tail by mean and deviation"] = {"tail": "likelihood"}
    for name, change in changes.items():
        patched = dataclasses.replace(config.model, **change)
        print_row(name, scores_of(app, model, folder, patched, config.sections["detect"].silence))
    print_row("all, no silence", scores_of(app, model, folder, config.model, 0))


def scores_of(app, model, folder, config, silence) -> list[float]:
    """The three profiles of a run's network with this evidence and tail."""
    import tensorflow as tf

    from apps.anomaly_detection.stream import scores
    from rnnsuite.layers import Chain
    from rnnsuite.layers.extremes import Rising

    trained = Run(app, model).trained()
    chain = Chain(scores=scores(trained.model, config, trained.fitted))
    rising = Rising(silence)

    @tf.function(input_signature=[tf.TensorSpec([1, None, len(trained.fitted.names)])])
    def follow(values):
        score = tf.reduce_max(chain.stream(values, chain.zeros(1))[0], axis=-1, keepdims=True)
        return rising.stream(score, rising.zeros(1))[0][0, :, 0]

    data = dataclasses.replace(trained.config.data, source=str(folder))
    corpus = []
    for record in app.data.load(data, "test").as_numpy_iterator():
        begin = int(record["begin"])
        score = follow(record["values"][None]).numpy()[begin:].astype(np.float64)
        windows = [(int(first), int(last)) for first, last in runs(record["labels"][begin:] == 1)]
        corpus.append(Scored(score, windows, begin=0))
    return [swept.score for swept in report(corpus).values()]


def print_row(name: str, values: list[float]) -> None:
    """One line of the table."""
    print(f"{name:30}" + "".join(f"{value:8.2f}" for value in values), flush=True)


def main() -> None:
    """Prints the score of every profile, of a published detector beside what is published."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--model", type=pathlib.Path)
    options = parser.parse_args()
    if options.model:
        parts(options.folder, options.model)
        return
    (series,) = read_channels(options.folder, ChannelsConfig()).values()
    corpus = [
        Scored(windowed_gaussian(each.values[:, 0].astype(np.float64)), each.anomalies or ())
        for each in series
    ]
    print(f"{len(corpus)} series, windowed Gaussian")
    for name, swept in report(corpus).items():
        print(f"{name:20} {swept.score:6.2f}   published {PUBLISHED[name]}")


if __name__ == "__main__":
    main()
