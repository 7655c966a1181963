"""Background noise: synthesised, or a source's own."""

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from rnnsuite.device import wave
from rnnsuite.inputs import noise


def test_synthesised_noise_differs_and_is_as_loud():
    bank = noise.noise_bank("sample")
    assert bank.shape == (2 * len(noise.SLOPES), noise.SECONDS * wave.RATE)
    np.testing.assert_allclose(bank.std(axis=1), 0.1, rtol=1e-3)
    similar = np.corrcoef(bank) - np.eye(len(bank))
    assert np.abs(similar).max() < 0.1


def test_steeper_spectra_have_less_of_high_frequencies():
    white, _, pink, _, brown, *_ = noise.noise_bank("sample")

    def high(samples):
        spectrum = np.abs(np.fft.rfft(samples)) ** 2
        return spectrum[len(spectrum) // 4 :].sum() / spectrum.sum()

    assert high(white) > high(pink) > high(brown)


def test_what_a_source_has_is_taken(tmp_path):
    folder = tmp_path / noise.FOLDER
    folder.mkdir()
    times = np.arange(12 * wave.RATE) / wave.RATE
    soundfile.write(folder / "hum.wav", 0.2 * np.sin(2 * np.pi * 50 * times), wave.RATE)
    (folder / "README.md").write_text("noise")
    bank = noise.noise_bank(str(tmp_path))
    assert bank.shape == (2, noise.SECONDS * wave.RATE)
    assert bank[0].std() == pytest.approx(0.2 / np.sqrt(2), rel=1e-2)
    assert np.abs(bank[1, 2 * wave.RATE :]).max() == 0


@pytest.mark.parametrize("count", [10, 100, 130])
def test_an_excerpt_is_drawn_and_filled_with_silence(count):
    bank = tf.constant(np.arange(300, dtype="f").reshape(3, 100) + 1)
    pieces = set()
    for seed in range(20):
        seeds = tf.constant([[seed, 1], [seed, 2]])
        piece = noise.excerpt(bank, count, seeds[0], seeds[1]).numpy()
        assert piece.shape == (count,)
        own = piece[: min(count, 100)]
        np.testing.assert_array_equal(np.diff(own), 1)
        assert not piece[100:].any()
        pieces.add(float(own[0]))
    assert len(pieces) >= (3 if count < 100 else 2)


def test_power_is_above_zero():
    assert noise.power(tf.zeros([5])) > 0
    assert float(noise.power(tf.constant([3.0, -1.0]))) == pytest.approx(5.0)
