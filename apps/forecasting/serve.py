"""How a trained model is asked: values and their times on a server, a window on a device."""

import dataclasses
import functools
import json
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from rnnsuite.app import Device, OnDevice, Serving, Signature, Trained
from rnnsuite.core.fields import Array, Record
from rnnsuite.data.frequency import Frequency, written
from rnnsuite.device import window
from rnnsuite.tasks.forecasting.distributions import between
from rnnsuite.tasks.forecasting.fields import Times

from .data import inputs
from .model import forecast

SETTINGS = "window.json"
"""The file with what a window is, beside .tflite files."""
TOLERANCE = 1e-6
"""By which a level may be beyond those of training, for float32's sake."""
EXAMPLE = 48
"""Values of the request by which a server is warmed up."""


@dataclasses.dataclass(frozen=True)
class Answer:
    """The values that follow.

    Args:
        mean: of each step; of several series together, one for each.
        quantiles: of each step, and each of several series, one for each level.
        levels: of the quantiles.
        times: of each step, in seconds since 1970.
    """

    mean: tuple[Any, ...]
    quantiles: tuple[Any, ...]
    levels: tuple[float, ...]
    times: tuple[int, ...]


def signatures(trained: Trained) -> dict[str, Signature]:
    """Of several series together, values have an axis of series behind that of time in all of them.

    serving_default takes `values` and `times` `[batch, time]` and, of a model that has some,
    `covariates` `[batch, time + horizon, covariates]`; forecast also the optional inputs `horizon`,
    for fewer steps, and `levels`, for quantiles between those of training. observe takes one more
    `value` at its `time` `[batch, 1]` and the `window` `[batch, look-back]` of those before, NaN at
    first, and gives the window for the next call. forecast_window takes a scaled window.

    All give `mean` `[batch, horizon]` and `quantiles` `[batch, horizon, levels]`, all but
    forecast_window also `levels` `[batch, levels]` and `times` `[batch, horizon]`.
    """
    fitted = trained.fitted
    scaled = functools.partial(_unscaled, trained)
    whole = functools.partial(_forecast, trained)
    series = fitted.series_axis()
    wave = np.sin(np.arange(EXAMPLE, dtype=np.float32))
    specs = {
        "values": tf.TensorSpec([None, None, *series], tf.float32, name="values"),
        "times": tf.TensorSpec([None, None], tf.int64, name="times"),
    }
    example = {
        "values": np.broadcast_to(wave.reshape([1, -1, *[1] * len(series)]), [1, EXAMPLE, *series]),
        "times": Frequency(fitted.step, fitted.unit).times(0, EXAMPLE)[None],
    }
    count = len(fitted.covariates)
    if count:
        specs["covariates"] = tf.TensorSpec([None, None, count], tf.float32, name="covariates")
        example["covariates"] = np.zeros([1, EXAMPLE + fitted.horizon, count], np.float32)
    defaults = {
        "horizon": np.array(fitted.horizon, np.int32),
        "levels": np.array(trained.config.model.levels, np.float32),
    }
    optional = {
        "horizon": tf.TensorSpec([], tf.int32, name="horizon"),
        "levels": tf.TensorSpec([None], tf.float32, name="levels"),
    }
    return {
        "serving_default": Signature(whole, specs, example),
        "forecast": Signature(
            functools.partial(_chosen, trained),
            {**specs, **optional},
            {**example, **defaults},
            defaults=defaults,
        ),
        "observe": _observe_signature(trained),
        "forecast_window": _window_signature(trained, scaled),
    }


def _unscaled(trained: Trained, center, scale, **network_inputs) -> dict[str, tf.Tensor]:
    """What the network answers to scaled windows, in the scale of the series."""
    outputs = forecast(trained.config.model, trained.fitted, trained.model, network_inputs, scale)
    quantiles = outputs["quantiles"]
    if "added" in trained.calibration:
        added = tf.constant(trained.calibration["added"])
        added = added[:, None] if trained.fitted.together else added
        quantiles = tf.sort(quantiles + added, axis=-1)
    value = trained.fitted.windowed().value
    return {
        "mean": value(center + scale * outputs["mean"]),
        "quantiles": value(center[..., None] + scale[..., None] * quantiles),
    }


def _forecast(trained: Trained, values, times, covariates=None) -> dict[str, tf.Tensor]:
    fitted = trained.fitted
    shape = tf.shape(values)[:2]
    checks = [
        tf.debugging.assert_equal(tf.shape(times), shape, "a time for each value"),
        tf.debugging.assert_positive(shape[1], "at least one value"),
    ]
    if covariates is not None:
        reached = tf.shape(covariates)[1] - shape[1]
        message = f"covariates must reach {fitted.horizon} steps beyond the values"
        checks.append(tf.debugging.assert_equal(reached, fitted.horizon, message))
    with tf.control_dependencies(checks):
        windows = fitted.windowed()(tf.identity(values), times, covariates)
    levels = tf.constant([trained.config.model.levels], tf.float32)
    return {
        **_unscaled(trained, windows.center, windows.scale, **inputs(windows)),
        "levels": tf.tile(levels, [shape[0], 1]),
        "times": windows.times,
    }


