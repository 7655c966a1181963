"""Synthetic voices."""

import numpy as np

from rnnsuite.data.voices import overlap_add, speak


def test_frames_of_a_voice_overlap():
    frames = np.array([[1.0, 2, 3, 4], [5, 6, 7, 8]])
    np.testing.assert_array_equal(overlap_add(frames, 2), [1, 2, 8, 10, 7, 8, 0, 0])


def test_every_sound_has_its_end():
    voice, rng = (np.random.default_rng(seed) for seed in (1, 2))
    samples, ends = speak("ako im", voice, rng)
    assert len(ends) == 6
    assert (np.diff(ends) > 0).all()
    assert ends[-1] <= len(samples)
    assert np.abs(samples).max() == 1


def test_a_pause_is_quiet():
    samples, ends = speak("a a", np.random.default_rng(1), np.random.default_rng(2))
    first, pause, last = np.split(samples, ends[:2])
    assert np.abs(pause[600:-600]).max() < 0.1 * min(np.abs(first).max(), np.abs(last).max())
