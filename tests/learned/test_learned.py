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
from rnnsuite.pipeline.inference.card import data_section, training_config
from rnnsuite.pipeline.inference.evaluate import evaluate
from rnnsuite.pipeline.inference.models import open_model
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
    settings = training_config(app, folder / "run").sections["stream"]
    events = list(stream(app, folder / "run", str(folder / "words.flac"), settings))
    assert [event["label"] for event in events] == ["asi", "oli", "eko"]
    for number, event in enumerate(events):
        assert 2 * number < event["start"] < event["end"] <= 2 * number + 2
