"""Names that configurations use, apart from what they name, which needs TensorFlow."""

from typing import Literal

Cell = Literal["simple", "gru", "lstm", "layernorm_gru", "layernorm_lstm"]
"""Recurrent layers; `rnnsuite.layers.CELLS` holds them by these names."""
AttentionKind = Literal["additive", "dot", "general", "scaled_dot", "uniform"]
"""Energies of `rnnsuite.layers.Attention`."""
SplitName = Literal["train", "validation", "test"]
