"""The last values of a series, scaled, with the calendar: what a .tflite file reads.

NumPy alone; the twin of `rnnsuite.inputs.window`. This file travels with on-device exports.
"""

import math

import numpy as np

DAY = 86400
SMALLEST = 1e-6


class Window:
    """One series to what the file's signature reads.

    Args:
        settings: `lookback`, `horizon`, `step`, `unit`, `center`, `scale`, `scales`, `waves`,
            `power` and the names of `covariates`, as window.json has them.
    """

    def __init__(self, settings: dict):
        self.settings = settings
        self.lookback = settings["lookback"]
        self.horizon = settings["horizon"]

    def __call__(self, values, times, covariates=None) -> "dict[str, np.ndarray]":
        """Inputs by name, for a batch of one.

        Args:
            values: `[time]`, NaN where an observation is missing; or `[time, series]`.
            times: `[time]`, seconds since 1970.
            covariates: `[time + horizon, covariates]`, NaN where one is not known.
        """
        values = np.asarray(values, np.float32)
        times = np.asarray(times, np.int64)
        if values.ndim == 1:
            inputs = self._scaled(values)
        else:
            columns = [self._scaled(column) for column in values.T]
            inputs = {
                name: np.stack([column[name] for column in columns], axis=1) for name in columns[0]
            }
            sizes = np.array(self.settings.get("scales") or 1.0)
            inputs["values"] = inputs["values"] / sizes
            inputs["scale"] = inputs["scale"] * sizes
        features = self._features(times, covariates, max(self.lookback - len(values), 0))
        if features.shape[1]:
            inputs["features"] = features
        return {name: value[None].astype(np.float32) for name, value in inputs.items()}

    def _scaled(self, values):
        """One series: its last values, which of them are observed, and what they are scaled by."""
        power = self.settings.get("power", 1)
        if power < 1:
            values = np.log1p(np.where(values < 0, 0, values))
            values = np.expm1(power * values) / power if power else values
        more = max(self.lookback - len(values), 0)
        values = np.concatenate([np.full([more], np.nan, np.float32), values])[-self.lookback :]
        observed = np.isfinite(values)
        center = self._center(values[observed])
        scale = self._scale(values[observed], center)
        return {
            "values": np.where(observed, (values - center) / scale, 0),
            "observed": observed,
            "center": np.array([center]),
            "scale": np.array([scale]),
        }

    def times(self, times) -> np.ndarray:
        """The times of the horizon."""
        return self._moved(np.asarray(times, np.int64), -1, np.arange(1, self.horizon + 1))

    def _features(self, times, covariates, more):
        before = self._moved(times, 0, np.arange(-more, 0))
        whole = np.concatenate([before, times])[-self.lookback :]
        whole = np.concatenate([whole, self.times(times)])
        columns = []
        for period, harmonic in self.settings["waves"]:
            angle = 2 * math.pi * harmonic * (whole % period) / period
            columns += [np.sin(angle), np.cos(angle)]
        width = len(self.settings["covariates"])
        if width:
            covariates = np.asarray(covariates, np.float32)
            padding = np.zeros([more, width], np.float32)
            beside = np.concatenate([padding, covariates])[-len(whole) :]
            columns += list(np.where(np.isfinite(beside), beside, 0).T)
        return np.stack(columns, axis=1) if columns else np.zeros([len(whole), 0])

    def _moved(self, times, place, steps):
        """Times so many steps from one of them."""
        start = times[place]
        if self.settings["unit"] != "month":
            last = times[-1] - times[-2] if len(times) > 1 else self.settings["step"]
            return start + last * steps
        month = start.astype("datetime64[s]").astype("datetime64[M]")
        rest = start - _begin(month)
        was_last = rest // DAY + 1 == _length(month)
        months = month + self.settings["step"] * steps
        last = (_length(months) - 1) * DAY + rest % DAY
        return _begin(months) + (last if was_last else np.minimum(rest, last))

    def _center(self, observations):
        kind = self.settings["center"]
        if kind == "none" or not len(observations):
            return np.float32(0)
        return {"last": lambda v: v[-1], "mean": np.mean, "median": np.median}[kind](observations)

    def _scale(self, observations, center):
        kind = self.settings["scale"]
        if kind in ("none", "training") or not len(observations):
            return np.float32(1)
        if kind == "range":
            spread = np.quantile(observations, 0.75) - np.quantile(observations, 0.25)
        else:
            spread = (
                np.mean(np.abs(observations - center))
                if kind == "absolute"
                else np.std(observations)
            )
        return spread if spread > SMALLEST * abs(center) else np.float32(1)


def _begin(months):
    return months.astype("datetime64[s]").astype(np.int64)


def _length(months):
    return (_begin(months + 1) - _begin(months)) // DAY
