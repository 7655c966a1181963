"""Pictures in a few numbers, for the cheap models that stand beside."""

import numpy as np

from rnnsuite.inputs import image_files

LEVELS = 4
"""Of each colour in the histogram."""


def small(content: bytes, side: int) -> np.ndarray:
    """A picture shrunk to a square, and the shares of its colours.

    Args:
        content: of a file.
        side: pixels of a side.

    Returns:
        `[3 side² + 64]`, 0 to 1; of the shares the square roots.

    Raises:
        UserError: for what is no picture.
    """
    from PIL import Image

    pixels = image_files.pixels(content)
    shrunk = np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BOX))
    numbers = pixels.astype(int) * LEVELS // 256
    places = (numbers * (LEVELS**2, LEVELS, 1)).sum(axis=-1)
    counts = np.bincount(places.ravel(), minlength=LEVELS**3)
    return np.concatenate([shrunk.ravel() / 255, np.sqrt(counts / counts.sum())])
