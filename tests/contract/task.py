"""What every application of one kind promises, checked of a trained and exported one."""

import itertools
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from rnnsuite.core.errors import UserError
from rnnsuite.core.fields import Record
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.inference.models import fitted_of
from rnnsuite.pipeline.inference.session import Session
from rnnsuite.tasks import classification
from tests.conftest import Finished

KINDS = {
    "classification": {"label", "probabilities"},
    "generation": {"score"},
    "detection": {"score", "threshold", "event"},
    "events": {"probabilities", "event", "confidence"},
    "transcription": {"text", "words", "starts", "ends"},
}
"""Kinds of tasks, by what serving_default answers with."""
WRITES = {"greedy", "nbest"}
"""Signatures of every application that generates."""
DRAWS = ("sample", "generate")
"""Names of the signature that draws."""


def kind_of(finished: Finished) -> str | None:
    """The kind of task that an application is of, told by how it can be asked."""
    answer = set(finished.app.serving.answer.__dataclass_fields__)
    if answer >= KINDS["classification"]:
        return "classification"
    for kind in ("detection", "events", "transcription"):
        if answer >= KINDS[kind]:
            return kind
    signatures = set(finished.open("saved_model").signatures)
    return "generation" if signatures >= WRITES else None


def verify_classification(finished: Finished, records: Sequence[Record]) -> None:
    """Shares sum to 1, the label is the largest one's, and labels.txt is in their order."""
    labels = list(fitted_of(finished.app, finished.run).labels)
    answers = finished.open("saved_model").answer(records)
    shares = np.stack(list(answers["probabilities"]))
    assert shares.shape == (len(records), len(labels))
    assert np.all(shares >= 0)
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
    assert [label.decode() for label in answers["label"]] == [
        labels[row.argmax()] for row in shares
    ]
    if finished.app.serving.device:
        assert classification.read_labels(finished.lite) == labels
    assert finished.app.scoring is not None
    assert finished.app.scoring.metrics == classification.METRICS
    unlabelled = [{**record, "label": b""} for record in records]
    with pytest.raises(UserError, match="records without a label"):
        finished.app.scoring.score(unlabelled, answers, None)


def verify_generation(finished: Finished, records: Sequence[Record]) -> None:
    """Beam search, greedy search and sampling agree where they must."""
    model = finished.open("saved_model")
    name = next(key for key in finished.app.serving.answer.__dataclass_fields__ if key != "score")
    best = model.answer(records)
    greedy = model.answer(records, "greedy")
    several = model.answer(records, "nbest")
    draws = next(signature for signature in DRAWS if signature in model.signatures)
    if draws == "sample":  # otherwise serving_default draws, too, and is not the best
        _n_best_begins_with_the_best(name, best, several)
    one = model.answer(records, "nbest", {"beam": 1, "length_penalty": 0})
    assert [row[0] for row in one[name]] == list(greedy[name])
    np.testing.assert_allclose([row[0] for row in one["score"]], list(greedy["score"]), atol=1e-4)
    for options in ({"temperature": 0.0}, {"temperature": 3.0, "top_k": 1}):
        drawn = model.answer(records, draws, options)
        assert list(drawn[name]) == list(greedy[name])
    hot = {"temperature": 5.0, "seed": 3}
    drawn = model.answer(records, draws, hot)
    assert list(drawn[name]) == list(model.answer(records, draws, hot)[name])
    assert list(drawn[name]) != list(model.answer(records, draws, {**hot, "seed": 4})[name])
    _refuses_impossible_settings(finished, records[:1])


def _n_best_begins_with_the_best(name: str, best: Mapping, several: Mapping) -> None:
    for row, sentence, score in zip(range(len(best[name])), best[name], best["score"], strict=True):
        sentences = list(several[name][row])
        scores = np.asarray(several["score"][row])
        assert sentences[0] == sentence
        assert scores[0] == pytest.approx(score, abs=1e-4)
        assert np.all(np.diff(scores) <= 0)
        assert np.all(np.isfinite(scores))


def _refuses_impossible_settings(finished: Finished, records: Sequence[Record]) -> None:
    for form in ("run", "saved_model"):
        model = finished.open(form)
        for beam in (0, -3, 100_000):
            with pytest.raises(UserError, match=r"beam must be from 1 to .* the vocabulary"):
                model.answer(records, "nbest", {"beam": beam})
        with pytest.raises(UserError, match="beam must be a whole number"):
            model.answer(records, "nbest", {"beam": 2.5})
        with pytest.raises(UserError, match=r"no optional input 'beams'\. Did you mean .*beam"):
            model.answer(records, "nbest", {"beams": 2})