def _chosen(
    trained: Trained, values, times, horizon, levels, covariates=None
) -> dict[str, tf.Tensor]:
    """A forecast of so many steps and of these quantiles."""
    most = trained.fitted.horizon
    trained_levels = trained.config.model.levels
    low = trained_levels[0]
    high = trained_levels[-1]
    is_between = tf.reduce_all((levels >= low - TOLERANCE) & (levels <= high + TOLERANCE))
    checks = [
        tf.debugging.Assert(
            (horizon >= 1) & (horizon <= most),
            [f"horizon must be between 1 and the {most} steps of the model"],
        ),
        tf.debugging.Assert(is_between, [f"levels must be between {low:g} and {high:g}"]),
    ]
    with tf.control_dependencies(checks):
        answer = _forecast(trained, values, times, covariates)
    rows = tf.shape(answer["levels"])[0]
    answer["quantiles"] = between(answer["quantiles"], trained_levels, levels)
    shortened = {name: answer[name][:, :horizon] for name in ("mean", "quantiles", "times")}
    return {**shortened, "levels": tf.tile(levels[None], [rows, 1])}


def _observe_signature(trained: Trained) -> Signature:
    fitted = trained.fitted
    lookback = fitted.lookback
    windowed = fitted.windowed()

    def observe(window, value, time, covariates=None):
        values = tf.concat([window[:, 1:], value], axis=1)
        answer = _forecast(trained, values, windowed.times_up_to(time), covariates)
        return {**answer, "window": values}

    series = fitted.series_axis()
    inputs = {
        "window": tf.TensorSpec([None, lookback, *series], tf.float32, name="window"),
        "value": tf.TensorSpec([None, 1, *series], tf.float32, name="value"),
        "time": tf.TensorSpec([None, 1], tf.int64, name="time"),
    }
    count = len(fitted.covariates)
    if count:
        shape = [None, lookback + fitted.horizon, count]
        inputs["covariates"] = tf.TensorSpec(shape, tf.float32, name="covariates")
    example = {
        name: np.ones([1, *spec.shape[1:]], spec.dtype.as_numpy_dtype)
        for name, spec in inputs.items()
    }
    return Signature(observe, inputs, example)


def _window_signature(trained: Trained, scaled: Any) -> Signature:
    config = trained.config.model
    shapes = {
        name: list(value.shape)
        for name, value in trained.model.input.items()
        if name != "ahead"  # which is taught, and not asked
    }
    series = trained.fitted.series_axis()
    shapes |= {"center": [None, 1, *series], "scale": [None, 1, *series]}
    return Signature(
        scaled,
        {name: tf.TensorSpec(shape, tf.float32, name=name) for name, shape in shapes.items()},
        {name: np.ones([1, *shape[1:]], np.float32) for name, shape in shapes.items()},
        # The quantiles of counts need an operation that devices do not have.
        lite=(config.kind, config.distribution) != ("autoregressive", "negative_binomial"),
    )


def device_files(trained: Trained) -> dict[str, bytes]:
    """What a window is, and the code that makes it."""
    settings = dataclasses.asdict(trained.fitted)
    settings["levels"] = list(trained.config.model.levels)
    return {
        SETTINGS: (json.dumps(settings, indent=1) + "\n").encode(),
        "window.py": pathlib.Path(window.__file__).read_bytes(),
    }


def open_device(folder: pathlib.Path) -> OnDevice:
    """A record to a scaled window, and the outputs to an answer."""
    scaled = window.Window(json.loads((folder / SETTINGS).read_text(encoding="utf-8")))

    def request(record: Record) -> dict[str, np.ndarray]:
        return scaled(record["values"], record["times"], record.get("covariates"))

    def answer(outputs: Mapping[str, np.ndarray]) -> dict[str, Any]:
        levels = np.array(scaled.settings["levels"], np.float32)
        return {"mean": outputs["mean"][0], "quantiles": outputs["quantiles"][0], "levels": levels}

    return OnDevice(request, answer)


def show(fitted: Any, answer: Mapping[str, Any]) -> list[str]:
    """A line a step, and one for each of several series: its time, the mean, and the quantiles."""
    frequency = Frequency(fitted.step, fitted.unit)
    levels = [f"{level:.4g}" for level in answer.get("levels", ())]
    widest = max((len(name) for name in fitted.together), default=0)
    first = ["time".ljust(19), "mean".rjust(10), *(f"q{x}".rjust(10) for x in levels)]
    lines = ["  ".join([*(["series".ljust(widest)] if widest else []), *first])]
    times = answer.get("times", range(1, len(answer["mean"]) + 1))
    for time, mean, row in zip(times, answer["mean"], answer["quantiles"], strict=True):
        place = written(int(time), frequency).ljust(19)
        series = zip(fitted.together, mean, row, strict=True) if widest else [("", mean, row)]
        for name, one, quantiles in series:
            cells = [f"{value:10.4g}" for value in (one, *quantiles)]
            lines.append("  ".join([*([name.ljust(widest)] if widest else []), place, *cells]))
    return lines


SERVING = Serving(
    fields={
        "values": Array(
            None,
            missing=True,
            meaning="observations, oldest first, null where one is missing; of several series "
            "together, a list of them for each time",
        ),
        "times": Times(),
        "covariates": Array(
            (None, None),
            missing=True,
            optional=True,
            meaning="what is known beside each value and each step to come",
        ),
    },
    answer=Answer,
    signatures=signatures,
    device=Device(files=device_files, open=open_device),
    show=show,
)
