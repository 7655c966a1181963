"""Samples to steps by their definition."""

import numpy as np
import pytest

from rnnsuite.layers.frames import SMALLEST, Frames


@pytest.fixture(scope="module")
def samples():
    return np.random.default_rng(0).normal(3.0, 2.0, size=[2, 23, 2]).astype("float32")


def test_a_step_holds_its_samples_and_those_before(samples):
    found = np.asarray(Frames(4, 2, [3.0, 1.0], [2.0, 0.5])(samples))
    assert found.shape == (2, 5, 24)
    scaled = (samples - [3.0, 1.0]) / [2.0, 0.5]
    for step in range(5):
        parts = []
        for place in (step - 2, step - 1, step):
            part = scaled[:, place * 4 : place * 4 + 4] if place >= 0 else np.zeros([2, 4, 2])
            parts.append(part.reshape(2, -1))
        np.testing.assert_allclose(found[:, step], np.concatenate(parts, axis=1), atol=1e-5)


def test_the_mean_and_deviation_of_the_last_steps(samples):
    found = np.asarray(Frames(4, 0, [0.0, 0.0], [1.0, 1.0], memory=3)(samples))
    for step in range(5):
        recent = samples[:, max(step - 2, 0) * 4 : step * 4 + 4]
        mean = recent.mean(axis=1, keepdims=True)
        deviation = np.sqrt(recent.var(axis=1, keepdims=True) + SMALLEST)
        expected = (samples[:, step * 4 : step * 4 + 4] - mean) / deviation
        np.testing.assert_allclose(found[:, step], expected.reshape(2, -1), rtol=1e-3, atol=1e-4)


def test_another_gain_and_level_change_nothing(samples):
    frames = Frames(4, 1, [0.0, 0.0], [1.0, 1.0], memory=8)
    np.testing.assert_allclose(frames(samples)[:, 2:], frames(7 * samples + 5)[:, 2:], atol=2e-3)
