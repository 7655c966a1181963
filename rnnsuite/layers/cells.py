"""Cells whose step is a recurrence of the scan, and Keras's RNN around them."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from rnnsuite.layers import scan
from rnnsuite.layers.recurrent import Scanned


class ScanCell(keras.layers.Layer):
    """One step of a recurrent layer that is none of Keras's.

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
        self.bias = size and self._weight("bias", size, self.first_bias)

    def build_recurrent(self) -> None:
        """Makes the weights that stand between kernel and bias."""

    def first_bias(self, shape: tuple, dtype: Any = None) -> Any:
        """The bias that training begins with."""
        return self.bias_initializer(shape, dtype)

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


class ScanRNN(keras.layers.RNN):
    """Keras's RNN around a cell that is made of a layer's own arguments."""

    cell_type: type[ScanCell]
    OPTIONS: tuple[str, ...] = (
        "use_bias",
        "kernel_initializer",
        "bias_initializer",
        "dropout",
        "seed",
    )
    """Arguments of the cell."""
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


class ScanLayer(Scanned, ScanRNN):
    """A recurrent layer of such a cell. Arguments are the cell's, `Scanned`'s and Keras's RNN's."""

    def recurrence(self):
        return self.cell.recurrence

    def cell_weights(self):
        return self.cell.scan_weights()

    def _unsupported_activation(self):
        return None

    def _on_gpu(self):
        return False


def layer_of(cell: type[ScanCell]) -> Callable[[type], type]:
    """Gives a layer its cell, and both their names for files."""

    def named(layer: type) -> type:
        layer.cell_type = keras.saving.register_keras_serializable("rnnsuite")(cell)
        return keras.saving.register_keras_serializable("rnnsuite")(layer)

    return named
