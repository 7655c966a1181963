"""Names that a configuration may use are those of what is there."""

from typing import get_args

import pytest

from rnnsuite.core.names import AttentionKind, Cell, SplitName
from rnnsuite.data.splits import ALIASES
from rnnsuite.layers import CELLS, Attention


def test_cells():
    assert set(get_args(Cell)) == set(CELLS)


@pytest.mark.parametrize("kind", get_args(AttentionKind))
def test_kinds_of_attention(kind):
    assert Attention(kind, 3).kind == kind
    with pytest.raises(ValueError, match=kind):
        Attention("cosine", 3)


def test_splits():
    assert set(get_args(SplitName)) == set(ALIASES)
