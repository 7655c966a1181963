"""The lengths that files of static shapes are made for."""


def lengths_up_to(longest: int, shortest: int = 64, grain: int = 1) -> tuple[int, ...]:
    """Lengths of which each is four times the one before, so that at most three quarters are empty.

    Args:
        longest: the last one, rounded up to the grain.
        shortest: no length is needed that is below it.
        grain: all are multiples of it.

    Returns:
        At least two, the shortest first.
    """
    lengths = [-(-longest // grain)]
    while lengths[-1] > 1 and (len(lengths) < 2 or lengths[-1] * grain > shortest):
        lengths.append(-(-lengths[-1] // 4))
    if len(lengths) < 2:
        lengths.insert(0, 2)
    return tuple(length * grain for length in reversed(lengths))
