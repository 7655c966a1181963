"""Cases that `make check` adds: further ones of what other cases say in every run."""

import pytest


def thorough(*cases):
    """Each case, a value or a tuple of values, marked `thorough`."""
    return [
        pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.thorough)
        for case in cases
    ]
