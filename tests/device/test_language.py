"""The reference decode loop: the same numbers, choices and text as the graph's."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnsuite import decoding
from rnnsuite.device import language

IDS = st.lists(st.integers(0, 40_000), max_size=20)
SEEDS = st.integers(-(2**31), 2**31 - 1)


@settings(max_examples=60, deadline=None)
@given(IDS, SEEDS, st.integers(0, 500))
def test_a_text_s_numbers_are_the_graph_s(ids, seed, position):
    row = tf.constant([[*ids, 7, 7]], tf.int32)  # two of padding
    mask = tf.sequence_mask([len(ids)], len(ids) + 2)
    found = decoding.text_seeds(row, mask, tf.constant(seed))
    assert int(found[0]) == language.text_seed(ids, seed)
    number = decoding.uniform(found, tf.constant(position))
    assert float(number[0]) == pytest.approx(
        language.uniform(language.text_seed(ids, seed), position), abs=1e-7
    )
    assert 0 <= float(number[0]) < 1


def test_numbers_are_evenly_spread():
    """Over positions, over seeds, and from one position to the next."""
    by_place = np.array([language.uniform(5, place) for place in range(4000)])
    by_seed = np.array([language.uniform(seed, 3) for seed in range(4000)])
    for numbers in (by_place, by_seed):
        counts = np.histogram(numbers, bins=10, range=(0, 1))[0]
        assert np.abs(counts - 400).max() < 90
        assert abs(np.corrcoef(numbers[:-1], numbers[1:])[0, 1]) < 0.05


@settings(max_examples=80, deadline=None)
@given(
    st.integers(0, 2**20),
    st.floats(0, 0.999),
    st.sampled_from([0.0, 0.5, 1.0, 2.0]),
    st.sampled_from([0, 1, 3, 50]),
    st.sampled_from([0.05, 0.5, 0.9, 1.0]),
)
def test_the_choice_is_the_graph_s(seed, number, temperature, top_k, top_p):
    rng = np.random.default_rng(seed)
    logits = np.round(rng.normal(size=[1, 9]) * 3, 3).astype("float32")
    shares = tf.nn.softmax(logits / max(temperature, 1e-6)).numpy()[0]
    sums = np.cumsum(shares)
    if np.abs(sums - number).min() < 1e-4:  # on the border between two tokens
        return
    found = decoding.draw(
        tf.constant(logits), tf.constant([number], tf.float32), temperature, top_k, top_p
    )
    assert int(found[0]) == language.choose(
        logits[0].copy(), np.float32(number), temperature, top_k, top_p
    )


class TestDraw:
    LOGITS = np.log(np.array([[0.1, 0.4, 0.2, 0.25, 0.05]], np.float32))

    def shares(self, **options):
        """How often each token is drawn, over evenly spread numbers."""
        numbers = (np.arange(2000, dtype="float32") + 0.5) / 2000
        logits = np.repeat(self.LOGITS, 2000, axis=0)
        tokens = decoding.draw(tf.constant(logits), tf.constant(numbers), **options)
        return np.bincount(tokens.numpy(), minlength=5) / 2000

    def test_by_its_probability(self):
        np.testing.assert_allclose(self.shares(), [0.1, 0.4, 0.2, 0.25, 0.05], atol=2e-3)

    def test_top_k(self):
        wanted = np.array([0, 0.4, 0, 0.25, 0]) / 0.65
        np.testing.assert_allclose(self.shares(top_k=2), wanted, atol=2e-3)

    def test_the_nucleus_is_the_fewest_that_hold_so_much(self):
        wanted = np.array([0, 0.4, 0.2, 0.25, 0]) / 0.85
        np.testing.assert_allclose(self.shares(top_p=0.8), wanted, atol=2e-3)
        np.testing.assert_allclose(self.shares(top_p=0.39), [0, 1, 0, 0, 0], atol=2e-3)

    def test_temperature(self):
        shares = np.sqrt([0.1, 0.4, 0.2, 0.25, 0.05])
        np.testing.assert_allclose(self.shares(temperature=2.0), shares / shares.sum(), atol=2e-3)


@pytest.fixture(scope="module")
def model(language_model):
    return language.open_model(str(language_model.lite / "float32.tflite"))


def test_it_writes_what_the_server_writes(language_model, model):
    """Drawn by the same seed: nearly always the same text, as floats differ a little."""
    device = language_model.app.serving.device.open(language_model.lite)
    served = language_model.open("saved_model")
    texts = [b"the fox", b"the oak above the", b"", b"behind"]
    answers = served.answer([{"text": text} for text in texts], "generate", {"seed": 9})
    end = model.settings["end"]
    same = 0
    for text, wanted in zip(texts, answers["text"], strict=True):
        ids = device.request({"text": text})["ids"][0].tolist()
        drawn = [token for token, _ in model.tokens(ids, seed=9) if token != end]
        outputs = {
            "ids": np.array([drawn]),
            **{name: np.zeros([1]) for name in ("score", "log_probability", "tokens")},
        }
        same += device.answer(outputs)["text"] == wanted
    assert same >= 3


def test_what_is_banned_never_comes(model):
    for seed in range(20):
        for token, log in model.tokens([5], temperature=30.0, top_p=1.0, seed=seed):
            assert token not in model.settings["banned"]
            assert np.isfinite(log)


def test_no_more_tokens_than_wanted(model):
    assert list(model.tokens([5, 6], max_length=0)) == []
    assert len(list(model.tokens([5, 6], max_length=3))) <= 3
