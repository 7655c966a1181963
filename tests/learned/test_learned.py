"""What the offline samples must teach: trainings of minutes, which `make check` runs."""

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from rnnsuite import catalog
from rnnsuite.data.records import collect
from rnnsuite.device import wave
from rnnsuite.inputs import audio
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.inference.card import data_section
from rnnsuite.pipeline.inference.evaluate import evaluate
from rnnsuite.pipeline.inference.models import fitted_of, open_model
from rnnsuite.pipeline.inference.session import stream
from rnnsuite.pipeline.train.train import train

pytestmark = pytest.mark.learns


def trained(name, folder, *overrides):
    app = catalog.find(name)
    train(app, configuration.load(app, "sample", overrides), folder)
    return app


def test_sentiment_learns_word_order(tmp_path):
    """Words and bigrams reach 0.51 on the same split (tests/apps/sentiment/test_sample.py)."""
    app = trained("sentiment", tmp_path / "run")
    assert evaluate(app, tmp_path / "run").score.metrics["accuracy"] > 0.99


def test_translation_learns_the_grammar(tmp_path):
    app = trained("translation", tmp_path / "run", "train.epochs=4")
    evaluation = evaluate(app, tmp_path / "run")
    assert evaluation.records == 1000
    assert evaluation.score.metrics["bleu"] > 90


def test_captioning_learns_what_and_where(tmp_path):
    app = trained("captioning", tmp_path / "run")
    assert evaluate(app, tmp_path / "run").score.metrics["bleu_4"] > 0.6


def test_speech_is_learned_and_backwards_it_is_not_known(tmp_path, monkeypatch):
    app = trained("speech_commands", tmp_path / "run")
    records = collect(app.data.load(data_section(app, tmp_path / "run", None), "test"))

    def accuracy():
        answers = open_model(app, tmp_path / "run").answer(records)
        return app.scoring.score(records, answers, None).metrics["accuracy"]

    assert accuracy() >= 0.95
    _follow_three_words(app, tmp_path)
    forwards = audio.LogMel.call
    monkeypatch.setattr(
        audio.LogMel, "call", lambda self, samples: tf.reverse(forwards(self, samples), [1])
    )
    assert accuracy() < 0.7


def _follow_three_words(app, folder):
    """Stereo at 44.1 kHz: three words with pauses."""
    from apps.speech_commands import sample

    clips = [np.pad(sample.clip(word, 95, 0) / 32768, 8000) for word in ("asi", "oli", "eko")]
    sound = np.concatenate(clips)
    at_44k = wave.resample(sound, 16_000, round(len(sound) * 44_100 / 16_000), 44_100)
    soundfile.write(folder / "words.flac", np.stack([at_44k, at_44k], axis=1), 44_100)
    events = list(stream(app, folder / "run", str(folder / "words.flac")))
    assert [event["label"] for event in events] == ["asi", "oli", "eko"]
    for number, event in enumerate(events):
        assert 2 * number < event["start"] < event["end"] <= 2 * number + 2


@pytest.mark.parametrize("is_leak_sought", [False, True])
def test_forecasting_learns_the_process(tmp_path, monkeypatch, is_leak_sought):
    """Nearly as good as the process itself; and of futures that were shuffled nothing is learned
    that the windows before them do not hold.
    """
    from apps.forecasting import data
    from apps.forecasting.sample import true_quantiles
    from rnnsuite.tasks.forecasting.metrics import Forecasts, accuracy

    if is_leak_sought:
        monkeypatch.setattr(data, "windows", _with_shuffled_futures(data.windows))
    app = trained("forecasting", tmp_path / "run")
    monkeypatch.undo()
    records = collect(app.data.load(data_section(app, tmp_path / "run", None), "test"))
    answers = open_model(app, tmp_path / "run").answer(records)
    found = app.scoring.score(records, answers, None)
    if is_leak_sought:
        assert found.metrics["mase"] > 1
        return
    levels = tuple(round(float(level), 6) for level in answers["levels"][0])
    truth = np.stack([record["truth"] for record in records])
    best = np.stack(
        [
            true_quantiles(
                record["id"].decode(), record["origin"] + np.arange(truth.shape[1]), levels
            )
            for record in records
        ]
    )
    middle = best[:, :, levels.index(0.5)]
    least = accuracy(Forecasts(truth, middle, best, levels, np.ones(len(truth))))["wql"]
    assert found.metrics["wql"] <= 1.05 * least
    covered = {row["interval"]: row["observations inside"] for row in found.tables["Intervals"]}
    assert abs(covered["80 %"] - 0.8) < 0.02
    assert abs(covered["95 %"] - 0.95) < 0.02


def _with_shuffled_futures(windows):
    """Every window gets the future of another one."""

    def shuffled(data, pairs, lookback, horizon):
        others = np.random.default_rng(1).permutation(pairs)
        futures = windows(data, others, lookback, horizon)
        pairs = tf.data.Dataset.zip((windows(data, pairs, lookback, horizon), futures))
        return pairs.map(lambda own, other: {**own, "truth": other["truth"]})

    return shuffled


@pytest.mark.parametrize("is_shuffled", [False, True])
def test_anomalies_are_found_by_what_came_before(tmp_path, monkeypatch, is_shuffled):
    """No single observation shows the sample's anomalies, and a model that learned from series
    shuffled in time finds no more of them than a forest of single observations does.
    """
    from apps.anomaly_detection import data
    from apps.anomaly_detection.floor import floors

    if is_shuffled:
        monkeypatch.setattr(data, "_cut", _with_shuffled_steps(data._cut))
    app = trained("anomaly_detection", tmp_path / "run")
    monkeypatch.undo()
    section = data_section(app, tmp_path / "run", None)
    found = evaluate(app, tmp_path / "run", split="test").score.metrics
    if is_shuffled:
        assert found["auc_pr"] < 0.25
        assert found["f1"] < 0.6
        return
    assert found["f1"] >= 0.9
    assert found["auc_pr"] > 0.75
    records = collect(app.data.load(section, "test"))
    forest, gaussian = floors(section, fitted_of(app, tmp_path / "run"), records)
    assert forest["f1"] <= 0.6
    assert gaussian["f1"] <= 0.6


def _with_shuffled_steps(cut):
    """Windows of series whose steps are in any order."""
    rng = np.random.default_rng(0)

    def shuffled(config, numbers, scored, observed, begin):
        order = rng.permutation(len(numbers))
        return cut(config, numbers[order], scored, observed[order], begin)

    return shuffled


def test_events_that_differ_in_order_are_told_apart(tmp_path):
    app = trained("event_detection", tmp_path / "run")
    evaluation = evaluate(app, tmp_path / "run", split="test")
    assert evaluation.score.metrics["f1"] >= 0.9
    assert evaluation.score.metrics["class_f1"] >= 0.9
    assert evaluation.floor["class_f1"] <= 0.7
    rows = {row["read"]: row for row in evaluation.score.tables["As a stream"]}
    assert rows["as a stream"]["f1"] >= rows["both directions"]["f1"] - 0.03
