"""Recurrent layers: drop-ins for Keras's, a stack of them, dropout that fits them, and pooling over time."""

from rnnsuite.layers.convolution import RegionEmbedding
from rnnsuite.layers.dropout import LockedDropout, TokenDropout
from rnnsuite.layers.form import exporting
from rnnsuite.layers.normalised import LayerNormGRU, LayerNormLSTM
from rnnsuite.layers.pooling import Pooling
from rnnsuite.layers.recurrent import GRU, LSTM, SimpleRNN
from rnnsuite.layers.stack import CELLS, Cell, Stack
from rnnsuite.layers.streaming import Streaming

__all__ = [
    "CELLS",
    "GRU",
    "LSTM",
    "Cell",
    "LayerNormGRU",
    "LayerNormLSTM",
    "LockedDropout",
    "Pooling",
    "RegionEmbedding",
    "SimpleRNN",
    "Stack",
    "Streaming",
    "TokenDropout",
    "exporting",
]
