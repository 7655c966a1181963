"""From a step over tokens to sequences, in the graph: greedy, sampling and beam search."""

from rnnsuite.decoding.beam import beam_search
from rnnsuite.decoding.sampling import (
    draw,
    greedy,
    row_seeds,
    sample,
    text_seeds,
    uniform,
)
from rnnsuite.decoding.step import NEGATIVE_INFINITY, Decoded, Step

__all__ = [
    "NEGATIVE_INFINITY",
    "Decoded",
    "Step",
    "beam_search",
    "draw",
    "greedy",
    "row_seeds",
    "sample",
    "text_seeds",
    "uniform",
]
