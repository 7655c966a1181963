"""Recurrences as equations, forward and backward, and the loop that runs all of them."""

from rnnsuite.layers.scan.exponential import SLSTM
from rnnsuite.layers.scan.gru import GRU, GRUResetBefore
from rnnsuite.layers.scan.independent import SRU, IndRNN
from rnnsuite.layers.scan.linear import RGLRU, MinGRU, MinLSTM
from rnnsuite.layers.scan.lstm import LSTM
from rnnsuite.layers.scan.mogrifier import MogrifierLSTM
from rnnsuite.layers.scan.normalised import LayerNormGRU, LayerNormLSTM
from rnnsuite.layers.scan.plan import PORTABLE, STOCK, Plan, plan
from rnnsuite.layers.scan.recurrence import Recurrence
from rnnsuite.layers.scan.run import run
from rnnsuite.layers.scan.served import for_serving
from rnnsuite.layers.scan.simple import SimpleRNN

__all__ = [
    "GRU",
    "LSTM",
    "PORTABLE",
    "RGLRU",
    "SLSTM",
    "SRU",
    "STOCK",
    "GRUResetBefore",
    "IndRNN",
    "LayerNormGRU",
    "LayerNormLSTM",
    "MinGRU",
    "MinLSTM",
    "MogrifierLSTM",
    "Plan",
    "Recurrence",
    "SimpleRNN",
    "for_serving",
    "plan",
    "run",
]
