"""Generated Morse code: two short words as beeps, at several speeds and pitches, over noise."""

import numpy as np

from rnnsuite.core.errors import NoSplit
from rnnsuite.device import wave

CODE = {"a": ".-", "e": ".", "i": "..", "m": "--", "n": "-.", "o": "---", "s": "...", "t": "-"}
SIZES = {"train": 300, "validation": 40, "test": 40}
SEEDS = {"train": 0, "validation": 1, "test": 2}


def records(split):
    """The records of one split, the same every time."""
    if split not in SIZES:
        raise NoSplit(f"The sample has no {split} split; it has {', '.join(SIZES)}.")
    rng = np.random.default_rng(SEEDS[split])
    return [_record(rng, f"{split}{number}") for number in range(SIZES[split])]


def _record(rng, name):
    words = ["".join(rng.choice(list(CODE), rng.integers(2, 4))) for _ in range(2)]
    return {
        "audio": wave.write(_sound(rng, " ".join(words))),
        "text": " ".join(words),
        "speaker": "",
        "id": name,
    }


def _sound(rng, text):
    """Dots last a unit and dashes three; a unit lies between them, three between letters and seven
    between words.
    """
    on = [0.0]
    for letter in text:
        if letter == " ":
            on += [0.0] * 4
            continue
        for sign in CODE[letter]:
            on += [1.0] * (3 if sign == "-" else 1) + [0.0]
        on += [0.0] * 2
    unit = int(rng.uniform(0.035, 0.05) * wave.RATE)
    loud = np.repeat(on, unit)
    beep = 0.3 * np.sin(2 * np.pi * rng.uniform(500, 900) * np.arange(len(loud)) / wave.RATE)
    return (beep * loud + 0.01 * rng.normal(size=len(loud))).astype(np.float32)
