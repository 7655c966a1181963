"""What every layer promises, checked of one layer and its inputs: `verify(layer, x)`."""

import contextlib
import functools
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnsuite.layers import Streamable, exporting

Inputs = Sequence[np.ndarray]


def verify(
    make: Callable[[], keras.layers.Layer],
    inputs: Inputs,
    folder: pathlib.Path,
    options: Mapping[str, Any] | None = None,
    is_float32: bool = False,
) -> None:
    """Fails where a layer breaks what all layers promise.

    Args:
        make: a new layer.
        inputs: arrays that a call takes, in its order.
        folder: for files.
        options: keyword arguments of calls, such as a mask.
        is_float32: whether it computes in float32 whatever the policy.
    """
    options = options or {}
    keras.utils.set_random_seed(7)
    layer = make()
    expected = call(layer, inputs, options)
    repeats_itself(layer, inputs, options, expected)
    has_its_output_shape(layer, inputs, expected)
    is_made_again_from_its_config(layer, inputs, options, expected)
    is_saved_and_loaded(layer, inputs, options, expected, folder / "layer.keras")
    exports(layer, inputs, options, expected, folder / "saved_model")
    has_the_gradient_of_finite_differences(layer, inputs, options)
    casts_integers(layer, inputs, options)
    computes_in_its_precision(make, inputs, options, is_float32)
    if isinstance(layer, Streamable):
        streams_as_the_whole(layer, inputs[0])


def call(layer, inputs: Inputs, options: Mapping[str, Any], **more) -> list[np.ndarray]:
    outputs = layer(*map(tf.constant, inputs), **options, **more)
    return [np.asarray(output) for output in tf.nest.flatten(outputs)]


def equal(found: Sequence, expected: Sequence, atol: float = 1e-5) -> None:
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=atol)


def repeats_itself(layer, inputs, options, expected) -> None:
    """Outside training nothing is drawn; in training the seed decides."""
    equal(call(layer, inputs, options), expected, atol=0)
    if "training" not in layer._call_signature.parameters:
        return
    seeds = [variable for variable in layer.variables if "seed" in variable.path]
    before = [seed.numpy() for seed in seeds]
    with kept(layer):
        first = call(layer, inputs, options, training=True)
    for seed, value in zip(seeds, before, strict=True):
        seed.assign(value)
    with kept(layer):
        equal(call(layer, inputs, options, training=True), first, atol=0)


@contextlib.contextmanager
def kept(layer):
    """Moving averages are after it what they were before."""
    values = [weight.numpy() for weight in layer.non_trainable_weights]
    yield
    for weight, value in zip(layer.non_trainable_weights, values, strict=True):
        weight.assign(value)


def has_its_output_shape(layer, inputs, expected) -> None:
    """compute_output_shape, and a symbolic call, tell what a call gives."""
    symbolic = [keras.KerasTensor(value.shape, str(value.dtype)) for value in inputs]
    told = tf.nest.flatten(layer.compute_output_spec(*symbolic))
    assert [tuple(spec.shape) for spec in told] == [value.shape for value in expected]


def remade(layer) -> keras.layers.Layer:
    config = keras.saving.serialize_keras_object(layer)
    return keras.saving.deserialize_keras_object(config)


def is_made_again_from_its_config(layer, inputs, options, expected) -> None:
    copy = remade(layer)
    call(copy, inputs, options)
    assert len(copy.weights) == len(layer.weights)
    copy.set_weights(layer.get_weights())
    equal(call(copy, inputs, options), expected)
    assert copy.get_config() == layer.get_config()


def is_saved_and_loaded(layer, inputs, options, expected, path) -> None:
    """As a part of a functional model, without custom_objects."""
    symbolic = [keras.Input(batch_shape=(None, *v.shape[1:]), dtype=str(v.dtype)) for v in inputs]
    masked = {}
    if "mask" in options:
        masked = {"mask": keras.Input(batch_shape=(None, *options["mask"].shape[1:]), dtype="bool")}
    outputs = tf.nest.flatten(layer(*symbolic, **masked))
    model = keras.Model([*symbolic, *masked.values()], outputs)
    model.save(path)
    loaded = keras.models.load_model(path)
    equal(tf.nest.flatten(loaded([*inputs, *options.values()])), expected)


def exports(layer, inputs, options, expected, folder) -> None:
    """A SavedModel of it answers the same, and holds no cuDNN operation."""
    module = tf.Module()
    module.weights = [weight.value for weight in layer.variables]

    def serve(*arguments):
        values = layer(*arguments, **options)
        return {f"y{number}": value for number, value in enumerate(tf.nest.flatten(values))}

    specs = [
        tf.TensorSpec([None, *value.shape[1:]], value.dtype, f"x{number}")
        for number, value in enumerate(inputs)
    ]
    with exporting("served"):
        traced = tf.function(serve, input_signature=specs).get_concrete_function()
        tf.saved_model.save(module, str(folder), signatures=traced)
    graph = traced.graph.as_graph_def(add_shapes=False)
    names = {node.op for node in graph.node}
    for function in graph.library.function:
        names |= {node.op for node in function.node_def}
    assert not [name for name in names if "cudnn" in name.lower()]
    answer = tf.saved_model.load(str(folder)).signatures["serving_default"]
    found = answer(**{f"x{number}": tf.constant(value) for number, value in enumerate(inputs)})
    equal([found[f"y{number}"] for number in range(len(expected))], expected)


