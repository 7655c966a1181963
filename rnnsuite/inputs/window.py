"""The last values of series, scaled, with the calendar: what a forecasting network reads."""

import dataclasses
from typing import NamedTuple

import tensorflow as tf

from rnnsuite.core.names import Center, Scale
from rnnsuite.inputs import calendar

SMALLEST = 1e-6
"""Of a scale, times the center's size: a constant series is not scaled up to noise."""


class Windows(NamedTuple):
    """A batch of scaled windows.

    Args:
        values: `[batch, look-back]`, scaled; 0 where an observation is missing.
        observed: `[batch, look-back]`, 1 where there is an observation, else 0.
        features: `[batch, look-back + horizon, features]` of the calendar, and the covariates; None
            where there are neither.
        center, scale: `[batch, 1]`; a value's level is center + scale times what the network works
            with.
        times: of the horizon, int64 `[batch, horizon]`.

    Of several series side by side, values and observed are `[batch, look-back, series]`, center and
    scale `[batch, 1, series]`.
    """

    values: tf.Tensor
    observed: tf.Tensor
    features: tf.Tensor | None
    center: tf.Tensor
    scale: tf.Tensor
    times: tf.Tensor


@dataclasses.dataclass(frozen=True)
class Windowed:
    """Raw series to scaled windows, as operations of a graph.

    Args:
        lookback: values that are read; before the first of a shorter series they are missing.
        horizon: steps that are forecast.
        step: seconds between observations, or months if `months`; numbers of observations if
            neither.
        unit: second, month or step.
        center, scale: what of a window's observations is subtracted, and what they are divided by:
            their standard deviation, mean absolute value (both about the center), the range
            between their quartiles, or the series' own number in `scales` (training).
        waves: of the calendar; see `rnnsuite.inputs.calendar.waves`.
        power: of (1 + value), which is scaled, at 0 its logarithm; what is below 0 is taken for 0.
            At 1 the values themselves are scaled.
        scales: what each of several series side by side is divided by where `scale` is training.
    """

    lookback: int
    horizon: int
    step: int
    unit: str
    center: Center
    scale: Scale
    waves: tuple[tuple[int, int], ...]
    power: float = 1.0
    scales: tuple[float, ...] = ()

    def level(self, values: tf.Tensor) -> tf.Tensor:
        """What is scaled of values: they themselves, or ((1 + value)^power - 1) / power (Box & Cox,
        1964); NaN stays.
        """
        if self.power == 1:
            return values
        levels = tf.math.log1p(tf.where(values < 0, 0.0, values))
        return tf.math.expm1(self.power * levels) / self.power if self.power else levels

    def value(self, levels: tf.Tensor) -> tf.Tensor:
        """The reverse of `level`, at least 0 for a power below 1."""
        if self.power == 1:
            return levels
        levels = tf.maximum(levels, 0.0)
        if self.power:
            levels = tf.math.log1p(self.power * levels) / self.power
        return tf.math.expm1(levels)

    def __call__(
        self, values: tf.Tensor, times: tf.Tensor, covariates: tf.Tensor | None = None
    ) -> Windows:
        """The windows at the end of series.

        Args:
            values: `[batch, time]`, NaN where an observation is missing; or `[batch, time, series]`
                of several series side by side, each of which is scaled by itself.
            times: int64 `[batch, time]`.
            covariates: `[batch, time + horizon, covariates]`, NaN where one is not known.
        """
        if len(values.shape) == 3:
            return self._side_by_side(values, times, covariates)
        values = self.level(values)
        more = tf.maximum(self.lookback - tf.shape(values)[1], 0)
        after = self._after(times)
        times = self._before(times, more)[:, -self.lookback :]
        nan = tf.constant(float("nan"))
        values = tf.pad(values, [[0, 0], [more, 0]], constant_values=nan)[:, -self.lookback :]
        observed = tf.math.is_finite(values)
        center = self._center(values, observed)
        scale = self._scale(values, observed, center)
        scaled = tf.where(observed, (values - center) / scale, tf.zeros_like(values))
        shape = tf.stack([tf.shape(values)[0], self.lookback])
        whole = tf.concat([times, after], axis=1)
        return Windows(
            tf.ensure_shape(tf.reshape(scaled, shape), [None, self.lookback]),
            tf.ensure_shape(tf.cast(observed, tf.float32), [None, self.lookback]),
            self._features(whole, covariates, more),
            center,
            scale,
            after,
        )

    def _side_by_side(self, values, times, covariates) -> Windows:
        count = values.shape[2]
        rows = tf.reshape(tf.transpose(values, [0, 2, 1]), [-1, tf.shape(values)[1]])
        beside = None if covariates is None else tf.repeat(covariates, count, axis=0)
        window = self(rows, tf.repeat(times, count, axis=0), beside)

        def turned(x):
            return tf.transpose(tf.reshape(x, [-1, count, x.shape[1]]), [0, 2, 1])

        sizes = tf.constant(self.scales or [1.0] * count)
        return Windows(
            turned(window.values) / sizes,
            turned(window.observed),
            None if window.features is None else window.features[::count],
            turned(window.center),
            turned(window.scale) * sizes,
            window.times[::count],
        )

    def _features(self, times, covariates, more) -> tf.Tensor | None:
        width = self.lookback + self.horizon
        parts = []
        if self.waves:
            shown = calendar.features(times, self.waves)
            parts.append(tf.ensure_shape(shown, [None, width, 2 * len(self.waves)]))
        if covariates is not None:
            beside = tf.pad(covariates, [[0, 0], [more, 0], [0, 0]])[:, -width:]
            beside = tf.where(tf.math.is_finite(beside), beside, tf.zeros_like(beside))
            parts.append(tf.ensure_shape(beside, [None, width, covariates.shape[2]]))
        return tf.concat(parts, axis=-1) if parts else None

    def times_up_to(self, time: tf.Tensor) -> tf.Tensor:
        """The times of the window `[batch, look-back]` that ends with a time `[batch, 1]`."""
        return self._before(time, tf.constant(self.lookback - 1))

    def _distance(self, times: tf.Tensor) -> tf.Tensor:
        """Of neighbours `[batch, 1]`: that of a row's last two, so that each has a step of its own;
        the trained one where there is one time alone.
        """
        trained = tf.fill([tf.shape(times)[0], 1], tf.constant(self.step, tf.int64))
        if self.unit == "month":
            return trained
        last = times[:, -1:] - times[:, -2:-1]
        return tf.cond(tf.shape(times)[1] > 1, lambda: last, lambda: trained)

    def _after(self, times: tf.Tensor) -> tf.Tensor:
        steps = tf.range(1, self.horizon + 1, dtype=tf.int64)[None]
        distance = self._distance(times)
        if self.unit == "month":
            return calendar.add_months(times[:, -1:], steps * distance)
        return times[:, -1:] + steps * distance

    def _before(self, times: tf.Tensor, more: tf.Tensor) -> tf.Tensor:
        steps = tf.cast(tf.range(-more, 0), tf.int64)[None]
        distance = self._distance(times)
        if self.unit == "month":
            earlier = calendar.add_months(times[:, :1], steps * distance)
        else:
            earlier = times[:, :1] + steps * distance
        return tf.concat([earlier, times], axis=1)

    def _center(self, values: tf.Tensor, observed: tf.Tensor) -> tf.Tensor:
        if self.center == "none":
            return tf.zeros_like(values[:, :1])
        if self.center == "median":
            return _share(values, observed, 0.5)
        if self.center == "mean":
            return _mean(values, observed)
        places = tf.where(
            observed, tf.range(self.lookback)[None], -tf.ones_like(observed, tf.int32)
        )
        last = tf.reduce_max(places, axis=1, keepdims=True)
        value = tf.gather(values, tf.maximum(last, 0), batch_dims=1)
        return tf.where(last >= 0, value, tf.zeros_like(value))

    def _scale(self, values: tf.Tensor, observed: tf.Tensor, center: tf.Tensor) -> tf.Tensor:
        if self.scale in ("none", "training"):
            return tf.ones_like(center)
        if self.scale == "range":
            value = _share(values, observed, 0.75) - _share(values, observed, 0.25)
        elif self.scale == "absolute":
            value = _mean(tf.abs(values - center), observed)
        else:
            middle = _mean(values, observed)
            value = tf.sqrt(_mean(tf.square(values - middle), observed))
        least = SMALLEST * tf.abs(center)
        return tf.where(value > least, value, tf.ones_like(value))


