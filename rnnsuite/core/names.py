"""Names that configurations use, apart from what they name, which needs TensorFlow."""

from typing import Literal

Cell = Literal[
    "simple",
    "gru",
    "lstm",
    "layernorm_gru",
    "layernorm_lstm",
    "min_gru",
    "min_lstm",
    "rg_lru",
    "ind_rnn",
    "sru",
    "slstm",
    "mogrifier_lstm",
]
"""Recurrent layers; `rnnsuite.layers.CELLS` holds them by these names."""
AttentionKind = Literal["additive", "dot", "general", "scaled_dot", "uniform"]
"""Energies of `rnnsuite.layers.Attention`."""
SplitName = Literal["train", "validation", "test"]
Center = Literal["last", "mean", "median", "none"]
"""What is subtracted from a window of a series."""
Scale = Literal["deviation", "absolute", "range", "training", "none"]
"""What a window is divided by: standard deviation, mean absolute value, range of its quartiles, or
the standard deviation of the series' training part, whatever the window."""
