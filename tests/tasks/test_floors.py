"""The cheap models that stand beside, and the numbers that they read."""

import numpy as np
import pytest

from apps.captioning import floor as of_pictures
from apps.speech_commands import floor as of_words
from apps.translation import score as of_translation
from rnnsuite import catalog
from rnnsuite.inputs import audio
from rnnsuite.tasks import pictures, sounds
from rnnsuite.tasks.generation import nearest
from tests.files import picture, png, sound


class Records(list):
    def as_numpy_iterator(self):
        return iter(self)

    def take(self, count):
        return Records(self[:count])


def data(name):
    return catalog.find(name).data.config()


def test_a_small_picture_and_its_colours():
    pixels = np.zeros([8, 8, 3], np.uint8)
    pixels[:4] = [255, 0, 0]
    numbers = pictures.small(png(pixels), 2)
    shrunk, colours = numbers[:12].reshape(2, 2, 3), numbers[12:]
    np.testing.assert_array_equal(shrunk[0, 0], [1, 0, 0])
    np.testing.assert_array_equal(shrunk[1, 1], [0, 0, 0])
    assert colours[0] == pytest.approx(np.sqrt(0.5))
    assert colours[3 * pictures.LEVELS**2] == pytest.approx(np.sqrt(0.5))


@pytest.mark.parametrize("seconds", [0.001, 0.05, 1.0])
def test_a_sound_of_any_length_has_eight_parts(seconds):
    numbers = sounds.in_parts(sound(440, seconds), audio.LogMel(16), 320)
    assert numbers.shape == (1 + sounds.PARTS * 16,)
    assert np.isfinite(numbers).all()


def test_the_caption_that_most_agree_with():
    captions = ["a cat", "a man is singing", "a man sings a song", "a man is singing loudly"]
    assert nearest.consensus(captions) == "a man is singing"


def test_the_text_with_the_rarest_words_in_common(monkeypatch):
    train = ["the dog runs", "the cat sleeps", "the dog sleeps in the sun"]
    texts = ["a cat sings", "a dog in the sun", "nothing"]
    monkeypatch.setattr(nearest, "BLOCK", 2)
    assert nearest.nearest_text(train, texts)[:2] == [1, 2]
    assert len(nearest.nearest_text(train, texts)) == 3


def test_what_a_translation_memory_says(monkeypatch):
    train = Records(
        {"text": text.encode(), "translation": other.encode()}
        for text, other in (("the dog runs", "der Hund rennt"), ("a cat", "eine Katze"))
    )
    monkeypatch.setattr("apps.translation.floor.load", lambda config, split: train)
    asked = [{"text": b"that dog runs", "translation": b"der Hund rennt", "language": b"de"}]
    result = of_translation.floor(data("translation"), None, asked)
    assert result["model"] == "translation of the nearest training sentence"
    assert result["chrf"] == pytest.approx(100)
    asked[0]["translation"] = b"etwas anderes"
    assert of_translation.floor(data("translation"), None, asked)["chrf"] < 30


def test_the_caption_of_the_nearest_picture(monkeypatch):
    train = Records(
        {"image": picture(side, side, "PNG"), "captions": [text.encode()]}
        for side, text in ((40, "a small picture of something"), (200, "a large one of a thing"))
    )
    monkeypatch.setattr("apps.captioning.floor.load", lambda config, split: train)
    records = [dict(record) for record in train]
    result = of_pictures.floor(data("captioning"), None, records)
    assert result["exact_match"] == 1.0
    records[0]["captions"] = [b"an altogether different sentence"]
    assert of_pictures.floor(data("captioning"), None, records)["exact_match"] == 0.5


def test_a_linear_model_of_words(monkeypatch):
    tones = {"low": (300, 320, 340), "high": (3000, 3100, 3200)}
    train = Records(
        {"audio": sound(hertz, 0.5), "label": label.encode()}
        for label, many in tones.items()
        for hertz in many
    )
    monkeypatch.setattr("apps.speech_commands.floor.load", lambda config, split: train)
    records = [{"audio": sound(310, 0.5), "label": b"low"}]
    result = of_words.floor(data("speech_commands"), None, records)
    assert result["accuracy"] == 1.0
    records[0]["label"] = b"high"
    assert of_words.floor(data("speech_commands"), None, records)["accuracy"] == 0.0
