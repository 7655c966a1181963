"""The lengths that files of static shapes are made for."""

from rnnsuite.layers.scan.blocks import STEPS


def lengths_up_to(
    longest: int, shortest: int = 64, grain: int = 1, ratio: int = 2
) -> tuple[int, ...]:
    """Lengths of which each is about `ratio` times the one before.

    Args:
        longest: the last one, rounded up to whole passes.
        shortest: no length is needed that is below it.
        grain: inputs of a recurrent step; all lengths are multiples of those of a pass.
        ratio: 2 leaves at most half of a length empty; more makes smaller files.

    Returns:
        At least two, the shortest first.
    """
    grain *= STEPS
    lengths = [-(-longest // grain)]
    while lengths[-1] > 1 and (len(lengths) < 2 or lengths[-1] * grain > shortest):
        lengths.append(-(-lengths[-1] // ratio))
    if len(lengths) < 2:
        lengths.insert(0, 2)
    return tuple(length * grain for length in reversed(lengths))
