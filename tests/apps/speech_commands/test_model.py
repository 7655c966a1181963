"""The model in its variants: equal as a stream, trainable, and saying what it cannot do."""

import numpy as np
import pytest
import tensorflow as tf

from apps.speech_commands import data, model, serve
from rnnsuite.app import Trained

LABELS = ("_silence_", "go", "stop")
SMALL = {"channels": (4, 4), "projection": 8, "units": 6, "stream_units": 6}
VARIANTS = {
    "lstm": ({}, {}),
    "gru, deep": ({"cell": "gru", "depth": 2, "stream_depth": 2}, {}),
    "mfcc": ({}, {"coefficients": 13}),
    "running mean": ({}, {"normalisation": "running"}),
    "three convolutions": ({"channels": (4, 4, 4)}, {}),
}


def fitted(labels=LABELS, bins=20, coefficients=0, normalisation="fixed"):
    width = coefficients or bins
    return data.Fitted(
        labels, 3200, bins, coefficients, normalisation, (-6.0,) * width, (3.0,) * width
    )


def clips(count=4):
    return 0.1 * np.random.default_rng(0).normal(size=[count, 3200]).astype(np.float32)


def targets(count=4):
    return {
        "label": tf.range(count) % 3,
        "steps": tf.repeat((tf.range(count) % 3)[:, None], 10, axis=1),
    }


@pytest.mark.parametrize("variant", VARIANTS)
def test_as_a_stream_and_in_training(variant):
    sizes, features = VARIANTS[variant]
    made = model.build(model.ModelConfig(**{**SMALL, **sizes}), fitted(**features))
    outputs = made(clips(), training=False)
    chain = model.stream(made)
    states, found = chain.zeros(4), []
    for piece in np.split(clips(), 10, axis=1):
        after = chain.chunk(tf.constant(piece), **states)
        found.append(after.pop("output"))
        states = after
    np.testing.assert_allclose(tf.concat(found, axis=1), outputs["frames"], atol=1e-4)
    with tf.GradientTape() as tape:
        values = model.loss(model.ModelConfig(), targets(), made(clips(), training=True))
    assert values.keys() == model.METRICS.keys()
    gradients = tape.gradient(values["loss"], [weight.value for weight in made.trainable_variables])
    assert all(np.isfinite(gradient).all() and np.abs(gradient).max() > 0 for gradient in gradients)


@pytest.mark.parametrize(
    ("sizes", "features"), [({"stream_units": 0}, {}), ({}, {"normalisation": "clip"})]
)
def test_without_a_stream(sizes, features):
    values = fitted(**features)
    made = model.build(model.ModelConfig(**{**SMALL, **sizes}), values)
    assert "stream" not in serve.signatures(Trained(config=None, fitted=values, model=made))
    assert set(model.loss(model.ModelConfig(), targets(), made(clips(), training=True))) == set(
        model.METRICS
    )


def test_in_training_another_row_comes_before():
    layer, x = model.PrependPreviousRow(), tf.reshape(tf.range(6.0), [3, 2, 1])
    np.testing.assert_array_equal(layer(x), x)
    np.testing.assert_array_equal(
        layer(x, training=True)[..., 0], [[4, 5, 0, 1], [0, 1, 2, 3], [2, 3, 4, 5]]
    )


def test_steps_of_the_loss_belong_to_the_same_rows():
    wanted = targets()
    steps = tf.concat([tf.roll(wanted["steps"], 1, axis=0), wanted["steps"]], axis=1)
    outputs = {
        "logits": tf.zeros([4, 3]),
        "frames": 50.0 * tf.one_hot(steps, 3),
        "decision": tf.zeros([4, 3]),
    }
    np.testing.assert_allclose(
        model.loss(model.ModelConfig(), wanted, outputs)["stream_loss"], 0, atol=1e-6
    )
    unknown = {**wanted, "steps": tf.fill([4, 10], -1)}
    np.testing.assert_array_equal(
        model.loss(model.ModelConfig(), unknown, outputs)["stream_loss"], [0] * 4
    )


def test_what_was_heard_is_the_end_of_the_word():
    frames = np.full([3, 50, 3], -9.0, np.float32)
    frames[:, :, 0] = 9  # silence
    frames[0, 10:28] = [-9, 9, 0]  # "go" at first
    frames[0, 28:40] = [-9, 0, 9]  # "stop" in the end
    frames[1, 40:50] = [-9, 9, 0]
    shares = model.StreamDecision(0, 50)(frames).numpy()
    assert shares.argmax(axis=1).tolist() == [2, 1, 0]
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-6)
    assert model.StreamDecision(-1, 50)(frames[:, :, 1:]).shape == (3, 2)
