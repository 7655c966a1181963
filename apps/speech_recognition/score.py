"""How good transcripts are, and which steps their symbols stand at."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rnnsuite.app import Asked, Score, Scoring
from rnnsuite.core.text import as_text
from rnnsuite.device import wave
from rnnsuite.tasks.transcription import score as transcription

from .data import Fitted
from .floor import floor

SHOWN = 3
"""Recordings whose symbols are drawn over their spectrograms."""
FFT = 512


def score(
    references: Sequence[Mapping[str, Any]],
    answers: Mapping[str, np.ndarray],
    fitted: Fitted | None = None,
) -> Score:
    """See `rnnsuite.tasks.transcription.score.score`.

    Args:
        references: records with `text` and `speaker`.
        answers: `text`, in the same order.
        fitted: knows the characters that can be answered.

    Returns:
        The score.
    """
    return transcription.score(references, answers, alphabet=fitted.tokens if fitted else ())


def ways(model: Asked, records: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Error rates of every way of asking: with the search, without it, and as a stream hears it."""
    names = {"serving_default": "search", "greedy": "no search", "causal": "stream, no search"}
    rows = []
    for signature, title in names.items():
        if signature in model.signatures:
            metrics = score(records, model.ask(records, signature)).metrics
            rows.append({"decoding": title, "wer": metrics["wer"], "cer": metrics["cer"]})
    return {"Ways of decoding": rows} if len(rows) > 1 else {}


def figures(ask: Callable, records: Sequence[Mapping[str, Any]]) -> dict[str, Callable[[], Any]]:
    """Spectrograms of some recordings, and below them when the network names which symbol."""
    places = np.linspace(0, len(records) - 1, min(SHOWN, len(records))).round().astype(int)
    titled = {f"Symbols over time {n}": records[place] for n, place in enumerate(places, 1)}
    return {title: functools.partial(_drawn, ask, record) for title, record in titled.items()}


def _drawn(ask: Callable, record: Mapping[str, Any]):
    from matplotlib.figure import Figure

    logs = np.asarray(ask([record], "logits")["log_probabilities"][0])
    answer = ask([record], "serving_default")
    samples, rate = wave.read(record["audio"])
    figure = Figure(figsize=(9, 4), layout="constrained")
    above, below = figure.subplots(2, sharex=True)
    above.specgram(samples + 1e-7, NFFT=FFT, Fs=rate, noverlap=FFT // 2, cmap="magma")
    above.set(ylabel="Hz", title=as_text(record["text"]))
    times = (np.arange(len(logs)) + 1) * len(samples) / rate / len(logs)
    below.plot(times, np.exp(logs[:, 0]), color="lightgrey", label="blank")
    for place in range(1, logs.shape[1]):
        if logs[:, place].max() > np.log(0.3):
            below.plot(times, np.exp(logs[:, place]), lw=1)
    words = zip(*(answer[name][0] for name in ("words", "starts", "ends")), strict=True)
    for word, start, end in words:
        if word:
            below.annotate(as_text(word), ((start + end) / 2, 1.05), ha="center", fontsize="small")
    below.set(xlabel="s", ylabel="probability", ylim=(0, 1.25))
    return figure


SCORING = Scoring(
    score=score,
    metrics=transcription.METRICS,
    primary="wer",
    every_epoch=transcription.EVERY_EPOCH,
    figures=figures,
    tables=ways,
    floor=floor,
)
