"""Recurrent networks from a window to the mean and the quantiles of the horizon."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from rnnsuite.app import Model, Trained
from rnnsuite.core.errors import UserError
from rnnsuite.core.fields import Record
from rnnsuite.layers import Dropout, Stack
from rnnsuite.tasks.forecasting import losses
from rnnsuite.tasks.forecasting.distributions import DISTRIBUTIONS

from . import autoregressive
from .config import ModelConfig
from .data import Fitted, inputs
from .neighbours import Identities, Neighbours, apart, side_by_side

CALIBRATED = 256
"""Windows of a batch from which intervals are calibrated."""


def build(config: ModelConfig, fitted: Fitted) -> keras.Model:
    """The network.

    Args:
        config: sizes and regularisation.
        fitted: gives look-back, horizon and the features beside each step.

    Returns:
        A model from `values` and `observed` `[batch, look-back]`, `features` `[batch, look-back +
        horizon, features]`, where there are any, and `ahead` `[batch, horizon, 2]`, the values of
        the horizon and which of them are observed, all scaled. An autoregressive one reads `ahead`
        and gives the `numbers` of distributions `[batch, horizon, size]`; others do not read it and
        give `mean` `[batch, horizon]` and `quantiles` `[batch, horizon, levels]`. Where series are
        forecast together, all but the features have an axis of series behind that of time.

    Raises:
        UserError: for segments that do not divide look-back and horizon, levels that do not rise,
            or a distribution of counts for what is no count.
    """
    if sorted(set(config.levels)) != list(config.levels):
        raise UserError(f"model.levels: {list(config.levels)} do not rise.")
    lookback = fitted.lookback
    horizon = fitted.horizon
    series = fitted.series_axis()
    shapes = {
        "values": [lookback, *series],
        "observed": [lookback, *series],
        "ahead": [horizon, *series, 2],
    }
    network_inputs = {name: keras.Input(shape, name=name) for name, shape in shapes.items()}
    if fitted.features():
        network_inputs["features"] = keras.Input(
            [lookback + horizon, fitted.features()], name="features"
        )
    if config.kind == "autoregressive":
        autoregressive.check(config, fitted)
        outputs = {"numbers": autoregressive.numbers(config, fitted, network_inputs)}
    else:
        outputs = _direct(config, fitted, network_inputs)
    return keras.Model(network_inputs, outputs, name="forecasting")


def _direct(config: ModelConfig, fitted: Fitted, network_inputs: Mapping[str, Any]) -> dict:
    """`mean` and `quantiles` of the horizon at once.

    Series together are rows of one network, each told which one it is and, with
    `model.neighbours`, what it hears of the others.
    """
    lookback = fitted.lookback
    count = len(fitted.together)
    series = [network_inputs["values"], network_inputs["observed"]]
    beside_steps = [network_inputs["features"]] if fitted.features() else []
    if count:
        if config.neighbours:
            heard, vectors = Neighbours(config.vectors, name="neighbours")(series[0])
            series.append(heard)
        else:
            vectors = Identities(config.vectors, name="identities")(series[0])
        series = [apart(part) for part in series]
        beside_steps = [ops.repeat(part, count, axis=0) for part in beside_steps]
        vectors = ops.expand_dims(apart(vectors), 1)
        beside_steps.append(ops.repeat(vectors, lookback + fitted.horizon, axis=1))
    past = ops.stack(series, axis=-1)
    features = None
    if beside_steps:
        features = ops.concatenate(beside_steps, axis=-1)
        past = ops.concatenate([past, features[:, :lookback]], axis=-1)
        features = features[:, lookback:]
    read = _segments if config.kind == "segments" else _steps
    h, steps = read(config, fitted, past, features)
    size = 1 + len(config.levels)
    numbers = keras.layers.Dense(steps * size, dtype="float32", name="head")(
        Dropout(config.dropout)(h)
    )
    numbers = ops.reshape(numbers, [-1, fitted.horizon, size])
    if config.linear:
        numbers = numbers + _linear(fitted.horizon, size, series[0::2], features)
    numbers = side_by_side(numbers, count) if count else numbers
    return {"mean": numbers[..., 0], "quantiles": ops.sort(numbers[..., 1:], axis=-1)}


def _linear(horizon: int, size: int, values: Sequence[Any], features):
    """What a linear model adds to the numbers of every step: of the window's values, with what is
    heard of the others, the same to all of them, and of the step's features.

    It begins with nothing, so that training begins with the network alone.
    """
    options = {"kernel_initializer": "zeros", "dtype": "float32"}
    of_values = keras.layers.Dense(horizon, name="linear", **options)
    # Not left to broadcasting: the converter to .tflite trips over it.
    numbers = ops.repeat(of_values(ops.concatenate(values, axis=-1))[..., None], size, axis=-1)
    if features is not None:
        of_features = keras.layers.Dense(size, use_bias=False, name="linear_features", **options)
        numbers = numbers + of_features(features)
    return numbers


def _segments(config: ModelConfig, fitted: Fitted, past, features) -> tuple[Any, int]:
    """The horizon's segments `[batch, segments, units]`, and the steps of one (SegRNN,
    arXiv 2308.11200): one recurrent network reads the past segment by segment, and goes one step
    on from its last state for every segment to come.
    """
    steps = config.segment
    if fitted.lookback % steps or fitted.horizon % steps:
        raise UserError(
            f"model.segment: {steps} does not divide data.lookback ({fitted.lookback}) and "
            f"data.horizon ({fitted.horizon})."
        )
    count = fitted.horizon // steps
    x = _cut(past, fitted.lookback // steps)
    x = keras.layers.Dense(config.units, activation="relu", name="past")(x)
    stack = _stack(config)
    begin = {name: ops.zeros_like(x[:, 0, :]) for name in stack.states}
    _, states = stack(x, states=begin)
    ahead = ops.zeros_like(x[:, :1, :1]) + ops.eye(count)[None]
    if features is not None:
        ahead = ops.concatenate([ahead, _cut(features, count)], axis=-1)
    ahead = keras.layers.Dense(config.units, name="future")(ahead)
    ahead = ops.reshape(ahead, [-1, 1, config.units])
    states = {name: ops.repeat(state, count, axis=0) for name, state in states.items()}
    h, _ = stack(ahead, states=states)
    return ops.reshape(h, [-1, count, config.units]), steps


def _steps(config: ModelConfig, fitted: Fitted, past, features) -> tuple[Any, int]:
    """The steps of the horizon `[batch, horizon, units]`: a second network goes on from the states
    of that which read the past, and reads what is known of each step to come.
    """
    stack = _stack(config)
    begin = {
        name: ops.zeros_like(past[:, 0, :1]) + ops.zeros(shape)
        for name, shape in stack.states.items()
    }
    _, states = stack(past, states=begin)
    horizon = fitted.horizon
    place = ops.arange(1, horizon + 1, dtype="float32") / horizon
    ahead = ops.zeros_like(past[:, :1, :1]) + place[None, :, None]
    if features is not None:
        ahead = ops.concatenate([ahead, features], axis=-1)
    further = _stack(config, "further")
    h, _ = further(ahead, states=states)
    return h, 1


def _stack(config: ModelConfig, name: str = "recurrent") -> Stack:
    return Stack(config.cell, config.units, config.depth, dropout=config.dropout, name=name)


def _cut(x, count: int):
    """`[batch, time, features]` in so many segments, each one vector."""
    return ops.reshape(x, [-1, count, x.shape[1] // count * x.shape[2]])


def forecast(
    config: ModelConfig,
    fitted: Fitted,
    model: keras.Model,
    window: Mapping[str, tf.Tensor],
    scale: tf.Tensor,
) -> dict[str, tf.Tensor]:
    """What a trained network says of windows.

    Args:
        config: its configuration.
        fitted: as it was built.
        model: the network.
        window: `values`, `observed` and `features` of scaled windows.
        scale: of them `[batch, 1]`.

    Returns:
        `mean` `[batch, horizon]` and `quantiles` `[batch, horizon, levels]`, scaled.
    """
    if config.kind == "autoregressive":
        drawn = autoregressive.paths(config, fitted, model, window, scale)
        return {
            "mean": tf.reduce_mean(drawn, axis=1),
            "quantiles": autoregressive.quantiles(drawn, tf.constant(config.levels, tf.float32)),
        }
    shape = model.input["ahead"].shape[1:]
    ahead = tf.zeros([tf.shape(window["values"])[0], *shape])
    return model({**window, "ahead": ahead}, training=False)


def loss(
    config: ModelConfig, targets: Mapping[str, tf.Tensor], outputs: Mapping[str, Any]
) -> dict[str, tf.Tensor]:
    """See `rnnsuite.tasks.forecasting.losses`."""
    absolute = config.error == "absolute"
    if config.kind == "autoregressive":
        scale = targets["scale"][:, None]
        distribution = DISTRIBUTIONS[config.distribution](outputs["numbers"], scale)
        return losses.likelihood(targets, distribution, config.levels, absolute)
    weights = (config.quantile_weight, config.frequency_weight)
    return losses.loss(targets, outputs, config.levels, absolute, *weights)


def calibrate(trained: Trained, records: Sequence[Record]) -> Mapping[str, Any]:
    """What held-out windows add to the quantiles, scaled; see `losses.conformal`."""
    config = trained.config.model
    if not config.conformal:
        return {}
    windowed = trained.fitted.windowed()
    series = len(trained.fitted.together)
    names = ["values", "times"] + ["covariates"] * bool(trained.fitted.covariates)
    truth = []
    quantiles = []
    for start in range(0, len(records), CALIBRATED):
        batch = records[start : start + CALIBRATED]
        columns = {name: np.stack([record[name] for record in batch]) for name in (*names, "truth")}
        window = windowed(*(tf.constant(columns[name]) for name in names))
        outputs = forecast(config, trained.fitted, trained.model, inputs(window), window.scale)
        quantiles.append(outputs["quantiles"].numpy())
        level = windowed.level(tf.constant(columns["truth"]))
        truth.append(((level - window.center) / window.scale).numpy())
    if series:
        truth = [part.swapaxes(1, 2).reshape(-1, part.shape[1]) for part in truth]
        quantiles = [part.swapaxes(1, 2).reshape(-1, *part.shape[1::2]) for part in quantiles]
    added = losses.conformal(np.concatenate(truth), np.concatenate(quantiles), config.levels)
    return {"added": added}


MODEL = Model(
    config=ModelConfig,
    build=build,
    loss=loss,
    metrics={"loss": "min", "error": "min", "quantile_loss": "min"},
    calibrate=calibrate,
)