def verify_transcription(finished: Finished, records: Sequence[Record]) -> None:
    """Words are those of the text, in their order in time; the best of several is the best; a
    stream hears what the causal signature hears.
    """
    model = finished.open("saved_model")
    best = model.answer(records)
    for text, words, starts, ends in zip(
        *map(best.get, ("text", "words", "starts", "ends")), strict=True
    ):
        said = text.decode().split()
        assert [word.decode() for word in words if word] == said
        spans = [*zip(starts, ends, strict=True)][: len(said)]
        assert all(0 <= start < end for start, end in spans)
        assert all(one[1] <= other[0] + 1e-6 for one, other in itertools.pairwise(spans))
    _n_best_begins_with_the_best("text", best, model.answer(records, "nbest"))
    if finished.app.serving.stream is None:
        return
    heard = model.answer(records[:2], "causal")
    for record, expected in zip(records[:2], heard["score"], strict=True):
        for form in (finished.run, finished.saved_model, finished.lite / "float32.tflite"):
            assert _streamed_score(finished, form, record) == pytest.approx(expected, abs=1e-3)


def _streamed_score(finished: Finished, form: pathlib.Path, record: Record) -> float:
    """The logarithm of the likeliest symbols of a recording, heard chunk by chunk."""
    session = Session(finished.app, form, "stream")
    device = finished.app.serving.device.open(finished.lite)
    ahead = configuration.load(finished.app, "tiny").model.look_ahead
    chunks = [*device.chunks(record)]
    silence = {name: np.zeros_like(value) for name, value in chunks[0].items()}
    logs = [session(chunk)["log_probabilities"][0] for chunk in (*chunks, silence, silence)]
    steps = finished.open("saved_model").answer([record], "logits")["steps"][0]
    return float(np.concatenate(logs)[ahead : ahead + steps].max(axis=1).sum())


def verify_detection(finished: Finished, records: Sequence[Record]) -> None:
    """A stream fed step by step scores as the whole series does, and its events are the same."""
    record = records[0]
    values = record["values"][:400]
    for form in (finished.run, finished.saved_model, finished.lite / "float32.tflite"):
        session = Session(finished.app, form, "stream")
        steps = [session({"values": row[None, None]}) for row in values]
        whole = finished.open("saved_model").answer([{"values": values}])
        for name in steps[0]:
            streamed = np.concatenate([step[name][0] for step in steps])
            np.testing.assert_allclose(streamed, whole[name][0], atol=1e-5, rtol=1e-5)
    event = np.asarray(whole["event"][0])
    is_high = np.asarray(whole["score"][0]) >= np.asarray(whole["threshold"][0])
    assert (event[is_high] > 0).all()
    assert set(np.unique(event)) == set(range(event.max() + 1))


def verify_events(finished: Finished, records: Sequence[Record]) -> None:
    """Shares sum to 1; events are numbered without gaps, of one confidence each, and what a stream
    says of a step is what the causal signature says of it.
    """
    fitted = fitted_of(finished.app, finished.run)
    model = finished.open("saved_model")
    ways = ("serving_default", "causal") if finished.app.serving.stream else ("serving_default",)
    for signature in ways:
        answers = model.answer(records, signature)
        for shares, event, confidence in zip(
            answers["probabilities"], answers["event"], answers["confidence"], strict=True
        ):
            assert np.shape(shares) == (len(event), 1 + len(fitted.labels))
            np.testing.assert_allclose(np.sum(shares, axis=1), 1, atol=1e-5)
            for place in range(len(fitted.labels)):
                numbers = np.asarray(event)[:, place]
                assert set(np.unique(numbers)) - {0} == set(range(1, numbers.max() + 1))
                sure = np.asarray(confidence)[:, place]
                assert ((sure > 0) == (numbers > 0)).all()
                for number in range(1, numbers.max() + 1):
                    assert np.ptp(sure[numbers == number]) == 0
    if "causal" in ways:
        _streams_as_the_causal_signature(finished, records[0]["values"][: 40 * fitted.hop])


def _streams_as_the_causal_signature(finished: Finished, values: np.ndarray) -> None:
    fitted = fitted_of(finished.app, finished.run)
    model = finished.open("saved_model")
    whole = model.answer([{"values": values}], "causal")["probabilities"][0]
    session = Session(finished.app, finished.saved_model, "stream")
    steps = [session({"values": part[None]}) for part in values.reshape(40, fitted.hop, -1)]
    streamed = np.concatenate([step["probabilities"][0] for step in steps])
    ahead = fitted.look_ahead
    np.testing.assert_allclose(streamed[ahead:], np.asarray(whole)[: 40 - ahead], atol=1e-5)


VERIFY = {
    "classification": verify_classification,
    "generation": verify_generation,
    "detection": verify_detection,
    "events": verify_events,
    "transcription": verify_transcription,
}
