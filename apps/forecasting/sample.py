"""The offline sample: hourly series of a known process, so that the best forecast is known.

A series is its level times a trend, a wave of the day, a drop at weekends, what a promotion adds
that is known beforehand, and noise that is normal and wider by day than by night.
"""

from collections.abc import Iterator

import numpy as np
import tensorflow_datasets as tfds
from scipy import stats

SERIES = 96
STEPS = 1200
START = 1_704_067_200
"""2024-01-01, a Monday, in seconds since 1970."""
HOUR = 3600


def process(number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """One series.

    Args:
        number: which one.

    Returns:
        Its true mean `[STEPS]`, the standard deviation of its noise `[STEPS]`, the promotion
        `[STEPS]`, 0 or 1, and its level.
    """
    rng = np.random.default_rng(1000 + number)
    level = float(np.exp(rng.normal(3.0, 1.5)))
    time = np.arange(STEPS)
    hour = time % 24
    day = time // 24
    promotion = (rng.random(STEPS // 24 + 1) < 0.2)[day] & (hour >= 8) & (hour < 20)
    wave = 3 * np.sin(2 * np.pi * (hour - 7) / 24) + np.sin(4 * np.pi * (hour - 2) / 24)
    shape = 10 + rng.normal(0, 2) * time / STEPS + wave - 2 * (day % 7 >= 5) + 2 * promotion
    deviation = 0.4 + 0.4 * ((hour >= 6) & (hour < 22))
    return level * shape, level * deviation, promotion.astype(float), level


def series() -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Name, values and promotion of every series."""
    for number in range(SERIES):
        mean, deviation, promotion, _ = process(number)
        noise = np.random.default_rng(number).normal(size=STEPS)
        yield f"shop {number}", mean + deviation * noise, promotion


def true_quantiles(name: str, places: np.ndarray, levels: tuple[float, ...]) -> np.ndarray:
    """What the process itself would answer `[places, levels]`."""
    mean, deviation, _, _ = process(int(name.removeprefix("shop ")))
    return mean[places, None] + deviation[places, None] * stats.norm.ppf(levels)


class ForecastingSample(tfds.core.GeneratorBasedBuilder):
    """Generated hourly sales with seasons, promotions and normal noise."""

    VERSION = tfds.core.Version("1.1.0")

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "id": tfds.features.Text(),
            "start": tfds.features.Scalar(np.int64),
            "values": tfds.features.Tensor(shape=(None,), dtype=np.float32),
            "promotion": tfds.features.Tensor(shape=(None,), dtype=np.float32),
        }
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        for name, values, promotion in series():
            yield (
                name,
                {
                    "id": name,
                    "start": START,
                    "values": values.astype(np.float32),
                    "promotion": promotion.astype(np.float32),
                },
            )
