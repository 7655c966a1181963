"""Random layers draw for a share of a batch what they draw for the whole."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnsuite.core.context import ReplicaRows, replica
from rnnsuite.layers import (
    GRU,
    Dropout,
    LockedDropout,
    ResidualBlock,
    SpecAugment,
    TokenDecoder,
    TokenDropout,
)

SEQUENCES = np.random.default_rng(0).normal(size=(7, 5, 4)).astype("float32")
PICTURES = np.random.default_rng(1).normal(size=(7, 6, 6, 3)).astype("float32")
IDS = np.random.default_rng(2).integers(4, 9, size=(7, 5))
LAYERS = {
    "dropout": (lambda: Dropout(0.5), SEQUENCES),
    "of rows": (lambda: Dropout(0.5, noise_shape=(None, 1, 1)), SEQUENCES),
    "locked": (lambda: LockedDropout(0.5), SEQUENCES),
    "tokens": (lambda: TokenDropout(0.5), SEQUENCES),
    "bands and spans": (lambda: SpecAugment(1, 2, 1, 3), SEQUENCES),
    "zoneout": (lambda: GRU(4, zoneout=0.5, return_sequences=True), SEQUENCES),
    "weights": (lambda: GRU(4, weight_drop=0.5, return_sequences=True), SEQUENCES),
    "stochastic depth": (lambda: ResidualBlock(3, drop=0.5), PICTURES),
    "sampled tokens": (lambda: Decoder(sampling=0.5), IDS),
    "several targets": (lambda: Decoder(), np.repeat(IDS[:, None], 3, axis=1)),
}


class Decoder(keras.layers.Layer):
    """A TokenDecoder's logits, of one input."""

    def __init__(self, **options):
        super().__init__()
        self.decoder = TokenDecoder(9, 6, "gru", 5, dropout=0.5, token_dropout=0.2, **options)

    def call(self, ids, training=False):
        rows = tf.shape(ids)[0]
        return self.decoder(ids, tf.ones([rows, 3, 4]), tf.ones([rows, 4]), training=training)[0]


@pytest.mark.parametrize("name", LAYERS)
def test_shares_of_a_batch_are_parts_of_the_whole(name):
    make, x = LAYERS[name]
    keras.utils.set_random_seed(3)
    layer = make()
    layer(x)  # built
    for each in layer._flatten_layers():
        if isinstance(
            each, keras.layers.BatchNormalization
        ):  # whose statistics are those of its own rows
            each.trainable = False
    start = [np.array(variable) for variable in layer.variables]

    def called(rows, share):
        for variable, value in zip(layer.variables, start, strict=True):
            variable.assign(value)
        with replica(share):
            return np.array(layer(rows, training=True))

    whole = called(x, None)
    np.testing.assert_array_equal(called(x, None), whole)
    assert np.any(whole != np.array(layer(x)))
    for number in range(3):  # of 3, 3 and 1 rows, the last filled up with what does not count
        places = 3 * number + np.arange(3)
        share = ReplicaRows(tf.constant(places, tf.int32), tf.constant(7))
        found = called(x[np.minimum(places, 6)], share)
        np.testing.assert_allclose(found[places < 7], whole[places[places < 7]], atol=1e-6)
