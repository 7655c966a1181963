"""The features that a logistic regression is given, and what the sample holds."""

import json

import numpy as np
import pytest

from apps.event_detection.augment import augment, faster
from apps.event_detection.config import DataConfig
from apps.event_detection.data import Fitted, fit, load
from apps.event_detection.floor import BANDS, PARTS, surroundings
from apps.event_detection.sample import CHANNELS, LABELS, RATE, SECONDS, SIZES, recordings
from rnnsuite.data.records import collect

FITTED = Fitted(
    ("a",), (), 50.0, (1.0, 0.0), (2.0, 1.0), (1.0,) * 2, 0, 5, 1, 2, 120, "overlap", 0.5
)


def test_surroundings_are_those_of_each_step():
    """Mean, deviation, range and log spectrum of the samples around it, its edges repeated."""
    x = np.random.default_rng(0).normal(size=[203, 2])
    features = surroundings(x, FITTED)
    size = FITTED.window // PARTS * FITTED.hop
    assert features.shape == (40, 2 * (3 + BANDS))
    scaled = (x - [1.0, 0.0]) / [2.0, 1.0]
    before = (size - FITTED.hop) // 2
    padded = np.pad(scaled, ((before, size), (0, 0)), mode="edge")
    for step in (0, 7, 39):
        part = padded[step * FITTED.hop : step * FITTED.hop + size]
        expected = [part.mean(axis=0), part.std(axis=0), np.ptp(part, axis=0)]
        np.testing.assert_allclose(features[step, :6], np.concatenate(expected), atol=1e-6)
        spectrum = np.abs(np.fft.rfft(part - part.mean(axis=0), axis=0))[1:]
        first = np.array_split(spectrum, BANDS, axis=0)[0].mean(axis=0)
        np.testing.assert_allclose(features[step, 6:8], np.log(first + 1e-3), atol=1e-6)


def test_surroundings_of_a_recording_of_one_step():
    assert surroundings(np.ones([6, 2]), FITTED).shape == (1, 2 * (3 + BANDS))


def test_altered_windows_are_larger_or_smaller_with_noise():
    samples = np.random.default_rng(0).normal(size=[400, 2]).astype(np.float32) * 2 + 1
    targets = {"active": np.ones(3)}
    plain = augment(DataConfig(gain=0.5), FITTED)
    altered, same = plain(samples, targets, [1, 2])
    assert same is targets
    mean = np.array([1.0, 0.0])
    ratio = (altered.numpy() - mean) / (samples - mean)
    assert 0.5 <= ratio.mean() <= 1.5
    assert ratio.std() < 1e-2
    again, _ = plain(samples, targets, [1, 2])
    np.testing.assert_array_equal(altered, again)
    other, _ = plain(samples, targets, [1, 3])
    assert np.abs(altered - other).max() > 0
    noisy, _ = augment(DataConfig(noise=0.1), FITTED)(samples, targets, [1, 2])
    spread = (noisy.numpy() - samples).std(axis=0)
    np.testing.assert_allclose(spread, [0.2, 0.1], rtol=0.1)


@pytest.mark.parametrize("factor", [0.8, 1.0, 1.25])
def test_a_window_at_another_speed(factor):
    """A ramp stays a ramp, and classes move with what they are of."""
    samples = np.arange(40, dtype=np.float32)[:, None]
    active = np.zeros([10, 1], np.float32)
    active[4:6] = 1
    targets = {"active": active, "weight": np.ones(10, np.float32)}
    changed, moved = faster(samples, targets, np.float32(factor), 4)
    expected = np.minimum(np.arange(40) * factor, 39)
    np.testing.assert_allclose(changed[:, 0], expected, rtol=1e-5)
    middles = (np.arange(10) * 4 + 2) * factor
    happening = (middles >= 16) & (middles < 24)
    assert (moved["active"][:, 0].numpy() > 0).tolist() == happening.tolist()
    assert moved["weight"].numpy().tolist() == (middles < 40).astype(float).tolist()


def test_the_sample_s_people_are_in_one_split_each():
    people = {}
    for split, count in SIZES.items():
        whole = list(recordings(split))
        assert len(whole) == count
        people[split] = {person for _, person, _, _ in whole}
        for _, _, values, events in whole:
            assert values.shape == (SECONDS * RATE, CHANNELS)
            starts = [first for _, first, _ in events]
            assert starts == sorted(starts)
    assert not people["train"] & (people["validation"] | people["test"])


@pytest.mark.usefixtures("_cache")
def test_the_sample_s_records():
    config = DataConfig(splits={"train": "train[:3]"})
    records = collect(load(config, "train"))
    assert {label for record in records for label, _, _ in json.loads(record["events"])} == set(
        LABELS
    )
    fitted = fit(config, load(config, "train"))
    assert fitted.labels == tuple(sorted(LABELS))
    assert (fitted.rate, fitted.step) == (RATE, 0.1)
    assert fitted.steps(0.38) == 4
    assert fitted.steps(0.0, least=0) == 0
    np.testing.assert_allclose(fitted.mean, 0, atol=0.05)
