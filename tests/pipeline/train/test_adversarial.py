"""Adversarial training: the worst perturbation of its size, and a step that trains on it."""

import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from rnnsuite.core.errors import UserError
from rnnsuite.core.perturbation import Perturbation
from rnnsuite.pipeline.settings import Train
from rnnsuite.pipeline.train.adversarial import Adversary, worst
from rnnsuite.pipeline.train.step import Trainer

IDS = tf.constant([[1, 2, 3], [4, 1, 0]])
TARGETS = tf.constant([1.0, -2.0])


class TestWorst:
    @given(st.integers(0, 1000), st.floats(0.01, 0.9))
    def test_no_other_of_its_size_raises_a_linear_loss_more(self, seed, size):
        random = np.random.default_rng(seed)
        x, gradient, other = random.normal(size=[3, 2, 4, 5]).astype("float32")
        found = worst(tf.constant(x), tf.constant(1e-6 * gradient), size).numpy()
        norm = np.sqrt(np.sum(found**2, axis=(1, 2)))
        np.testing.assert_allclose(norm, size * np.sqrt(np.sum(x**2, axis=(1, 2))), rtol=1e-4)
        other *= (norm / np.sqrt(np.sum(other**2, axis=(1, 2))))[:, None, None]
        assert (np.sum(gradient * found, (1, 2)) >= np.sum(gradient * other, (1, 2))).all()

    def test_padding_counts_for_nothing(self):
        x = tf.ones([1, 4, 1])
        found = worst(x, tf.constant([[[1.0], [1.0], [0.0], [0.0]]]), 0.5)
        np.testing.assert_allclose(found[0, :, 0], [0.5, 0.5, 0.0, 0.0])

    def test_without_a_gradient_nothing_is_added(self):
        assert not np.any(worst(tf.ones([1, 2, 3]), tf.zeros([1, 2, 3]), 0.5))


def embedding_model():
    """Squares of summed embeddings, whose gradients are known."""
    keras.utils.set_random_seed(1)
    ids = keras.Input([None], dtype="int32")
    x = keras.layers.Embedding(6, 2, name="embedding")(ids)
    x = Perturbation(name="perturbation")(x)
    outputs = {"logits": keras.layers.Dense(1, use_bias=False)(keras.ops.sum(x, axis=1))}
    return keras.Model(ids, outputs)


def squared_error(config, targets, outputs):
    return {"loss": tf.square(outputs["logits"][:, 0] - targets)}


def trainer(model, **options):
    options = {
        "optimizer": "sgd",
        "schedule": "constant",
        "warmup": 0.0,
        "clip_norm": 0.0,
        **options,
    }
    model_part = types.SimpleNamespace(loss=squared_error)
    app = types.SimpleNamespace(model=model_part, data=types.SimpleNamespace(order="shuffled"))
    config = types.SimpleNamespace(model=None, train=Train(weight_decay=0.0, **options))
    return Trainer(
        app, model, config, 10, [tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None])]
    )


def expected(model, size):
    """Gradients of the mean of the loss and of that at the worst perturbation, by numpy."""
    table, kernel = (weight.numpy() for weight in model.weights)
    embedded = table[IDS.numpy()]
    parts = []
    perturbation = np.zeros_like(embedded)
    for _ in range(2):
        summed = (embedded + perturbation).sum(1)
        error = 2 * (summed @ kernel - TARGETS.numpy()[:, None]) / len(TARGETS)
        by_embedded = np.repeat((error @ kernel.T)[:, None], 3, axis=1)
        by_table = np.zeros_like(table)
        np.add.at(by_table, IDS.numpy(), by_embedded)
        parts.append((by_table, summed.T @ error))
        norms = [np.sqrt(np.sum(x**2, (1, 2), keepdims=True)) for x in (embedded, by_embedded)]
        perturbation = size * by_embedded * norms[0] / norms[1]
    return [(one + other) / 2 for one, other in zip(*parts, strict=True)]


def test_a_step_trains_on_both_the_example_and_the_perturbed_one():
    model = embedding_model()
    attacked = trainer(model, adversarial=0.3, learning_rate=1.0)
    before = [weight.numpy() for weight in model.weights]
    wanted = expected(model, 0.3)
    means, norm, finite = attacked.adversarial_step(IDS, TARGETS)
    assert bool(finite)
    # The optimizer has a Nesterov momentum of 0.9: its first step is 1.9 gradients long.
    for weight, old, gradient in zip(model.weights, before, wanted, strict=True):
        np.testing.assert_allclose(old - weight.numpy(), 1.9 * gradient, rtol=1e-4, atol=1e-6)
    total = np.sqrt(sum(np.sum(gradient**2) for gradient in wanted))
    assert float(norm) == pytest.approx(total, rel=1e-4)
    summed = before[0][IDS.numpy()].sum(1) @ before[1]
    assert float(means["loss"]) == pytest.approx(np.mean((summed[:, 0] - TARGETS) ** 2), rel=1e-4)


def test_the_plain_step_of_the_same_trainer_perturbs_nothing():
    model = embedding_model()
    other = keras.models.clone_model(model)
    other.set_weights(model.get_weights())
    attacked = trainer(model, adversarial=0.3)
    attacked.train_step(IDS, TARGETS)
    trainer(other).train_step(IDS, TARGETS)
    for one, two in zip(model.weights, other.weights, strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_model_without_embedded_tokens_is_refused():
    x = keras.Input([2])
    with pytest.raises(UserError, match=r"train\.adversarial: this model embeds no tokens"):
        Adversary(keras.Model(x, keras.layers.Dense(1)(x)), 0.1)


@pytest.mark.parametrize(
    ("size", "last", "wanted"), [(0.0, 2, []), (0.02, 2, [3, 4]), (0.02, 9, [0, 1, 2, 3, 4])]
)
def test_only_the_last_epochs_are_adversarial(size, last, wanted):
    attacked = trainer(embedding_model(), epochs=5, adversarial=size, adversarial_epochs=last)
    found = [epoch for epoch in range(5) if attacked.step(epoch) == attacked.adversarial_step]
    assert found == wanted
