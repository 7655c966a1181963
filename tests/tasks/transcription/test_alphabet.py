"""Symbols to texts and words, in a graph and on a device."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnsuite.device import transcribe
from rnnsuite.inputs.subword import Subwords, learn_subwords
from rnnsuite.inputs.words import RESERVED, Words
from rnnsuite.tasks.transcription.alphabet import SPACE, Alphabet


@pytest.fixture(scope="module")
def characters():
    return Alphabet(Words((*RESERVED, " ", "a", "b"), "characters"))


@pytest.fixture(scope="module")
def subwords():
    texts = ["hello there", "hello world", "the world there"] * 20
    return Alphabet(Subwords(learn_subwords(texts, 30)))


def test_characters(characters):
    assert characters.separator == 4
    assert characters.begins.tolist() == [False] * 4 + [True, False, False]
    assert characters.is_written.tolist() == [True, False, False, False, True, True, True]
    logs = characters.log_probabilities(tf.zeros([1, 7])).numpy()[0]
    np.testing.assert_allclose(logs[[0, 4, 5, 6]], np.log(0.25), atol=1e-6)
    assert (logs[1:4] < -1e8).all()


def words_of(alphabet, ids):
    ids = np.array([ids], "i4")
    steps = np.cumsum(np.ones_like(ids), axis=1) * 3
    found = alphabet.words(tf.constant(ids), tf.constant(steps), tf.constant(steps + 1))
    device = transcribe.Alphabet(list(alphabet.pieces), alphabet.is_subwords)
    own = [number for number in ids[0].tolist() if number]
    on_device = device.words(own, steps[0].tolist()[: len(own)])
    words = [word.decode() for word in found["words"][0].numpy()]
    assert words == [word for word, _, _ in on_device]
    assert found["first"][0].numpy().tolist() == [first for _, first, _ in on_device]
    assert (found["last"][0].numpy() - 1).tolist() == [last for _, _, last in on_device]
    assert device.text(own) == alphabet.text(tf.constant(ids))[0].numpy().decode()
    return words, found["first"][0].numpy().tolist(), found["last"][0].numpy().tolist()


@pytest.mark.parametrize(
    ("ids", "words", "first", "last"),
    [
        ([5, 6, 4, 5, 0, 0], ["ab", "a"], [3, 12], [7, 13]),
        ([4, 5, 4, 4, 6, 4], ["a", "b"], [6, 15], [7, 16]),
        ([0, 0], [], [], []),
        ([4, 4], [], [], []),
        ([5], ["a"], [3], [4]),
    ],
)
def test_words_and_where_they_stand(characters, ids, words, first, last):
    assert words_of(characters, ids) == (words, first, last)


def test_words_of_subwords(subwords):
    ids = subwords.vocabulary(tf.constant(["hello the world"]))[0].numpy().tolist()
    words, first, last = words_of(subwords, [*ids, 0])
    assert words == ["hello", "the", "world"]
    assert first[0] == 3
    assert last[-1] == 3 * len(ids) + 1
    assert subwords.separator is None


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_any_symbols_are_words_with_their_steps(characters, subwords, data):
    """Also a word's mark that stands by itself, as a network may write it."""
    alphabet = data.draw(st.sampled_from([characters, subwords]))
    written = st.integers(len(RESERVED), len(alphabet.pieces) - 1)
    mark = alphabet.pieces.index(SPACE if alphabet.is_subwords else " ")
    ids = data.draw(st.lists(st.one_of(written, st.just(mark)), min_size=1, max_size=12))
    words, first, last = words_of(alphabet, [*ids, 0])
    assert len(words) == len(first) == len(last)
    assert first == sorted(first)
