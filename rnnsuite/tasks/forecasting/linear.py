"""A linear forecast of every step: what a network has to be better than."""

from collections.abc import Sequence

import numpy as np

RIDGE = 1e-3
"""Of a coefficient's square, beside a mean square error of scaled values."""
KEPT = 4096
"""Windows whose errors give the quantiles, or somewhat more."""


class LinearForecaster:
    """Least squares from a window's values and each step's features to that step's value.

    Its quantiles are those of the errors of windows (the first ones) that are left out one by one.

    Args:
        horizon: steps.
        levels: of the quantiles.
    """

    def __init__(self, horizon: int, levels: Sequence[float]):
        self.horizon = horizon
        self.levels = tuple(levels)
        self.weights = np.zeros([0, 0])
        self.errors = np.zeros([horizon, len(self.levels)])
        self._products: list[np.ndarray] = []
        self._targets: list[np.ndarray] = []
        self._counts = np.zeros([horizon])
        self._kept: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def learn(self, values: np.ndarray, features: np.ndarray, truth: np.ndarray) -> None:
        """Reads windows.

        Args:
            values: `[windows, look-back]`.
            features: of the horizon `[windows, horizon, features]`.
            truth: `[windows, horizon]`, NaN where there was no observation.
        """
        if not self._products:
            size = values.shape[1] + features.shape[2] + 1
            self._products = [np.zeros([size, size]) for _ in range(self.horizon)]
            self._targets = [np.zeros([size]) for _ in range(self.horizon)]
        for step in range(self.horizon):
            is_observed = np.isfinite(truth[:, step])
            x = _row(values, features[:, step])[is_observed]
            self._products[step] += x.T @ x
            self._targets[step] += x.T @ truth[is_observed, step]
            self._counts[step] += is_observed.sum()
        if sum(len(kept[0]) for kept in self._kept) < KEPT:
            self._kept.append((values, features, truth))

    def fit(self) -> None:
        """Finds the coefficients of least squares, and the errors of what was left out of them."""
        values, features, truth = (np.concatenate(parts) for parts in zip(*self._kept, strict=True))
        weights = []
        for step in range(self.horizon):
            product = self._products[step]
            ridge = RIDGE * max(self._counts[step], 1.0) * np.eye(len(product))
            weights.append(np.linalg.solve(product + ridge, self._targets[step]))
            is_observed = np.isfinite(truth[:, step])
            x = _row(values, features[:, step])[is_observed]
            # The error of each window by coefficients that it has not taught (Allen's PRESS, 1974).
            leverage = np.sum(x * np.linalg.solve(product + ridge, x.T).T, axis=1)
            error = (truth[is_observed, step] - x @ weights[-1]) / np.maximum(1 - leverage, RIDGE)
            if len(error):
                self.errors[step] = np.quantile(error, self.levels)
        self.weights = np.stack(weights)

    def __call__(self, values: np.ndarray, features: np.ndarray) -> np.ndarray:
        """Quantiles `[windows, horizon, levels]`; see `learn`."""
        return self._mean(values, features)[..., None] + self.errors

    def _mean(self, values: np.ndarray, features: np.ndarray) -> np.ndarray:
        steps = [
            _row(values, features[:, step]) @ self.weights[step] for step in range(self.horizon)
        ]
        return np.stack(steps, axis=1)


def _row(values: np.ndarray, features: np.ndarray) -> np.ndarray:
    """What a step is computed from: values, features, and 1."""
    return np.concatenate([values, features, np.ones([len(values), 1])], axis=1, dtype=np.float64)
