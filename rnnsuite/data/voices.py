"""Synthetic voices, of which samples are made that no network is needed for."""

import numpy as np

RATE = 16_000
"""Samples a second."""
_HOP = 128
_FFT = 512
_TONES = {  # formants (Hz), and how much of the sound is voice and how much is noise
    "a": ((730, 1090, 2440), 1.0, 0.0),
    "e": ((530, 1840, 2480), 1.0, 0.0),
    "i": ((270, 2290, 3010), 1.0, 0.0),
    "o": ((570, 840, 2410), 1.0, 0.0),
    "u": ((300, 870, 2240), 1.0, 0.0),
    "m": ((250, 1000, 2200), 0.35, 0.0),
    "l": ((360, 1300, 2700), 0.5, 0.0),
    "s": ((4500, 5500, 6500), 0.0, 0.5),
    "k": ((1500, 2500, 3500), 0.0, 0.5),
}
# Vowels: Peterson & Barney 1952 (men's means).


def _spans(word: str, rate: float, rng: np.random.Generator) -> list[tuple[int, str, float]]:
    """(place in the word, sound, seconds); a plosive has a silence on either side of its burst, so
    that time can be reversed.
    """
    vowel = {sound: rng.uniform(0.1, 0.2) * rate for sound in "aeiou"}
    spans = []
    for place, sound in enumerate(word):
        if sound == "k":
            spans += [(place, part, 0.03 * rate) for part in ("", "k", "")]
        else:
            spans.append((place, sound, vowel.get(sound, 0.11 * rate)))
    return spans


def _tracks(
    word: str, voice: np.random.Generator, rng: np.random.Generator
) -> tuple[np.ndarray, ...]:
    """Formants `[frames, 3]`, voice and noise `[frames]`, smoothed as an articulation is; and the
    frame behind each sound.
    """
    tract = voice.uniform(0.88, 1.18)
    rate = rng.uniform(0.8, 1.25)
    formants = []
    voiced = []
    noise = []
    ends = []
    last = _TONES[word[0]][0]
    for place, sound, seconds in _spans(word, rate, rng):
        tones, of_voice, of_noise = _TONES.get(sound, (last, 0.0, 0.0))
        count = max(round(seconds * RATE / _HOP), 1)
        last = tones
        formants += [np.multiply(tones, tract * rng.uniform(0.96, 1.04, 3))] * count
        voiced += [of_voice] * count
        noise += [of_noise] * count
        ends[place:] = [len(voiced)]
    kernel = np.hanning(7)[1:-1] / np.hanning(7).sum()

    def smooth(track):
        return np.convolve(np.pad(track, 2, mode="edge"), kernel, "valid")

    tracks = np.stack([smooth(track) for track in np.array(formants).T], axis=1)
    return tracks, smooth(np.array(voiced)), smooth(np.array(noise)), np.array(ends)


def speak(
    word: str, voice: np.random.Generator, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """One utterance: glottal pulses and noise, shaped by formants (Fant 1960).

    Args:
        word: of the sounds a, e, i, o, u, m, l, s and k; several words run into each other.
        voice: draws what a speaker keeps, pitch and vocal tract.
        rng: draws the rest.

    Returns:
        Samples at 16 kHz, peak 1, and the sample at which each sound ends.
    """
    formants, voiced, noise, ends = _tracks(word, voice, rng)
    count = len(voiced) * _HOP + _FFT
    pitch = voice.uniform(85, 230) * (1 + 0.1 * rng.uniform(-1, 1) * np.linspace(-1, 1, count))
    phase = np.cumsum(
        pitch * (1 + 0.01 * np.cumsum(rng.normal(size=count)) / np.sqrt(count)) / RATE
    )
    pulses = np.diff(np.floor(phase), prepend=0.0) * 6
    sources = [pulses, rng.normal(size=count) * 0.3]
    at = np.arange(0, RATE / 2 + 1, RATE / _FFT)[None, :, None]
    width = 60 + 0.06 * formants[:, None, :]
    shape = (1 / (1 + ((at - formants[:, None, :]) / width) ** 2) * np.array([1.0, 0.6, 0.35])).sum(
        axis=2
    )
    window = np.hanning(_FFT + 1)[:-1]
    pieces = [np.lib.stride_tricks.sliding_window_view(source, _FFT)[::_HOP] for source in sources]
    mixed = sum(
        part[:, None] * piece[: len(voiced)]
        for part, piece in zip((voiced, noise), pieces, strict=True)
    )
    shaped = np.fft.irfft(np.fft.rfft(mixed * window) * shape) * window
    sound = overlap_add(shaped, _HOP)
    return sound / np.abs(sound).max(), ends * _HOP + _FFT // 2


def overlap_add(frames: np.ndarray, hop: int) -> np.ndarray:
    """The sum of frames `[frames, samples]`, each begun `hop` samples behind the one before."""
    count, width = frames.shape
    sound = np.zeros(count * hop + width)
    for number, frame in enumerate(frames):
        sound[number * hop : number * hop + width] += frame
    return sound
