"""SimpleRNN, GRU and LSTM: Keras's layers, with the kernel chosen by where the graph will run."""

import warnings

import keras
import tensorflow as tf
from keras import ops

from rnnsuite.core import context
from rnnsuite.layers import fused, scan
from rnnsuite.layers.casting import as_floats
from rnnsuite.layers.recording import record_steps

_ACTIVATIONS = {
    keras.activations.tanh: "tanh",
    keras.activations.relu: "relu",
    keras.activations.linear: "linear",
    ops.tanh: "tanh",
    tf.tanh: "tanh",
}
_warned: set[str] = set()


class Scanned:
    """What the three layers share: kernel, weight drop and zoneout.

    Args:
        units: width of the state.
        weight_drop: share of the recurrent kernel's weights that a training step leaves out
            (DropConnect, Merity et al., arXiv 1708.02182).
        zoneout: probability with which a unit keeps its state in a training step; otherwise that
            much of the old state is mixed in (Krueger et al., arXiv 1606.01305). Of an LSTM, one
            number or (of h, of c).

    Raises:
        ValueError: where they are not in [0, 1).
    """

    def __init__(
        self, units, *args, weight_drop: float = 0.0, zoneout: float | tuple = 0.0, **options
    ):
        super().__init__(units, *args, **options)
        zoneouts = (
            tuple(zoneout)
            if isinstance(zoneout, list | tuple)
            else (zoneout,) * len(self.state_size)
        )
        if len(zoneouts) != len(self.state_size):
            raise ValueError(
                f"zoneout must be one number or {len(self.state_size)}, not {zoneout!r}"
            )
        for name, rate in [("weight_drop", weight_drop), *[("zoneout", rate) for rate in zoneouts]]:
            if not 0 <= rate < 1:
                raise ValueError(f"{name} must be in [0, 1), not {rate!r}")
        self.weight_drop = weight_drop
        self.zoneout = zoneout
        self._zoneouts = zoneouts
        is_random = weight_drop or any(zoneouts)
        self._seeds = keras.random.SeedGenerator(self.cell.seed) if is_random else None
        # Keras would compile the whole training step, which is slower than none of it.
        self.supports_jit = False

    def inner_loop(self, sequences, initial_state, mask, training=False, fresh=None):
        sequences = as_floats(sequences, self.compute_dtype)
        states = tuple(keras.tree.flatten(initial_state))
        mask = keras.tree.flatten(mask)[0] if mask is not None else None
        reason = self.unsupported(training)
        if reason:
            if fresh is not None:
                raise ValueError(f"{self.name} cannot begin anew within a sequence with {reason}")
            _warn_once(self, reason)
            return keras.layers.RNN.inner_loop(self, sequences, initial_state, mask, training)
        if context.recorded_states() is not None:
            return record_steps(self, sequences, states, mask, fresh)
        place = context.current_target()
        if place == "lite" and self._fuses(sequences, states):
            return fused.lstm(self, sequences)
        if place == "training" and self._on_gpu() and fresh is None:
            return super().inner_loop(sequences, initial_state, mask, training)
        if training and self.dropout:
            sequences = sequences * ops.expand_dims(
                self.cell.get_dropout_mask(sequences[:, 0, :]), axis=1
            )
        last, outputs, states = scan.run(
            _of_target(self.recurrence()),
            sequences,
            states,
            self._weights(training),
            plan=scan.plan(*sequences.shape[:2], self.units, mask is not None)
            if place == "training"
            else exported_plan(sequences),
            mask=None if mask is None else tf.cast(mask, tf.bool),
            fresh=fresh,
            backwards=self.go_backwards,
            sequences=self.return_sequences,
            zero_masked=self.zero_output_for_mask,
            save_residuals=bool(training),
            **self._zones(sequences, training),
        )
        return last, last[:, None] if outputs is None else outputs, list(states)

    def step(self, x_BxD: tf.Tensor, states: tuple) -> tuple:
        """The states after one more step of input, outside training."""
        recurrence = self.recurrence()
        weights = self._weights(training=False)
        a = recurrence.project(as_floats(x_BxD, self.compute_dtype)[None], weights)[0]
        proposed, _ = recurrence.step(a, states, recurrence.recurrent(weights))
        blended = zip(states, proposed, self._zoneouts, strict=True)
        return tuple(rate * old + (1 - rate) * new if rate else new for old, new, rate in blended)

    def sequence(self, x_BxTxD: tf.Tensor, states: tuple) -> tuple[tf.Tensor, tuple]:
        """Outputs of all steps and last states, outside training, in stock operations."""
        x_BxTxD = as_floats(x_BxTxD, self.compute_dtype)
        options = {"plan": exported_plan(x_BxTxD), **self._zones(x_BxTxD, training=False)}
        weights = self._weights(training=False)
        _, outputs, states = scan.run(
            _of_target(self.recurrence()), x_BxTxD, states, weights, save_residuals=False, **options
        )
        return outputs, states

    @property
    def bridged_states(self) -> int:
        """How many of the states a decoder begins with a summary in; the others are zero."""
        return len(self.state_size)

    def recurrence(self) -> scan.Recurrence:
        """The equations of this layer."""
        raise NotImplementedError

    def cell_weights(self) -> tuple:
        """The cell's weights as the recurrence takes them; None for a missing bias."""
        return self.cell.kernel, self.cell.recurrent_kernel, self.cell.bias

    def _weights(self, training) -> tuple:
        kernel, recurrent, *others = [
            None if w is None else tf.convert_to_tensor(w) for w in self.cell_weights()
        ]
        if training and self.weight_drop:
            recurrent = keras.random.dropout(recurrent, self.weight_drop, seed=self._seeds)
        return (kernel, recurrent, *others)

    def _zones(self, sequences, training) -> dict:
        if not any(self._zoneouts):
            return {}
        if not training:
            return {"zoneout_mix": tuple(1.0 - rate for rate in self._zoneouts)}
        rows, steps = ops.shape(sequences)[:2]

        def draw(rows):
            return keras.random.uniform((rows, steps, self.units), seed=self._seeds)

        return {
            "zoneout_update": tuple(
                context.random_for_batch(draw, rows) >= rate if rate else None
                for rate in self._zoneouts
            )
        }

    def unsupported(self, training) -> str | None:
        """Why the scan cannot compute this layer, if so."""
        if self.unroll:
            return "unroll=True"
        if training and self.recurrent_dropout:
            return "recurrent_dropout (weight_drop and zoneout keep the fast path)"
        if training and self.dropout and getattr(self.cell, "implementation", 2) == 1:
            return "implementation=1 with dropout"
        return self._unsupported_activation()

    def _unsupported_activation(self) -> str | None:
        gates = self.cell.recurrent_activation
        if _ACTIVATIONS.get(self.cell.activation) != "tanh" or gates not in (
            keras.activations.sigmoid,
            ops.sigmoid,
        ):
            return "activations other than tanh and sigmoid"
        return None

    def _fuses(self, sequences, states) -> bool:
        return False

    def _on_gpu(self) -> bool:
        extras = self.weight_drop or any(self._zoneouts)
        return bool(tf.config.list_physical_devices("GPU")) and not extras

    def get_config(self):
        extras = {
            name: getattr(self, name) for name in ("weight_drop", "zoneout") if getattr(self, name)
        }
        return {**super().get_config(), **extras}  # without them, keras.layers reads it too


