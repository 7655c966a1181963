"""What is known of a sequence so far."""

import numpy as np

from rnnsuite.layers import CumulativePooling, Pooling

X = np.random.default_rng(0).normal(size=[2, 9, 4]).astype("float32")


def built():
    layer = CumulativePooling()
    layer.build(X.shape)
    return layer


def test_every_step_is_the_attentive_mean_of_those_up_to_it():
    layer = built()
    whole = Pooling("attentive")
    whole.build(X.shape)
    whole.set_weights(layer.get_weights())
    found = layer(X)
    for time in range(1, 10):
        np.testing.assert_allclose(found[:, time - 1], whole(X[:, :time]), atol=1e-5)


def test_pieces_equal_the_whole():
    layer = built()
    states = {name: np.zeros([2, *spec.shape], "float32") for name, spec in layer.states.items()}
    parts = []
    for begin, end in ((0, 1), (1, 2), (2, 6), (6, 9)):
        part, states = layer.stream(X[:, begin:end], states)
        parts.append(part)
    np.testing.assert_allclose(np.concatenate(parts, axis=1), layer(X), atol=1e-6)


def test_ten_thousand_steps_of_extremes_stay_finite():
    layer = built()
    layer.set_weights([100 * weight for weight in layer.get_weights()])
    x = np.tile(100 * X[:, :1], [1, 10_000, 1])
    np.testing.assert_allclose(layer(x)[:, -1], x[:, -1], rtol=1e-3)
