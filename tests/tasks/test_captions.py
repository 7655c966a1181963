"""Captions as training data, whatever they are of."""

import base64
import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnsuite.core.errors import UserError
from rnnsuite.inputs.subword import END, START, learn_subwords
from rnnsuite.losses import caption_losses, token_losses
from rnnsuite.tasks.generation.captions import (
    Captions,
    checksum,
    dense,
    fit_captions,
    has_captions,
    prepare,
)
from rnnsuite.tasks.sections import CaptionsConfig

WORDS = [
    "a",
    "red",
    "circle",
    "moves",
    "left",
    "and",
    "meets",
    "the",
    "blue",
    "square",
    "while",
    "two",
    "dogs",
    "run",
    "up",
]
MODEL = base64.b64encode(learn_subwords([" ".join(WORDS)] * 3, 60, "bpe")).decode()


def captions(most=12, **changes):
    known = np.array([checksum("a red circle")], "<u4").tobytes()
    return Captions(MODEL, base64.b64encode(known).decode(), most, True, **changes)


def records(*texts):
    def each():
        for many in texts:
            yield {"captions": np.array([text.encode() for text in many], object)}

    spec = {"captions": tf.TensorSpec([None], tf.string)}
    return tf.data.Dataset.from_generator(each, output_signature=spec)


class TestSteps:
    @settings(max_examples=30, deadline=None)
    @given(
        st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=4), min_size=1, max_size=4)
    )
    def test_what_comes_at_a_step_stands_before_the_next(self, sentences):
        fitted = captions(most=40)
        texts = [" ".join(words) for words in sentences]
        before, after = (
            part.numpy() for part in fitted.steps(fitted.subwords(extra=1), tf.constant(texts))
        )
        assert before.shape == after.shape == (len(texts), after.shape[1])
        for first, second in zip(before, after, strict=True):
            count = int((second > 0).sum())
            assert first[0] == START
            assert second[count - 1] == END
            np.testing.assert_array_equal(first[1:count], second[: count - 1])
        assert fitted.subwords().text(tf.constant(after)).numpy().tolist() == [
            text.encode() for text in texts
        ]

    def test_captions_that_are_too_long_are_left_out(self):
        fitted = captions(most=8)
        texts = tf.constant(["a red circle", " ".join(WORDS)])
        before, after = fitted.steps(fitted.subwords(extra=1), texts)
        assert len(before) == len(after) == 1
        assert bool(has_captions({}, after))
        _, nothing = fitted.steps(fitted.subwords(extra=1), texts[1:])
        assert not bool(has_captions({}, nothing))

    def test_small_letters(self):
        texts = tf.constant(["A Red\tCIRCLE ", "ÄHM"])
        assert prepare(True, texts).numpy().tolist() == [b"a red circle", "ähm".encode()]
        assert prepare(False, texts)[0].numpy() == b"A Red CIRCLE"


class TestFit:
    config = CaptionsConfig(source="here", vocabulary_size=40, max_tokens=9, most_captions=2)

    def test_the_first_captions_of_every_record(self):
        fitted = fit_captions(self.config, records(["a dog", "a cat", "unread"], ["a dog"]))
        assert fitted.knows(["A DOG!", "a cat", "unread"]) == [True, True, False]
        assert (fitted.max_tokens, fitted.lowercase) == (9, True)
        assert len(fitted.subwords().pieces) <= 40

    def test_without_words(self):
        with pytest.raises(UserError, match="here: no words to learn subwords from"):
            fit_captions(self.config, records(["", " "]))

    def test_it_is_stored_as_plain_values(self):
        fitted = fit_captions(self.config, records(["a dog"]))
        assert Captions(**dataclasses.asdict(fitted)) == fitted


def test_ragged_captions_become_dense():
    ragged = tf.ragged.constant([["a", "b"], ["c"]])
    assert dense(ragged).shape == (2, 2)
    assert dense(tf.constant(["a"])).shape == (1,)


def test_losses_of_several_captions_are_those_of_one_row():
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 5, size=[2, 3, 4]).astype("int32")
    logits = rng.normal(size=[2, 3, 4, 5]).astype("float32")
    found = caption_losses(tf.constant(ids), tf.constant(logits), 0.1)
    expected = token_losses(
        tf.constant(ids.reshape(2, 12)), tf.constant(logits.reshape(2, 12, 5)), 0.1
    )
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-6)
