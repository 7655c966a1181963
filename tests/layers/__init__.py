"""What tests of layers share."""

FAMILIES = ("simple", "gru", "layernorm_lstm", "min_gru", "sru", "slstm", "mogrifier_lstm")
"""A cell of each family, for what does not depend on a cell's own equations."""
