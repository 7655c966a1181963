"""Recurrent layers without a product with the state: minGRU, minLSTM, RG-LRU, SRU, IndRNN."""

import math
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from rnnsuite.layers import scan
from rnnsuite.layers.recurrent import Scanned
from rnnsuite.layers.scan.linear import SHARPNESS


class ElementwiseCell(keras.layers.Layer):
    """One step of an element-wise recurrent layer.

    Args:
        units: width of the state.
        use_bias: whether sums have a bias.
        kernel_initializer, bias_initializer: as Keras's layers have them.
        dropout: share of the inputs that a training step leaves out, the same at all steps.
        seed: of what is drawn.
    """

    recurrence: scan.Recurrence
    gates = 1

    def __init__(
        self,
        units: int,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        dropout: float = 0.0,
        seed: int | None = None,
        **options: Any,
    ):
        super().__init__(**options)
        self.dropout = dropout
        self.seed = seed
        self.seeds = keras.random.SeedGenerator(seed) if dropout else None
        self.units = units
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    @property
    def state_size(self) -> list[int]:
        return [self.units] * self.recurrence.states

    @property
    def output_size(self) -> int:
        return self.units

    def width(self, features: int) -> int:
        """Columns of the kernel."""
        return self.gates * self.units

    def build(self, shape: Any) -> None:
        self.kernel = self._weight("kernel", (shape[-1], self.width(shape[-1])))
        self.build_recurrent()
        size = (self.bias_size,) if self.use_bias else None
        self.bias = size and self._weight("bias", size, self.bias_initializer)

    def build_recurrent(self) -> None:
        """Makes the weights that stand between kernel and bias."""

    @property
    def bias_size(self) -> int:
        return self.gates * self.units

    def _weight(self, name: str, shape: tuple, initializer: Any = None) -> Any:
        chosen = initializer or self.kernel_initializer
        return self.add_weight(shape=shape, name=name, initializer=chosen)

    def scan_weights(self) -> tuple:
        """As the recurrence takes them; without a bias, None or zeros."""
        return self.kernel, self.bias

    def call(self, inputs, states, training=False):
        weights = tuple(
            None if weight is None else tf.convert_to_tensor(weight)
            for weight in self.scan_weights()
        )
        a = self.recurrence.project(inputs[None], weights)[0]
        before = tuple(keras.tree.flatten(states))
        new, _ = self.recurrence.step(a, before, self.recurrence.recurrent(weights))
        return new[0], list(new)

    def get_dropout_mask(self, inputs: tf.Tensor) -> tf.Tensor:
        """What inputs `[batch, features]` of every step are multiplied by in training."""
        return keras.random.dropout(tf.ones_like(inputs), self.dropout, seed=self.seeds)

    def get_initial_state(self, batch_size: Any = None) -> list:
        """Zeros."""
        shape = (batch_size, self.units)
        return [keras.ops.zeros(shape, self.compute_dtype) for _ in self.state_size]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "use_bias": self.use_bias,
            "dropout": self.dropout,
            "seed": self.seed,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }


class _Base(keras.layers.RNN):
    """Keras's RNN around a cell that is made of a layer's own arguments."""

    cell_type: type[ElementwiseCell]
    OPTIONS = ("use_bias", "kernel_initializer", "bias_initializer", "dropout", "seed")
    recurrent_dropout = 0.0

    def __init__(self, units: int, **options: Any):
        own = {name: options.pop(name) for name in self.OPTIONS if name in options}
        policy = {"dtype": options["dtype"]} if "dtype" in options else {}
        super().__init__(self.cell_type(units, **own, **policy), **options)

    @property
    def units(self) -> int:
        return self.cell.units

    @property
    def dropout(self) -> float:
        return self.cell.dropout

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["cell"]
        cell = self.cell.get_config()
        return {**config, **{name: cell[name] for name in ("units", *self.OPTIONS)}}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None):
        return cls(**config)


class Elementwise(Scanned, _Base):
    """What the layers share.

    Raises:
        ValueError: for weight_drop, which drops weights of a recurrent kernel.
    """

    def __init__(self, units: int, **options: Any):
        super().__init__(units, **options)
        if self.weight_drop:
            raise ValueError(
                f"{type(self).__name__} has no recurrent kernel whose weights weight_drop could "
                "leave out; zoneout it has"
            )

    def recurrence(self):
        return self.cell_type.recurrence

    def cell_weights(self):
        return self.cell.scan_weights()

    def _unsupported_activation(self):
        return None

    def _on_gpu(self):
        return False


