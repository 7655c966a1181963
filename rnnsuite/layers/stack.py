"""Several recurrent layers on top of each other."""

from collections.abc import Callable

import keras
from keras import ops

from rnnsuite.core.names import Cell
from rnnsuite.layers.bidirectional import Bidirectional
from rnnsuite.layers.casting import as_floats
from rnnsuite.layers.dropout import LockedDropout
from rnnsuite.layers.elementwise import RGLRU, SRU, IndRNN, MinGRU, MinLSTM
from rnnsuite.layers.exponential import SLSTM
from rnnsuite.layers.mogrifier import MogrifierLSTM
from rnnsuite.layers.normalised import LayerNormGRU, LayerNormLSTM
from rnnsuite.layers.recurrent import GRU, LSTM, SimpleRNN

CELLS = {
    "simple": SimpleRNN,
    "gru": GRU,
    "lstm": LSTM,
    "layernorm_gru": LayerNormGRU,
    "layernorm_lstm": LayerNormLSTM,
    "min_gru": MinGRU,
    "min_lstm": MinLSTM,
    "rg_lru": RGLRU,
    "ind_rnn": IndRNN,
    "sru": SRU,
    "slstm": SLSTM,
    "mogrifier_lstm": MogrifierLSTM,
}


@keras.saving.register_keras_serializable("rnnsuite")
class Stack(keras.layers.Layer):
    """Recurrent layers on top of each other: `[batch, time, features]` to `[batch, time, width]`.

    The width is `units`, or twice that when bidirectional. Masked steps change no state; what
    stands at them in the output is not defined.

    A call with `states` (arrays `[batch, units]` by the names in `Stack.states`) begins with them
    and gives (outputs, states after the last step); `fresh` `[batch, time]` is true where states
    become zero before a step, as where another document begins.

    Args:
        cell: the recurrent layer, by its name in `CELLS`.
        units: its width.
        depth: layers.
        bidirectional: whether both directions are read, side by side.
        residual: whether a layer's input is added to its output where their widths are the same.
        layer_norm: whether each layer's output is normalised (Ba et al., arXiv 1607.06450).
        dropout: locked dropout between layers, one mask for all steps (arXiv 1512.05287).
        weight_drop: DropConnect on the recurrent kernels (arXiv 1708.02182).
        zoneout: share of units that keep their state in a step (arXiv 1606.01305).

    Raises:
        ValueError: on an unknown cell or a depth under 1.
    """

    def __init__(
        self,
        cell: Cell,
        units: int,
        depth: int = 1,
        bidirectional: bool = False,
        residual: bool = False,
        layer_norm: bool = False,
        dropout: float = 0.0,
        weight_drop: float = 0.0,
        zoneout: float = 0.0,
        **options,
    ):
        super().__init__(**options)
        if cell not in CELLS:
            raise ValueError(f"cell must be one of {', '.join(CELLS)}, not {cell!r}")
        if depth < 1:
            raise ValueError(f"depth must be at least 1, not {depth}")
        self.cell = cell
        self.units = units
        self.depth = depth
        self.bidirectional = bidirectional
        self.residual = residual
        self.layer_norm = layer_norm
        self.dropout = dropout
        self.weight_drop = weight_drop
        self.zoneout = zoneout
        self.supports_masking = True
        self.recurrent = [self._layer() for _ in range(depth)]
        self.norms = (
            [keras.layers.LayerNormalization(dtype=self.dtype_policy) for _ in range(depth)]
            if layer_norm
            else []
        )
        self.drops = (
            [LockedDropout(dropout, dtype=self.dtype_policy) for _ in range(depth - 1)]
            if dropout
            else []
        )

    def _layer(self):
        options = {
            "weight_drop": self.weight_drop,
            "zoneout": self.zoneout,
            "dtype": self.dtype_policy,
        }
        layer = CELLS[self.cell](self.units, return_sequences=True, **options)
        return Bidirectional(layer, dtype=self.dtype_policy) if self.bidirectional else layer

    def build(self, shape):
        for number, layer in enumerate(self.recurrent):
            layer.build(shape)
            shape = (*shape[:2], self.units * (2 if self.bidirectional else 1))
            for norm in self.norms[number : number + 1]:
                norm.build(shape)

    @property
    def states(self) -> dict[str, tuple[int, ...]]:
        """The shape, without the batch, of every state, by name: `state_<layer>_<number>`.

        Raises:
            ValueError: for a bidirectional stack, which has none that go from batch to batch.
        """
        if self.bidirectional:
            raise ValueError("a bidirectional stack has no states that go from batch to batch")
        return {
            f"state_{depth}_{number}": (units,)
            for depth, layer in enumerate(self.recurrent)
            for number, units in enumerate(layer.state_size)
        }

    def call(self, x_BxTxD, mask=None, states=None, fresh=None, training=False):
        if states is not None:
            return self._carried(x_BxTxD, mask, states, fresh, training)

        def through(depth, x_BxTxD):
            if depth and self.drops:
                x_BxTxD = self.drops[depth - 1](x_BxTxD, training=training)
            return self.recurrent[depth](x_BxTxD, mask=mask, training=training)

        return self.apply(x_BxTxD, through)

    def _carried(self, x_BxTxD, mask, states, fresh, training):
        fresh = None if fresh is None else ops.cast(fresh, "bool")
        names = list(self.states)
        after = {}

        def through(depth, x_BxTxD):
            if depth and self.drops:
                x_BxTxD = self.drops[depth - 1](x_BxTxD, training=training)
            layer = self.recurrent[depth]
            own = [name for name in names if name.startswith(f"state_{depth}_")]
            before = [states[name] for name in own]
            _, y_BxTxH, new = layer.inner_loop(x_BxTxD, before, mask, training, fresh)
            after.update(zip(own, new, strict=True))
            return y_BxTxH

        return self.apply(x_BxTxD, through), after

    def apply(self, x, through: Callable):
        """The stack around its layers `through(depth, x)`: for whole sequences or one step."""
        x = as_floats(x, self.compute_dtype)
        for depth in range(self.depth):
            y = through(depth, x)
            if self.norms:
                y = self.norms[depth](y)
            x = x + y if self.residual and y.shape[-1] == x.shape[-1] else y
        return x

    def compute_output_spec(self, x_BxTxD, mask=None, states=None, fresh=None, training=False):
        shape = self.compute_output_shape(x_BxTxD.shape)
        output = keras.KerasTensor(shape, self.compute_dtype)
        if states is None:
            return output
        after = {
            name: keras.KerasTensor((shape[0], *size), self.compute_dtype)
            for name, size in self.states.items()
        }
        return output, after

    def compute_output_shape(self, shape):
        return (*shape[:2], self.units * (2 if self.bidirectional else 1))

    def get_config(self):
        names = (
            "cell",
            "units",
            "depth",
            "bidirectional",
            "residual",
            "layer_norm",
            "dropout",
            "weight_drop",
            "zoneout",
        )
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
