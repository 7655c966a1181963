"""The linear models that stand beside the network."""

import numpy as np
import pytest

from apps.activity_recognition import floor
from apps.activity_recognition.config import DataConfig
from apps.activity_recognition.data import fit, load
from rnnsuite.data.records import collect


@pytest.fixture
def config(tmp_path):
    """Clips of the same mean: of one class they shake, of the other they do not."""
    rng = np.random.default_rng(0)
    features = 0.1 * rng.normal(size=[40, 30, 2])
    features[::2, :, 0] += np.sin(np.arange(30) * 2.0)
    labels = np.array(["shake", "rest"] * 20)
    people = [f"p{number // 4}" for number in range(40)]
    np.savez(tmp_path / "a.npz", features=features, label=labels, person=people)
    return DataConfig(source=str(tmp_path / "a.npz"), validation=0.3, test=0.2)


def test_the_better_one_is_the_floor(config):
    fitted = fit(config, load(config, "train"))
    records = collect(load(config, "validation"))
    mean, statistics = floor.floors(config, fitted, records)
    assert statistics["accuracy"] == 1.0 > mean["accuracy"]
    assert floor.floor(config, fitted, records) == statistics


def test_numbers_that_are_missing_are_means(config):
    fitted = fit(config, load(config, "train"))
    values = np.full([3, 2], np.nan, np.float32)
    np.testing.assert_allclose(floor._features(fitted, values), [fitted.mean] * 3, rtol=1e-6)