def has_the_gradient_of_finite_differences(layer, inputs, options) -> None:
    """Along one random direction in all weights and real inputs together."""
    rng = np.random.default_rng(0)
    places = [i for i, value in enumerate(inputs) if value.dtype.kind == "f"]
    variables = [tf.Variable(inputs[i]) for i in places]
    weights = [weight.value for weight in layer.trainable_weights]
    for weight in weights:  # away from biases of zero, where ReLU of nothing but padding bends
        weight.assign_add(0.1 * rng.normal(size=weight.shape))
    with kept(layer):
        shares = [rng.normal(size=v.shape).astype("f") for v in call(layer, inputs, options)]
    sides = [rng.normal(size=v.shape).astype("f") for v in (*variables, *weights)]

    def value(step: float) -> float:
        moved = [step * side for side in sides]
        for variable, change in zip((*variables, *weights), moved, strict=True):
            variable.assign_add(change)
        result = float(loss())
        for variable, change in zip((*variables, *weights), moved, strict=True):
            variable.assign_sub(change)
        return result

    def loss():
        given = list(map(tf.constant, inputs))
        for i, variable in zip(places, variables, strict=True):
            given[i] = tf.convert_to_tensor(variable)
        outputs = tf.nest.flatten(layer(*given, **options))
        return tf.add_n(
            [
                tf.reduce_sum(tf.cast(share, tf.float64) * tf.cast(output, tf.float64))
                for share, output in zip(shares, outputs, strict=True)
            ]
        )

    with tf.GradientTape() as tape:
        result = loss()
    gradients = tape.gradient(result, [*variables, *weights])
    assert all(gradient is not None for gradient in gradients[len(variables) :])
    pairs = [pair for pair in zip(gradients, sides, strict=True) if pair[0] is not None]
    slope = sum(float(tf.reduce_sum(gradient * side)) for gradient, side in pairs)
    size = np.sqrt(sum(float(np.sum(np.square(side))) for side in sides)) or 1.0
    step = 3e-3 / size
    measured = (value(step) - value(-step)) / (2 * step)
    scale = np.sqrt(sum(float(tf.reduce_sum(tf.square(tf.convert_to_tensor(g)))) for g, _ in pairs))
    assert abs(slope - measured) <= 1e-2 * scale + 1e-3, (slope, measured)


def casts_integers(layer, inputs, options) -> None:
    """Integers, where numbers are wanted, are the same as those numbers in float32."""
    whole = [
        np.round(value * 2).astype("i4") if value.dtype.kind == "f" else value for value in inputs
    ]
    real = [
        value.astype("f") if given.dtype.kind == "f" else value
        for value, given in zip(whole, inputs, strict=True)
    ]
    equal(call(layer, whole, options), call(layer, real, options))


def computes_in_its_precision(make, inputs, options, is_float32) -> None:
    """With mixed_bfloat16 the outputs are bfloat16, and near those of float32."""
    layer = make()
    expected = call(layer, inputs, options)
    config = {**layer.get_config(), "dtype": "mixed_bfloat16"}
    before = keras.config.dtype_policy()
    try:
        if isinstance(layer, keras.layers.Wrapper):  # what it wraps has a policy of its own
            keras.config.set_dtype_policy("mixed_bfloat16")
            low = make()
        else:
            low = type(layer).from_config(config)
    finally:
        keras.config.set_dtype_policy(before)
    call_low = functools.partial(low, *map(tf.constant, inputs), **options)
    call_low()
    low.set_weights(layer.get_weights())
    for found, wanted in zip(tf.nest.flatten(call_low()), expected, strict=True):
        assert found.dtype == (tf.float32 if is_float32 else tf.bfloat16)
        np.testing.assert_allclose(tf.cast(found, tf.float32), wanted, atol=0.1, rtol=0.1)
    assert all(weight.dtype != "bfloat16" for weight in low.weights)


def streams_as_the_whole(layer, x) -> None:
    """Chunks of a sequence give what the whole gives, `look_ahead` steps later."""
    (expected,) = call(layer, (x,), {})
    states = layer.zeros(len(x))
    outputs = []
    for piece in np.split(x, 2, axis=1):
        output, states = layer.stream(tf.constant(piece), states)
        outputs.append(output)
    joined = tf.concat(outputs, axis=1)[:, layer.look_ahead :]
    np.testing.assert_allclose(joined, expected, atol=1e-4)
