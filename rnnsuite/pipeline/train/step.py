"""One training step and one validation step, compiled, and everything that they change."""

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnsuite.app import App
from rnnsuite.core.context import ReplicaRows, replica
from rnnsuite.core.progress import bar
from rnnsuite.pipeline.config import Config
from rnnsuite.pipeline.train.adversarial import Adversary
from rnnsuite.pipeline.train.averages import Averages
from rnnsuite.pipeline.train.optimizer import (
    LayerRates,
    Schedule,
    build_optimizer,
    leave_gradients_alone,
)


class Trainer:
    """A model, its optimizer, its averaged weights and the states that batches pass on.

    `train_step(inputs, targets)` trains on one batch and gives the mean of every value of the
    application's loss, the gradient's global norm before clipping, and whether both were finite;
    where they were not, no weight is changed. `adversarial_step` does the same on perturbed
    examples, too, where `train.adversarial` is set; its means are those of the others.
    `validation_step(inputs, targets)` gives the values of each example. `compile_seconds` is the
    time of calls with new shapes, which is tracing and compiling above all.

    Args:
        app: the application, for its loss.
        model: built in the scope of `strategy`.
        config: the whole configuration.
        steps: of the whole training.
        spec: the (inputs, targets) spec of a batch.
        strategy: whose replicas divide every batch among themselves.
    """

    def __init__(
        self,
        app: App,
        model: keras.Model,
        config: Config,
        steps: int,
        spec: Sequence[Any],
        strategy: tf.distribute.Strategy | None = None,
    ):
        self.values = functools.partial(app.model.loss, config.model)
        self.model = model
        self.settings = config.train
        self.strategy = strategy or tf.distribute.get_strategy()
        with self.strategy.scope():
            self.schedule = Schedule(self.settings, steps)
            self.optimizer = build_optimizer(self.settings, self.schedule)
            self.optimizer.build(model.trainable_variables)
            self.averages = Averages(self._trainable(), self.settings)
        self.rates = LayerRates(model, self.settings.rates)
        size = self.settings.adversarial
        self.adversary = Adversary(model, size) if size else None
        if self.divided:
            leave_gradients_alone(self.optimizer)
        self.states = _state_variables(app, model, self.settings.batch_size)
        self.validation_states = _state_variables(app, model, self.settings.batch_size)
        self.compile_seconds = 0.0
        adversarial = functools.partial(self._train_step, adversary=self.adversary)
        # AutoGraph would rewrite the source of all that a step calls, seconds for nothing.
        traced = functools.partial(tf.function, input_signature=spec, autograph=False)
        self.train_step = self._timed(traced(self._train_step))
        self.adversarial_step = self._timed(traced(adversarial))
        self.validation_step = self._timed(traced(self._validation_step))

    def step(self, epoch: int) -> Callable:
        """The training step of an epoch, counted from 0."""
        return self.adversarial_step if self.settings.is_adversarial(epoch) else self.train_step

    def _timed(self, function: Callable) -> Callable:
        compiled: set[tuple] = set()

        def run(*batch):
            shapes = tuple(tuple(tensor.shape) for tensor in tf.nest.flatten(batch))
            started = time.monotonic()
            result = function(*batch)
            if shapes not in compiled:
                compiled.add(shapes)
                self.compile_seconds += time.monotonic() - started
            return result

        return run

    @property
    def divided(self) -> bool:
        """True where a batch is divided among replicas."""
        return self.strategy.num_replicas_in_sync > 1

    def _train_step(self, inputs, targets, adversary=None):
        if self.states and self.settings.spread:
            steps = tf.shape(tf.nest.flatten(targets)[0])[1]
            self.schedule.share.assign(tf.cast(steps, tf.float32) / self.settings.window)
        inputs = _with_states(inputs, self.states)
        differentiate = functools.partial(self._gradients, adversary=adversary)
        results = self.strategy.run(differentiate, (inputs, targets))
        means, gradients, norm, finite, after = results
        means, norm, finite, after = _local((means, norm, finite, after), self.strategy)
        tf.cond(finite, lambda: self.strategy.run(self._apply, (gradients,)), lambda: None)
        for name, state in self.states.items():
            state.assign(tf.where(finite, after[name], state))
        return means, norm, finite

    def _gradients(self, inputs, targets, adversary):
        """Per-replica gradients, all-reduced to those of the whole batch."""
        rows = _replica_rows(inputs, self.strategy) if self.divided else None
        inputs, targets = _select((inputs, targets), rows)
        weights = self._trainable()
        outputs, means, loss, scaled, tape = self._forward(inputs, targets, rows)
        gradients = tape.gradient(scaled, [*weights, *(adversary.seen() if adversary else [])])
        if adversary:
            with adversary.attack(gradients[len(weights) :]):
                _, _, _, worse, tape = self._forward(inputs, targets, rows)
            gradients = _mean_gradients(gradients[: len(weights)], tape.gradient(worse, weights))
        gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
        if self.divided:
            context = tf.distribute.get_replica_context()
            means, loss, gradients = context.all_reduce(
                tf.distribute.ReduceOp.SUM, (means, loss, gradients)
            )
            scaled = loss  # no loss scale goes with replicas
        norm = tf.linalg.global_norm(gradients) * tf.cast(loss / scaled, tf.float32)
        finite = tf.math.is_finite(loss)
        # With float16 an overflowing gradient is ordinary: the loss scale handles it.
        if self.settings.precision != "mixed_float16":
            finite &= tf.math.is_finite(norm)
        after = {name: tf.cast(outputs[name], state.dtype) for name, state in self.states.items()}
        return {**means, "loss": loss}, gradients, norm, finite, after

    def _forward(self, inputs, targets, rows: ReplicaRows | None) -> tuple[Any, ...]:
        """Outputs, means, loss, the loss that is differentiated, and the tape of it."""
        with tf.GradientTape() as tape, replica(rows):
            outputs = self.model(inputs, training=True)
            values = self.values(targets, outputs)
            means = {name: _mean(value, rows) for name, value in values.items()}
            loss = means["loss"] + sum(self.model.losses) / self.strategy.num_replicas_in_sync
            scaled = self.optimizer.scale_loss(loss)
        return outputs, means, loss, scaled, tape

    def _apply(self, gradients):
        self.rates.take(lambda: self.optimizer.apply(gradients))
        step = tf.cast(_value(self.optimizer.iterations), tf.float32)
        self.averages.update(step)

    def _validation_step(self, inputs, targets):
        inputs = _with_states(inputs, self.validation_states)
        outputs = self.model(inputs, training=False)
        for name, state in self.validation_states.items():
            state.assign(tf.cast(outputs[name], state.dtype))
        return self.values(targets, outputs)

    def loss(self, inputs, targets) -> tf.Tensor:
        """The mean loss of a batch, without dropout and from zero states."""
        states = {name: tf.zeros_like(state) for name, state in self.states.items()}
        outputs = self.model(_with_states(inputs, states), training=False)
        return tf.reduce_mean(self.values(targets, outputs)["loss"])

    def _trainable(self) -> list[tf.Variable]:
        return [weight.value for weight in self.model.trainable_variables]

    def learning_rate(self) -> float:
        """That of the next step."""
        return float(self.optimizer.learning_rate)

    def reset_states(self) -> None:
        """Zeros the carried states, as before the first batch of an epoch."""
        for state in self.states.values():
            state.assign(tf.zeros_like(state))

    def weight(self, targets) -> int:
        """What a batch counts in a mean: its rows, or all its steps where order is contiguous."""
        shape = tf.nest.flatten(targets)[0].shape
        return int(shape[0]) * (int(shape[1]) if self.states else 1)

    def _variables(self) -> list:
        return [
            *self.model.variables,
            *self.optimizer.variables,
            *self.averages.variables,
            *self.states.values(),
        ]

    def arrays(self) -> list[np.ndarray]:
        """Everything that training changes: weights, averages, moments, counts, seeds, states."""
        return [_value(variable).numpy() for variable in self._variables()]

    def restore(self, arrays: Sequence[np.ndarray]) -> None:
        """Undoes everything since `arrays()` gave these. Raises ValueError for another model's."""
        for variable, array in zip(self._variables(), arrays, strict=True):
            variable.assign(array)