def _layer(cell: type[ElementwiseCell]) -> Callable[[type], type]:
    """Gives a layer its cell, and both their names for files."""

    def named(layer: type) -> type:
        layer.cell_type = keras.saving.register_keras_serializable("rnnsuite")(cell)
        return keras.saving.register_keras_serializable("rnnsuite")(layer)

    return named


class MinGRUCell(ElementwiseCell):
    """One step of `MinGRU`."""

    recurrence = scan.MinGRU()
    gates = 2


class MinLSTMCell(ElementwiseCell):
    """One step of `MinLSTM`."""

    recurrence = scan.MinLSTM()
    gates = 3


class RGLRUCell(ElementwiseCell):
    """One step of `RGLRU`."""

    recurrence = scan.RGLRU()
    gates = 3

    def build_recurrent(self):
        uniform = keras.initializers.RandomUniform(0.9, 0.999, seed=self.seed)

        def decays(shape, dtype=None):
            """So that f lies between 0.9 and 0.999 where the gate is open (the paper's 2.4)."""
            drawn = uniform(shape, dtype)
            return keras.ops.log(keras.ops.expm1(-keras.ops.log(drawn) / SHARPNESS))

        self.decay = self._weight("decay", (self.units,), decays)

    def scan_weights(self):
        return self.kernel, self.bias, self.decay


class IndRNNCell(ElementwiseCell):
    """One step of `IndRNN`."""

    recurrence = scan.IndRNN()

    def build_recurrent(self):
        uniform = keras.initializers.RandomUniform(0.0, 1.0, self.seed)
        self.recurrent_kernel = self._weight("recurrent_kernel", (self.units,), uniform)

    def scan_weights(self):
        return self.kernel, self.recurrent_kernel, self.bias


class SRUCell(ElementwiseCell):
    """One step of `SRU`."""

    recurrence = scan.SRU()

    def width(self, features):
        return (3 if features == self.units else 4) * self.units

    @property
    def bias_size(self):
        return 2 * self.units

    def build_recurrent(self):
        limit = math.sqrt(3 / self.units)
        uniform = keras.initializers.RandomUniform(-limit, limit, self.seed)
        self.recurrent_kernel = self._weight("recurrent_kernel", (2 * self.units,), uniform)

    def scan_weights(self):
        bias = tf.zeros([2 * self.units], self.compute_dtype) if self.bias is None else self.bias
        return self.kernel, self.recurrent_kernel, bias


@_layer(MinGRUCell)
class MinGRU(Elementwise):
    """The minimal gated recurrent unit (Feng et al., arXiv 2410.01201).

    `[batch, time, features]` to `[batch, units]`, or `[batch, time, units]` with
    `return_sequences`. A step is three operations on vectors: all products come before the loop.

    Args:
        units: width of the state.
        use_bias, kernel_initializer, bias_initializer, dropout, seed: see `ElementwiseCell`.
        zoneout: see `Scanned`. Further arguments are `keras.layers.RNN`'s.
    """


@_layer(MinLSTMCell)
class MinLSTM(Elementwise):
    """The minimal LSTM, whose gates add up to 1 (Feng et al., arXiv 2410.01201).

    Shapes and arguments are those of `MinGRU`.
    """


@_layer(RGLRUCell)
class RGLRU(Elementwise):
    """The real-gated linear recurrent unit of Griffin (De et al., arXiv 2402.19427).

    Its input is projected to the width of the state, so that it stands wherever an LSTM does.
    Shapes and arguments are those of `MinGRU`.
    """


@_layer(IndRNNCell)
class IndRNN(Elementwise):
    """The independently recurrent network (Li et al., arXiv 1803.04831), with ReLU.

    Shapes and arguments are those of `MinGRU`.
    """


@_layer(SRUCell)
class SRU(Elementwise):
    """The simple recurrent unit (Lei et al., arXiv 1709.02755), with its highway.

    The highway passes the input on where that is as wide as the state, and else a projection of
    it. Shapes and arguments are those of `MinGRU`.
    """