def _of_target(recurrence: scan.Recurrence) -> scan.Recurrence:
    served = context.current_target() == "served"
    return scan.for_serving(recurrence) if served else recurrence


def exported_plan(x_BxTxD: tf.Tensor) -> scan.Plan:
    """How an exported graph runs a sequence."""
    is_static = context.current_target() == "portable" and None not in x_BxTxD.shape[:2]
    return scan.PORTABLE if is_static else scan.STOCK


def _warn_once(layer: Scanned, reason: str) -> None:
    """Says once why a layer takes Keras's loop. Raises ValueError where that cannot do it."""
    if layer.weight_drop or any(layer._zoneouts):
        raise ValueError(f"{type(layer).__name__} cannot join weight_drop or zoneout with {reason}")
    message = f"{type(layer).__name__} runs Keras's loop, not the fast one, because of {reason}"
    if message not in _warned:
        _warned.add(message)
        warnings.warn(message, stacklevel=2)


@keras.saving.register_keras_serializable("rnnsuite")
class SimpleRNN(Scanned, keras.layers.SimpleRNN):
    """Elman network, h_t = tanh(x_t W + h_{t-1} U + b) (Elman 1990).

    `[batch, time, features]` to `[batch, units]`, or `[batch, time, units]` with
    `return_sequences`. Fast with tanh, ReLU or no activation.

    Args:
        units: width of the state.
        weight_drop: see `Scanned`. Further arguments are `keras.layers.SimpleRNN`'s.
        zoneout: see `Scanned`.
    """

    def recurrence(self):
        return scan.SimpleRNN(_ACTIVATIONS[self.cell.activation])

    def _unsupported_activation(self):
        return (
            None
            if self.cell.activation in _ACTIVATIONS
            else "an activation other than tanh, relu and linear"
        )


@keras.saving.register_keras_serializable("rnnsuite")
class GRU(Scanned, keras.layers.GRU):
    """Gated recurrent unit (Cho et al., arXiv 1406.1078; `reset_after` as in cuDNN).

    `[batch, time, features]` to `[batch, units]`, or `[batch, time, units]` with
    `return_sequences`. Exported, it holds no cuDNN operation.

    Args:
        units: width of the state.
        weight_drop: see `Scanned`. Further arguments are `keras.layers.GRU`'s.
        zoneout: see `Scanned`.
    """

    def recurrence(self):
        return scan.GRU() if self.cell.reset_after else scan.GRUResetBefore()


@keras.saving.register_keras_serializable("rnnsuite")
class LSTM(Scanned, keras.layers.LSTM):
    """Long short-term memory (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000).

    `[batch, time, features]` to `[batch, units]`, or `[batch, time, units]` with
    `return_sequences`. Exported, it holds no cuDNN operation; exported for LiteRT it becomes one
    UNIDIRECTIONAL_SEQUENCE_LSTM where its activations are the usual ones.

    Args:
        units: width of the state.
        weight_drop: see `Scanned`. Further arguments are `keras.layers.LSTM`'s.
        zoneout: see `Scanned`.
    """

    def recurrence(self):
        return scan.LSTM()

    def _fuses(self, sequences, states):
        return fused.fits(self, sequences, states) and not any(self._zoneouts)
