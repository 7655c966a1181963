"""From classes at every step to texts and words."""

import numpy as np
import pytest
import tensorflow as tf

from rnnsuite.decoding.fusion import LanguageModel
from rnnsuite.inputs.words import RESERVED, Words
from rnnsuite.pipeline.start import open_origin
from rnnsuite.tasks.sections import TranscribeConfig
from rnnsuite.tasks.transcription import decoder
from rnnsuite.tasks.transcription.alphabet import Alphabet

PIECES = (*RESERVED, " ", "a", "b")


@pytest.fixture
def alphabet():
    return Alphabet(Words(PIECES, "characters"))


def said(text, blanks=1):
    """Logits that say a text clearly."""
    numbers = []
    for letter in text:
        numbers += [PIECES.index(letter), *[0] * blanks]
    return tf.one_hot(numbers, len(PIECES))[None] * 12.0


@pytest.mark.parametrize("text", ["ab a", "aa bb", "b", " a "])
def test_what_is_said_clearly_is_written(alphabet, text):
    logits = said(text)
    steps = tf.constant([logits.shape[1]])
    made = decoder.transcription(alphabet, TranscribeConfig(beam=4))
    greedy = made.greedy(logits, steps)
    search = made.search(logits, steps)
    expected = " ".join(text.split()).encode()
    assert alphabet.text(greedy.ids)[0] == expected
    assert alphabet.text(search.ids[:, 0])[0] == expected
    assert search.scores[0, 0] >= greedy.scores[0]


def test_silence_around_words_is_none_of_their_steps(alphabet):
    """Start and end stand for it where the head has learned them."""
    numbers = [2, 2, 2, 5, 5, 6, 6, 4, 5, 5, 3, 3]
    logits = tf.one_hot(numbers, len(PIECES))[None] * 12.0
    ids = alphabet.vocabulary(tf.constant(["ab a"])).to_tensor()
    made = decoder.transcription(alphabet, TranscribeConfig())
    words = made.with_words(logits, tf.constant([len(numbers)]), ids, is_framed=True)
    assert words["words"].to_list() == [[b"ab", b"a"]]
    assert words["first"].to_list() == [[3, 8]]
    assert words["last"].to_list() == [[6, 9]]


def test_words_have_their_steps(alphabet):
    logits = said("ab a", blanks=2)
    steps = tf.constant([logits.shape[1]])
    made = decoder.transcription(alphabet, TranscribeConfig())
    ids = alphabet.vocabulary(tf.constant(["ab a"])).to_tensor()
    words = made.with_words(logits, steps, ids)
    assert words["words"].to_list() == [[b"ab", b"a"]]
    assert words["first"].to_list() == [[0, 9]]
    assert words["last"].to_list() == [[3, 9]]


def test_reserved_symbols_are_never_written(alphabet):
    logits = tf.one_hot([1, 2, 3, 5], len(PIECES))[None] * 12.0
    made = decoder.transcription(alphabet, TranscribeConfig(beam=4))
    for decoded in (made.greedy(logits, tf.constant([4])), made.search(logits, tf.constant([4]))):
        ids = decoded.ids.numpy()
        assert not np.isin(ids, [1, 2, 3]).any()


def network_of(made):
    """The Keras model behind the language model of a decoder."""
    model = made.fusion.parts["language_model"]
    assert isinstance(model, LanguageModel)
    return model.read.__self__.model


def test_a_language_model_is_rounded_as_the_export_is(language_model, alphabet, monkeypatch):
    """Otherwise an export in float16 would not answer as the run does."""
    path = str(language_model.run)
    monkeypatch.setattr(decoder, "_tokens", lambda *_: [3, -1, -1, -1, 4, 5, 6])
    settings = TranscribeConfig(language_model=path)
    plain = decoder.transcription(alphabet, settings)
    rounded = decoder.transcription(alphabet, settings, "float16")
    for weight in network_of(rounded).weights:
        value = weight.numpy()
        np.testing.assert_array_equal(value, value.astype(np.float16).astype(np.float32))
    weights = open_origin(path).weights
    kernel = next(weight for weight in network_of(plain).weights if weight.name == "kernel")
    assert any(np.array_equal(kernel.numpy(), value) for value in weights.values())
