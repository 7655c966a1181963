import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnsuite.core import context
from rnnsuite.layers import GRU, LSTM, SimpleRNN, Stack
from rnnsuite.pipeline.train import health


def model(cell, time=40, units=8, scale=None, **options):
    x = keras.Input([time, 3])
    layer = cell(units, name="memory", **options)
    out = keras.Model(x, keras.layers.Dense(1, name="answer")(layer(x)))
    if scale is not None:
        kernel = layer.cell.recurrent_kernel
        kernel.assign(scale * np.linalg.qr(np.random.default_rng(0).normal(size=kernel.shape))[0])
    return out


def data(time=40, rows=4):
    rng = np.random.default_rng(1)
    return rng.normal(scale=0.1, size=[rows, time, 3]).astype("float32"), np.ones(
        [rows, 1], "float32"
    )


def measured(net, x, y):
    return health.measure(net, lambda: tf.reduce_mean((net(x) - y) ** 2))


@pytest.mark.parametrize("cell", [SimpleRNN, GRU, LSTM])
def test_gradients_are_those_of_the_ordinary_run(cell):
    net, (x, y) = model(cell), data()
    found = measured(net, x, y)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((net(x) - y) ** 2)
    weights = [weight.value for weight in net.trainable_variables]
    gradients = tape.gradient(loss, weights)
    recurrent = float(tf.linalg.global_norm(gradients[:3]))
    inner = next(path for path in found["layers"] if "memory" in path)
    np.testing.assert_allclose(found["layers"][inner]["gradient"], recurrent, rtol=1e-4)
    np.testing.assert_allclose(
        found["layers"]["answer"]["weight"], float(tf.linalg.global_norm(weights[3:])), rtol=1e-6
    )


def test_state_gradient_is_the_product_of_the_jacobians():
    """Of a linear network, dL/dh_t is dL/dh_T times the transposed kernel to the power T - t."""
    net, (x, y) = model(SimpleRNN, time=25, activation="linear"), data(25)
    (norms,) = measured(net, x, y)["states"].values()
    upstream = 2 * (net(x).numpy() - y) / len(x) * net.get_layer("answer").kernel.numpy().T
    kernel = net.get_layer("memory").cell.recurrent_kernel.numpy()
    expected = [
        np.linalg.norm(upstream @ np.linalg.matrix_power(kernel.T, 24 - t)) for t in range(25)
    ]
    np.testing.assert_allclose(norms, expected, rtol=1e-3)


def test_vanishing_and_exploding_are_named_with_a_remedy():
    x, y = data()
    (vanishing,) = health.warnings(measured(model(SimpleRNN, scale=0.5), x, y))
    assert "memory" in vanishing
    assert "vanishes" in vanishing
    assert "LSTM" in vanishing
    (exploding,) = health.warnings(measured(model(SimpleRNN, scale=1.5, activation="linear"), x, y))
    assert "explodes" in exploding
    assert "clip_norm" in exploding
    assert health.warnings(measured(model(SimpleRNN, scale=1.0, activation="linear"), x, y)) == []


def test_attention_to_the_end_is_no_explosion():
    norms = [*[0.5] * 10, *[1e-6] * 40]
    between = [*[0.5] * 6, *[2.0] * 4, *[1e-6] * 40]
    for each in (norms, between):
        assert health.warnings({"states": {"a": each}, "layers": {}}) == []
    assert "explodes" in health.warnings({"states": {"a": [2.0, *norms]}, "layers": {}})[0]


def test_clipping_unreached_layers_and_nan_are_named():
    healthy = {"states": {}, "layers": {"a": {"gradient": 1.0, "weight": 1.0}}}
    assert health.warnings(healthy, clipped=0.2) == []
    assert "clipped" in health.warnings(healthy, clipped=0.9)[0]
    assert (
        "no gradient reaches"
        in health.warnings({"states": {}, "layers": {"a": {"gradient": 0.0}}})[0]
    )
    assert (
        "not finite"
        in health.warnings({"states": {}, "layers": {"a": {"gradient": float("nan")}}})[0]
    )


def test_updates_are_relative_to_the_weights():
    net = model(GRU)
    before = [weight.numpy() for weight in net.trainable_variables]
    for weight in net.trainable_variables:
        weight.assign(weight * 1.01)
    assert all(
        abs(ratio - 0.01) < 1e-4
        for ratio in health.updates(before, net.trainable_variables).values()
    )


def test_states_are_recorded_with_padding_and_in_both_directions():
    x = keras.Input([None, 3])
    mask = keras.Input([None], dtype="bool")
    stack = Stack("lstm", 4, depth=2, bidirectional=True)
    net = keras.Model([x, mask], stack(x, mask=mask))
    values, _ = data(6)
    real = np.arange(6)[None] < np.array([6, 3, 1, 0])[:, None]
    expected = net([values, real])
    found = health.measure(net, lambda: tf.reduce_sum(net([values, real]) ** 2))
    assert len(found["states"]) == 4
    assert all(len(norms) == 6 for norms in found["states"].values())
    with context.record_states():
        np.testing.assert_allclose(net([values, real]), expected, atol=1e-6)


def test_callback_of_fit(caplog):
    net, (x, y) = model(SimpleRNN, scale=0.5), data(rows=8)
    net.compile("adam", "mse")
    callback = health.GradientHealth(x[:4], y[:4])
    net.fit(x, y, epochs=2, batch_size=4, callbacks=[callback], verbose=0)
    assert len(callback.history) == 2
    assert all(0 < ratio < 1 for ratio in callback.history[0]["updates"].values())
    assert "vanishes" in caplog.text
