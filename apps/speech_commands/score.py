"""How good the answers are."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn import metrics

from rnnsuite.app import Score, Scoring
from rnnsuite.core.text import as_text
from rnnsuite.device import wave
from rnnsuite.tasks import classification

from .floor import floor

SHOWN = 8  # clips whose attention is drawn


def score(
    references: Sequence[Mapping[str, Any]], answers: Mapping[str, np.ndarray], fitted: Any = None
) -> Score:
    """See `rnnsuite.tasks.classification.score`; also detection errors and attention over time.

    Args:
        references: records with `audio` and `label`.
        answers: `label`, `probabilities` and `weights`, in the same order.
        fitted: not used.

    Returns:
        The score.

    Raises:
        UserError: on unlabelled records.
    """
    truth = np.array([as_text(record["label"]) for record in references])
    plots = {
        "Detection error tradeoff": functools.partial(
            _tradeoff, truth, np.asarray(answers["probabilities"])
        ),
        "Attention over time": functools.partial(_attention, references, answers),
    }
    return classification.score(references, answers, _shown, plots)


def _shown(record):
    samples, rate = wave.read(record["audio"])
    peak = 20 * np.log10(max(float(np.abs(samples).max(initial=0)), 1e-5))
    return {"seconds": round(len(samples) / rate, 2), "peak, dB": round(float(peak), 1)}


def _tradeoff(truth, probabilities):
    """Misses against false alarms of each class as its threshold moves (Martin et al. 1997)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.subplots()
    classes = sorted(set(truth))
    for number, name in enumerate(classes if len(classes) == probabilities.shape[1] else ()):
        false_alarms, misses, _ = metrics.det_curve(truth == name, probabilities[:, number])
        axes.plot(100 * false_alarms, 100 * misses, label=name.strip("_"), drawstyle="steps-post")
    axes.set(xlabel="false alarms, % of other clips", ylabel="misses, % of the word's clips")
    axes.set(xlim=(0, 20), ylim=(0, 20))
    axes.legend(fontsize="x-small")
    axes.grid(alpha=0.3)
    return figure


def _attention(references, answers):
    """The waveform of a few clips, right and wrong ones, and where the model listened."""
    from matplotlib.figure import Figure

    answered = [as_text(label) for label in answers["label"]]
    truth = [as_text(record["label"]) for record in references]
    wrong = [i for i in range(len(truth)) if answered[i] != truth[i]][: SHOWN // 2]
    first = {truth[i]: i for i in reversed(range(len(truth))) if answered[i] == truth[i]}
    chosen = [*list(first.values())[: SHOWN - len(wrong)], *wrong]
    figure = Figure(figsize=(10, 1.7 * -(-len(chosen) // 2)), layout="constrained")
    for place, i in enumerate(chosen):
        axes = figure.add_subplot(-(-len(chosen) // 2), 2, place + 1)
        weights = np.asarray(answers["weights"][i])
        samples = wave.clip(references[i]["audio"], len(weights) * 320)
        axes.plot(
            np.arange(len(samples)) / wave.RATE,
            samples / max(np.abs(samples).max(), 1e-5),
            lw=0.4,
            color="grey",
        )
        edges = np.arange(len(weights) + 1) * 0.02
        axes.stairs(weights / weights.max(), edges, color="tab:red")
        axes.set_title(
            truth[i] + ("" if answered[i] == truth[i] else f" (answer: {answered[i]})"),
            fontsize="small",
        )
        axes.set(yticks=[])
        if place >= len(chosen) - 2:
            axes.set_xlabel("s")
    return figure


SCORING = Scoring(score=score, metrics=classification.METRICS, primary="accuracy", floor=floor)
