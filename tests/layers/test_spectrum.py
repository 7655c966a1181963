"""Spectra of steps."""

import numpy as np
import pytest

from rnnsuite.layers.spectrum import MIDDLE, SMALLEST, SPREAD, Spectrum


@pytest.mark.parametrize("samples", [4, 7, 32])
def test_equals_numpy(samples):
    x = np.random.default_rng(0).normal(size=[2, 3, samples, 2]).astype("float32")
    steps = x.reshape(2, 3, -1)
    found = Spectrum(samples, 2)(steps)
    np.testing.assert_array_equal(found[..., : steps.shape[-1]], steps)
    window = np.hanning(samples + 2)[1:-1]
    centred = (x - x.mean(2, keepdims=True)) * window[:, None] / np.sqrt(np.square(window).sum())
    angles = np.exp(
        -2j * np.pi * np.outer(np.arange(samples), 1 + np.arange(samples // 2)) / samples
    )
    power = np.abs(np.einsum("btnc,nf->btcf", centred, angles)) ** 2
    logs = (np.log(power + SMALLEST) - MIDDLE) / SPREAD
    expected = logs.reshape(2, 3, -1)
    np.testing.assert_allclose(found[..., steps.shape[-1] :], expected, atol=1e-3)


def test_a_small_tremor_shows_and_a_level_does_not():
    time = np.arange(16)
    still = np.full([1, 1, 16], 2.0, "float32")
    tremor = (still + 0.02 * np.sin(2 * np.pi * 3 * time / 16)).astype("float32")
    rest = Spectrum(16, 1)(still)[0, 0, 16:]
    shaken = Spectrum(16, 1)(tremor)[0, 0, 16:]
    np.testing.assert_allclose(rest, (np.log(SMALLEST) - MIDDLE) / SPREAD, atol=1e-3)
    assert np.argmax(shaken) == 2
    assert shaken[2] > rest[2] + 0.5


def test_noise_has_the_power_of_its_variance():
    x = np.random.default_rng(0).normal(size=[1, 4000, 32]).astype("float32")
    logs = np.asarray(Spectrum(32, 1)(x))[..., 32:] * SPREAD + MIDDLE
    power = np.exp(logs).mean(axis=(0, 1))
    np.testing.assert_allclose(power[2:-1], 1.0, atol=0.1)
