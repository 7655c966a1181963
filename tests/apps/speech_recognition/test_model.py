"""The network in its variants: equal as a stream, deaf to padding, trainable."""

import numpy as np
import pytest
import tensorflow as tf

from apps.speech_recognition import data, model
from apps.speech_recognition.config import ModelConfig

TOKENS = ("<pad>", "<unk>", "<start>", "<eos>", " ", "a", "b")
SMALL = {"channels": (4, 4), "projection": 8, "units": 6, "stream_units": 6, "look_ahead": 2}
VARIANTS = {
    "lstm": ({}, 4),
    "gru, one layer": ({"cell": "gru", "depth": 1, "stream_depth": 1}, 4),
    "no norm, two frames a step": ({"layer_norm": False}, 2),
    "eight frames a step": ({"channels": (4, 4, 4)}, 8),
    "no look ahead": ({"look_ahead": 0}, 4),
    "with times": ({"timing": 2}, 4),
}


def fitted(reduction=4):
    return data.Fitted(TOKENS, "", 16, reduction, (-6.0,) * 16, (3.0,) * 16)


def network(variant="lstm"):
    sizes, reduction = VARIANTS[variant]
    config = ModelConfig(**{**SMALL, **sizes})
    return config, fitted(reduction), model.build(config, fitted(reduction))


def inputs(steps, hop, rows=2, seed=0):
    samples = 0.1 * np.random.default_rng(seed).normal(size=[rows, steps * hop])
    return {"samples": samples.astype("f"), "steps": np.full(rows, steps, "i4")}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_stream_hears_what_the_whole_does(variant):
    config, fit, built = network(variant)
    asked = inputs(12, fit.hop)
    expected = built(asked, training=False)["stream_logits"]
    chain = model.stream(built)
    assert chain.look_ahead == config.look_ahead
    silence = np.zeros([2, config.look_ahead * fit.hop], "f")
    sound = np.concatenate([asked["samples"], silence], axis=1)
    states = chain.zeros(2)
    outputs = []
    for piece in np.split(sound, sound.shape[1] // fit.hop, axis=1):
        output, states = chain.stream(tf.constant(piece), states)
        outputs.append(output)
    streamed = tf.concat(outputs, axis=1)[:, config.look_ahead :]
    np.testing.assert_allclose(streamed, expected, atol=1e-4)


def test_what_stands_behind_a_recording_changes_nothing():
    _, fit, built = network()
    alone = inputs(7, fit.hop)
    padded = {
        "samples": np.pad(alone["samples"], [[0, 0], [0, 5 * fit.hop]]),
        "steps": alone["steps"],
    }
    short = built(alone, training=False)
    long = built(padded, training=False)
    for name in ("logits", "stream_logits"):
        np.testing.assert_allclose(long[name][:, :7], short[name], atol=1e-5)


def test_a_stream_waits_no_longer_than_it_says():
    _, fit, built = network()
    samples = tf.Variable(inputs(10, fit.hop, rows=1)["samples"])
    with tf.GradientTape() as tape:
        outputs = built({"samples": samples, "steps": tf.constant([10])}, training=False)
        third = tf.reduce_sum(outputs["stream_logits"][:, 3])
    gradient = np.abs(tape.gradient(third, samples)).reshape(10, fit.hop).sum(axis=1)
    assert (gradient[6:] == 0).all()
    assert gradient[5] > 0


def test_both_directions_hear_all_of_it():
    _, fit, built = network()
    samples = tf.Variable(inputs(10, fit.hop, rows=1)["samples"])
    with tf.GradientTape() as tape:
        outputs = built({"samples": samples, "steps": tf.constant([10])}, training=False)
        first = tf.reduce_sum(outputs["logits"][:, 0])
    gradient = np.abs(tape.gradient(first, samples)).reshape(10, fit.hop).sum(axis=1)
    assert (gradient > 0).all()


@pytest.mark.parametrize("stream_units", [0, 6])
def test_it_learns(stream_units):
    config = ModelConfig(**{**SMALL, "stream_units": stream_units})
    built = model.build(config, fitted())
    asked = inputs(12, fitted().hop)
    targets = {"ids": tf.constant([[5, 6, 0], [5, 4, 6]]), "steps": tf.constant([12, 12])}
    with tf.GradientTape() as tape:
        values = model.loss(config, targets, built(asked, training=True))
    assert values.keys() == model.METRICS.keys()
    assert bool(np.any(values["stream_loss"])) == bool(stream_units)
    weights = [weight.value for weight in built.trainable_variables]
    gradients = tape.gradient(values["loss"], weights)
    assert all(np.isfinite(gradient).all() and np.abs(gradient).max() > 0 for gradient in gradients)


def test_the_loss_is_a_mean_over_symbols():
    """So that a batch of short and long transcripts weighs every symbol alike."""
    logits = tf.random.normal([2, 12, 7], seed=0)
    ids = tf.constant([[5, 6, 5, 6, 5], [5, 0, 0, 0, 0]])
    steps = tf.constant([12, 12])
    values = model.loss(ModelConfig(), {"ids": ids, "steps": steps}, {"logits": logits})["loss"]
    nats = [
        float(
            model.loss(
                ModelConfig(),
                {"ids": ids[row : row + 1], "steps": steps[:1]},
                {"logits": logits[row : row + 1]},
            )["loss"][0]
        )
        * symbols
        for row, symbols in enumerate((5, 1))
    ]
    assert float(tf.reduce_mean(values)) == pytest.approx(sum(nats) / 6, rel=1e-5)


def test_a_model_without_a_stream():
    config = ModelConfig(**{**SMALL, "stream_units": 0})
    built = model.build(config, fitted())
    assert model.stream(built) is None
    assert set(built(inputs(5, fitted().hop), training=False)) == {"logits"}


def test_time_is_shortened_by_convolutions():
    with pytest.raises(ValueError, match="8 frames a step need more convolutions"):
        model.build(ModelConfig(**SMALL), fitted(8))


def test_the_head_that_times_sees_few_steps_and_teaches_the_others_nothing():
    config, fit, built = network("with times")
    asked = inputs(20, fit.hop)
    expected = built(asked, training=False)["timing_logits"]
    later = {**asked, "samples": asked["samples"].copy()}
    later["samples"][:, 15 * fit.hop :] *= 3.0  # a constant would be filtered out
    found = built(later, training=False)["timing_logits"]
    # The features look a window ahead, and convolutions behind.
    same = 15 - config.timing - 1
    np.testing.assert_allclose(found[:, :same], expected[:, :same], atol=1e-4)
    assert np.abs(found - expected)[:, 15:].max() > 1e-3
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(built(asked)["timing_logits"] ** 2)
    own = {
        weight.path
        for weight, gradient in zip(
            built.trainable_weights, tape.gradient(value, built.trainable_weights), strict=True
        )
        if gradient is not None
    }
    assert {path.split("/")[0] for path in own} == {"timing", "timing_symbols"}


def test_times_do_not_depend_on_what_stands_behind():
    _, fit, built = network("with times")
    alone = inputs(7, fit.hop)
    padded = {**alone, "samples": np.pad(alone["samples"], [[0, 0], [0, 5 * fit.hop]])}
    expected = built(alone, training=False)["timing_logits"]
    found = built(padded, training=False)["timing_logits"]
    np.testing.assert_allclose(found[:, :7], expected, atol=1e-4)