def validate(trainer: Trainer, batches: tf.data.Dataset) -> dict[str, float]:
    """The mean of every value over all examples.

    Args:
        trainer: its `validation_step` is run.
        batches: (inputs, targets). Windows of contiguous examples count by their steps.

    Returns:
        Means by name.
    """
    for state in trainer.validation_states.values():
        state.assign(tf.zeros_like(state))
    sums: dict[str, float] = {}
    weight = 0.0
    for inputs, targets in bar(batches, desc="validation", unit="batch"):
        size = trainer.weight(targets)
        rows = int(tf.nest.flatten(targets)[0].shape[0])
        weight += size
        for name, value in trainer.validation_step(inputs, targets).items():
            total = float(np.sum(value.numpy(), dtype=np.float64)) * size / rows
            sums[name] = sums.get(name, 0.0) + total
    return {name: total / weight for name, total in sums.items()}


def _state_variables(app: App, model: keras.Model, batch_size: int) -> dict[str, tf.Variable]:
    """A variable of zeros for each output that is named like an input, in contiguous order."""
    if app.data.order != "contiguous":
        return {}
    inputs = model.input
    outputs = model.output
    if not isinstance(inputs, Mapping) or not isinstance(outputs, Mapping):
        raise ValueError("contiguous order needs a functional model with named inputs and outputs")
    return {
        name: tf.Variable(
            tf.zeros([batch_size, *inputs[name].shape[1:]], inputs[name].dtype), trainable=False
        )
        for name in inputs
        if name in outputs
    }


