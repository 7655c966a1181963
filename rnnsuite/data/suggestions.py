"""What the data suggest for a configuration, as it is printed when a training starts."""

import logging

import numpy as np

from rnnsuite.data.notes import say

SHARE_CUT = 0.01
"""Share of sequences that may be too long without a word."""


def say_longer(lengths: np.ndarray, bound: int, what: str, fate: str) -> None:
    """Warns where many sequences are longer than data.max_tokens, and says what would hold them.

    Args:
        lengths: tokens of each.
        bound: data.max_tokens.
        what: they are called.
        fate: of those that are too long.
    """
    longer = int((lengths > bound).sum())
    if longer <= SHARE_CUT * lengths.size:
        return
    enough = int(np.ceil(np.quantile(lengths, 1 - SHARE_CUT)))
    say(
        f"{longer} of {lengths.size} {what} are longer than data.max_tokens={bound}; they are "
        f"{fate}. 99 % fit with --set data.max_tokens={enough}.",
        logging.WARNING,
    )


def batch_size(examples: int, size: int, steps: int = 20) -> int:
    """A batch size that gives an epoch at least so many steps, not above the present one.

    Args:
        examples: of an epoch.
        size: the present batch size.
        steps: wanted.

    Returns:
        A power of two of at least 4, or `size`.
    """
    wanted = max(examples // steps, 4)
    return min(size, 1 << (wanted.bit_length() - 1))


def boundaries(lengths: np.ndarray, buckets: int = 6) -> list[int]:
    """Bucket bounds with about as many examples each. lengths: of examples."""
    quantiles = np.quantile(lengths, np.linspace(0, 1, buckets + 1)[1:], method="higher")
    return sorted({max(int(bound), 1) for bound in quantiles})
