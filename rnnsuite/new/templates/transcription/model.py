"""Log-mel energies, recurrent layers in both directions, a class for each character and a blank."""

import keras
import tensorflow as tf

from rnnsuite.app import Model
from rnnsuite.inputs.audio import FeatureNormalization, LogMel
from rnnsuite.layers import LockedDropout, Stack
from rnnsuite.tasks.transcription.losses import ctc_loss
from rnnsuite.tasks.transcription.steps import WithinSteps

from .config import ModelConfig


def build(config, fitted):
    """A model from `samples` [batch, steps * hop] at 16 kHz and `steps` [batch], how many are a
    row's own, to `logits` [batch, steps, symbols], of which symbol 0 is the blank.
    """
    samples = keras.Input([None], dtype="float32", name="samples")
    steps = keras.Input([], dtype="int32", name="steps")
    x = LogMel(fitted.bins, dtype="float32", name="features")(samples)
    moments = (fitted.mean, fitted.deviation)
    x = FeatureNormalization("fixed", *moments, dtype="float32", name="normalised")(x)
    x = keras.layers.Reshape((-1, fitted.frames * fitted.bins), name="together")(x)
    x = keras.layers.Dense(config.projection, activation="relu", name="projection")(x)
    h = Stack(
        config.cell,
        config.units,
        config.depth,
        bidirectional=True,
        dropout=config.dropout,
        name="recurrent",
    )(LockedDropout(config.dropout)(x), mask=WithinSteps(name="within")(x, steps))
    size = len(fitted.vocabulary().pieces)
    symbols = keras.layers.Dense(size, dtype="float32", name="symbols")
    logits = symbols(LockedDropout(config.dropout)(h))
    return keras.Model({"samples": samples, "steps": steps}, {"logits": logits}, name="__NAME__")


def loss(config, targets, outputs):
    """Connectionist temporal classification, in nats a character, of each row."""
    nats = ctc_loss(outputs["logits"], targets["steps"], targets["ids"])
    count = tf.reduce_sum(tf.cast(targets["ids"] > 0, tf.float32), axis=1)
    return {"loss": nats / tf.maximum(count, 1.0)}


MODEL = Model(config=ModelConfig, build=build, loss=loss, metrics={"loss": "min"})
