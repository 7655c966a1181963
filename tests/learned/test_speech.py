"""What the sample of speech recognition must teach."""

import numpy as np
import pytest

from apps.speech_recognition import sample
from rnnsuite import catalog
from rnnsuite.device import wave
from rnnsuite.pipeline.inference.evaluate import evaluate
from rnnsuite.pipeline.inference.models import open_model
from tests.learned.test_learned import trained

pytestmark = pytest.mark.learns


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("speech") / "run"
    trained("speech_recognition", folder)
    return folder


def test_voices_that_training_never_had(run):
    app = catalog.find("speech_recognition")
    evaluation = evaluate(app, run, split="test")
    assert evaluation.score.metrics["wer"] <= 0.03
    assert evaluation.floor["wer"] > 0.3
    streamed = evaluation.score.tables["Ways of decoding"][-1]
    assert streamed["wer"] <= 0.07


def test_words_stand_where_they_are_said(run):
    app = catalog.find("speech_recognition")
    model = open_model(app, run)
    errors = []
    for spoken in sample.sentences("test"):
        record = {"audio": wave.write(spoken.samples / 32768)}
        answer = model.answer([record])
        if answer["text"][0].decode() == spoken.text:
            size = len(spoken.starts)
            errors += [*np.abs(answer["starts"][0][:size] - spoken.starts)]
            errors += [*np.abs(answer["ends"][0][:size] - spoken.ends)]
    assert np.median(errors) <= 0.06
