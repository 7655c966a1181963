"""The cheap floor, and the figures of a report."""

import numpy as np
import pytest

from apps.speech_recognition import score
from apps.speech_recognition.data import Fitted
from apps.speech_recognition.floor import floor
from rnnsuite.app import Asked
from rnnsuite.device import wave

FITTED = Fitted(("<pad>", "<unk>", "<start>", "<eos>", " ", "a"), "", 16, 4, (0.0,), (1.0,))


def tone(hertz, seconds=1.0, text="a"):
    times = np.arange(int(seconds * wave.RATE)) / wave.RATE
    return {"audio": wave.write(0.3 * np.sin(2 * np.pi * hertz * times)), "text": text.encode()}


class Records(list):
    def as_numpy_iterator(self):
        return iter(self)


def test_the_floor_says_what_the_nearest_recording_says(monkeypatch):
    train = Records([tone(300, text="low"), tone(3000, text="high"), tone(300, 3.0, "long")])
    monkeypatch.setattr("apps.speech_recognition.floor.load", lambda config, split: train)
    records = [tone(302, text="low"), tone(3010, text="high"), tone(302, 3.0, "long")]
    result = floor(None, FITTED, records)
    assert result["model"] == "nearest recording"
    assert result["wer"] == 0
    wrong = floor(None, FITTED, [{**records[0], "text": b"high"}])
    assert wrong["wer"] == 1


def asked_of(texts):
    return Asked(
        ask=lambda records, signature: {"text": texts[signature]},
        signatures=tuple(texts),
        config=None,
        fitted=FITTED,
    )


def test_every_way_of_decoding_has_a_row():
    texts = {"serving_default": ["a b"], "greedy": ["a"], "causal": ["b a"]}
    rows = score.ways(asked_of(texts), [{"text": "a b"}])["Ways of decoding"]
    assert [row["decoding"] for row in rows] == ["search", "no search", "stream, no search"]
    assert [row["wer"] for row in rows] == pytest.approx([0.0, 0.5, 1.0])
    assert score.ways(asked_of({"greedy": ["a"]}), [{"text": "a"}]) == {}


def test_symbols_are_drawn_over_time():
    record = tone(400)
    logs = np.log(np.full([1, 25, 6], 1 / 6))
    answers = {
        "logits": {"log_probabilities": logs},
        "serving_default": {"words": [[b"a", b""]], "starts": [[0.1, 0.0]], "ends": [[0.5, 0.0]]},
    }
    drawn = score.figures(lambda records, signature: answers[signature], [record])
    figure = drawn["Symbols over time 1"]()
    assert len(figure.axes) == 2
    assert [text.get_text() for text in figure.axes[1].texts] == ["a"]