def _mean(values: tf.Tensor, observed: tf.Tensor) -> tf.Tensor:
    """Of the known values of each row `[batch, 1]`; 0 where there is none."""
    total = tf.reduce_sum(tf.where(observed, values, tf.zeros_like(values)), axis=1, keepdims=True)
    return total / tf.maximum(
        tf.reduce_sum(tf.cast(observed, tf.float32), axis=1, keepdims=True), 1
    )


def _share(values: tf.Tensor, observed: tf.Tensor, share: float) -> tf.Tensor:
    """The value of each row below which such a share of the known ones lies `[batch, 1]`."""
    ordered = tf.sort(
        tf.where(observed, values, tf.fill(tf.shape(values), values.dtype.max)), axis=1
    )
    count = tf.reduce_sum(tf.cast(observed, tf.float32), axis=1, keepdims=True)
    place = share * tf.maximum(count - 1, 0)
    low = tf.cast(tf.floor(place), tf.int32)
    high = tf.minimum(low + 1, tf.cast(tf.maximum(count, 1), tf.int32) - 1)
    ends = [tf.gather(ordered, item, batch_dims=1) for item in (low, high)]
    value = ends[0] + (ends[1] - ends[0]) * (place - tf.floor(place))
    return tf.where(count > 0, value, tf.zeros_like(value))
