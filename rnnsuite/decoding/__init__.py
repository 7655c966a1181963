"""From a step over tokens to sequences, in the graph: greedy, sampling and beam search."""

from rnnsuite.decoding.beam import beam_search
from rnnsuite.decoding.sampling import filter_logits, greedy, sample
from rnnsuite.decoding.step import NEGATIVE_INFINITY, Decoded, Step

__all__ = [
    "NEGATIVE_INFINITY",
    "Decoded",
    "Step",
    "beam_search",
    "filter_logits",
    "greedy",
    "sample",
]