def _with_states(inputs, states: Mapping[str, Any]):
    if not states:
        return inputs
    return {**inputs, **{name: tf.convert_to_tensor(state) for name, state in states.items()}}


def _mean(value, rows: ReplicaRows | None):
    """The mean over the batch, or a replica's part of it, in which no row counts twice."""
    if rows is None:
        return tf.reduce_mean(value)
    mask = tf.cast(rows.mask(), value.dtype)
    return tf.reduce_sum(value * mask) / tf.cast(rows.total, value.dtype)


def _mean_gradients(first: Sequence[Any], second: Sequence[Any]) -> list[tf.Tensor]:
    """Of two lists of dense or sparse gradients."""
    pairs = zip(first, second, strict=True)
    return [0.5 * (tf.convert_to_tensor(one) + tf.convert_to_tensor(other)) for one, other in pairs]


def _value(variable) -> tf.Variable:
    return variable.value if isinstance(variable, keras.Variable) else variable


def _local(values, strategy: tf.distribute.Strategy):
    """One replica's copy of what is the same in all."""
    copies = strategy.experimental_local_results
    return tf.nest.map_structure(lambda value: copies(value)[0], values)


def _replica_rows(batch, strategy: tf.distribute.Strategy) -> ReplicaRows:
    """This replica's rows of a batch: equally many in each, the last ones perhaps padding."""
    total = tf.shape(tf.nest.flatten(batch)[0])[0]
    number: Any = tf.distribute.get_replica_context()
    count = -(-total // strategy.num_replicas_in_sync)
    first = tf.cast(number.replica_id_in_sync_group, tf.int32) * count
    return ReplicaRows(tf.range(count) + first, total)


def _select(batch, rows: ReplicaRows | None):
    if rows is None:
        return batch
    return tf.nest.map_structure(lambda value: tf.gather(value, rows.indices()), batch)
