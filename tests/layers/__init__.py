"""What tests of layers share."""

from tests.thorough import thorough

FAMILIES = ("simple", "gru", "layernorm_lstm", "min_gru", "sru", "slstm", "mogrifier_lstm")
"""A cell of each family, for what does not depend on a cell's own equations."""
OFTEN = ("gru", "slstm", "sru")
"""Those of every run: a state that is gated, one of several parts, and one without a product."""
EVERY_FAMILY = [*OFTEN, *thorough(*(cell for cell in FAMILIES if cell not in OFTEN))]
"""All of them, as parameters of a test."""
