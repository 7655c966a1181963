"""The environment variable that turns compiling off."""

import numpy as np
import pytest
import tensorflow as tf

from rnnsuite.layers import GRU, LSTM, scan


@pytest.mark.parametrize("kind", [LSTM, GRU])
def test_a_plain_loop_gives_the_same(kind, monkeypatch):
    x = np.random.default_rng(0).normal(size=(3, 5, 4)).astype("f")
    layer = kind(6, return_sequences=True)

    def outputs():
        def both(values):
            with tf.GradientTape() as tape:
                tape.watch(values)
                y = layer(values, training=True)
            return y, tape.gradient(y, values)

        return tf.function(both, autograph=False)(tf.constant(x))

    compiled = outputs()
    monkeypatch.setenv("RNNSUITE_SCAN", "stock")
    for found, expected in zip(outputs(), compiled, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_plan_says_so(monkeypatch):
    with tf.Graph().as_default():
        monkeypatch.delenv("RNNSUITE_SCAN", raising=False)
        assert scan.plan(32, 50, 64, False).compiled
        monkeypatch.setenv("RNNSUITE_SCAN", "stock")
        assert scan.plan(32, 50, 64, False) == scan.STOCK
