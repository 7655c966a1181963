"""Recurrent layers: drop-ins for Keras's, a stack of them, dropout that fits them, and pooling over
time.
"""

# ruff: noqa: E402
from rnnsuite.core.autograph import leave_ours
from rnnsuite.core.backend import check_backend

check_backend()
leave_ours()

from rnnsuite.core.context import exporting
from rnnsuite.core.names import Cell
from rnnsuite.core.perturbation import Perturbation
from rnnsuite.layers.attention import Attention
from rnnsuite.layers.bidirectional import Bidirectional
from rnnsuite.layers.convolution import CausalConvolution, LookAhead, RegionEmbedding
from rnnsuite.layers.cumulative import CumulativePooling
from rnnsuite.layers.dropout import Dropout, LockedDropout, SpecAugment, TokenDropout
from rnnsuite.layers.elementwise import RGLRU, SRU, IndRNN, MinGRU, MinLSTM
from rnnsuite.layers.exponential import SLSTM
from rnnsuite.layers.griffin import RGLRUBlock
from rnnsuite.layers.interop import to_keras, to_rnnsuite
from rnnsuite.layers.mogrifier import MogrifierLSTM
from rnnsuite.layers.normalised import LayerNormGRU, LayerNormLSTM
from rnnsuite.layers.pooling import Pooling
from rnnsuite.layers.recurrent import GRU, LSTM, SimpleRNN
from rnnsuite.layers.residual import Positions, ResidualBlock, residual_network
from rnnsuite.layers.seq2seq import AttendingDecoder, Bridge
from rnnsuite.layers.stack import CELLS, Stack
from rnnsuite.layers.streamable import StateSpec, Streamable
from rnnsuite.layers.streaming import Chain, Parallel, Streaming
from rnnsuite.layers.sweeps import Sweeps
from rnnsuite.layers.token_decoder import TokenDecoder
from rnnsuite.layers.token_table import TokenTable

__all__ = [
    "CELLS",
    "GRU",
    "LSTM",
    "RGLRU",
    "SLSTM",
    "SRU",
    "AttendingDecoder",
    "Attention",
    "Bidirectional",
    "Bridge",
    "CausalConvolution",
    "Cell",
    "Chain",
    "CumulativePooling",
    "Dropout",
    "IndRNN",
    "LayerNormGRU",
    "LayerNormLSTM",
    "LockedDropout",
    "LookAhead",
    "MinGRU",
    "MinLSTM",
    "MogrifierLSTM",
    "Parallel",
    "Perturbation",
    "Pooling",
    "Positions",
    "RGLRUBlock",
    "RegionEmbedding",
    "ResidualBlock",
    "SimpleRNN",
    "SpecAugment",
    "Stack",
    "StateSpec",
    "Streamable",
    "Streaming",
    "Sweeps",
    "TokenDecoder",
    "TokenDropout",
    "TokenTable",
    "exporting",
    "residual_network",
    "to_keras",
    "to_rnnsuite",
]
