"""How a language model's softmax is made of its settings."""

import pytest

from apps.language_model.config import ModelConfig
from apps.language_model.model import token_table
from rnnsuite.core.errors import UserError


@pytest.mark.parametrize("cutoffs", [(), (10, 100), (500,), (20, 10), (10, 10)])
def test_an_adaptive_softmax_needs_cutoffs_below_the_vocabulary(cutoffs):
    config = ModelConfig(softmax="adaptive", cutoffs=cutoffs)
    with pytest.raises(UserError, match=r"model\.cutoffs: .* over 80 tokens .* such as \[10, 26\]"):
        token_table(config, 80)


def test_only_what_the_softmax_takes_is_taken():
    settings = {"cutoffs": (8, 20), "samples": 12}
    tables = {
        name: token_table(ModelConfig(softmax=name, **settings), 80)
        for name in ("full", "adaptive", "sampled")
    }
    assert {name: (table.cutoffs, table.samples) for name, table in tables.items()} == {
        "full": ((), 0),
        "adaptive": ((8, 20), 0),
        "sampled": ((), 12),
    }
