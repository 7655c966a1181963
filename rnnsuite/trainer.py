"""One training step and one validation step, compiled, and everything that they change."""

import functools
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnsuite.app import App
from rnnsuite.config import Train
from rnnsuite.layers.replica import Share, sharing


class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up over a share of all steps, then constant, or a fall to 0 by a cosine or a line."""

    def __init__(self, settings: Train, steps: int):
        self.settings, self.steps = settings, steps

    def __call__(self, step):
        done = tf.minimum(tf.cast(step, tf.float32) / self.steps, 1.0)
        warm = tf.minimum((tf.cast(step, tf.float32) + 1) / max(self.settings.warmup * self.steps, 1.0), 1.0)
        fall = {
            "constant": lambda: 1.0,
            "cosine": lambda: 0.5 + 0.5 * tf.cos(math.pi * done),
            "linear": lambda: 1.0 - done,
        }[self.settings.schedule]()
        return self.settings.learning_rate * warm * fall

    def get_config(self):
        return {"settings": self.settings, "steps": self.steps}


def build_optimizer(settings: Train, steps: int) -> keras.optimizers.Optimizer:
    kinds = {
        "adamw": keras.optimizers.AdamW,
        "adam": keras.optimizers.Adam,
        "rmsprop": keras.optimizers.RMSprop,
        "sgd": lambda **options: keras.optimizers.SGD(momentum=0.9, nesterov=True, **options),
    }
    optimizer = kinds[settings.optimizer](
        learning_rate=Schedule(settings, steps),
        weight_decay=settings.weight_decay or (0.0 if settings.optimizer == "adamw" else None),
        global_clipnorm=settings.clip_norm or None,
    )
    if settings.precision == "mixed_float16":
        return keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer


class Trainer:
    """A model, its optimizer and its averaged weights.

    `step(inputs, targets)` trains on one batch and gives the mean of every value of the
    application's loss, the gradient's global norm before clipping and whether both were
    finite; where they were not, no weight is changed. `check(inputs, targets)` gives the
    values of each example. strategy: whose replicas divide every batch among themselves; `model`
    must have been built in its scope. `first_calls` are the seconds spent in calls with shapes that had
    not come before, which is tracing and compiling above all.
    """

    def __init__(
        self,
        app: App,
        model: keras.Model,
        config: Any,
        steps: int,
        spec: Sequence[Any],
        strategy: tf.distribute.Strategy | None = None,
    ):
        settings = config.train
        self.values, self.model, self.settings = functools.partial(app.loss, config.model), model, settings
        self.strategy = strategy or tf.distribute.get_strategy()
        with self.strategy.scope():
            self.optimizer = build_optimizer(settings, steps)
            self.optimizer.build(model.trainable_variables)
            self.averages = [tf.Variable(weight.value) for weight in model.trainable_variables] if settings.ema else []
        if self.divided:  # gradients are sums over all replicas before they are clipped; Keras would sum them again
            self.optimizer._all_reduce_sum_gradients = lambda pairs: pairs
        self.first_calls = 0.0
        self.step = self._timed(tf.function(self._step, input_signature=spec))
        self.check = self._timed(tf.function(self._check, input_signature=spec))

    def _timed(self, function: Callable) -> Callable:
        seen: set[tuple] = set()

        def run(*batch):
            shapes = tuple(tuple(each.shape) for each in tf.nest.flatten(batch))
            started = time.monotonic()
            result = function(*batch)
            if shapes not in seen:
                seen.add(shapes)
                self.first_calls += time.monotonic() - started
            return result

        return run

    @property
    def divided(self) -> bool:
        return self.strategy.num_replicas_in_sync > 1

    def _step(self, inputs, targets):
        means, gradients, norm, finite = self.strategy.run(self._gradients, (inputs, targets))
        means, norm, sound = self._local((means, norm, finite))
        tf.cond(sound, lambda: self.strategy.run(self._apply, (gradients,)), lambda: None)
        return means, norm, sound

    def _local(self, values):
        """One replica's copy of what is the same in all."""
        return tf.nest.map_structure(lambda value: self.strategy.experimental_local_results(value)[0], values)

    def _gradients(self, inputs, targets):
        """In every replica: of its own rows the gradients, summed over all replicas to those of the whole batch."""
        share = self._share(inputs) if self.divided else None
        inputs, targets = _rows((inputs, targets), share)
        with tf.GradientTape() as tape, sharing(share):
            values = self.values(targets, self.model(inputs, training=True))
            means = {name: self._mean(value, share) for name, value in values.items()}
            loss = means["loss"] + sum(self.model.losses) / self.strategy.num_replicas_in_sync
            scaled = self.optimizer.scale_loss(loss)
        gradients = [tf.convert_to_tensor(each) for each in tape.gradient(scaled, self._trainable())]
        if self.divided:
            replica = tf.distribute.get_replica_context()
            means, loss, gradients = replica.all_reduce(tf.distribute.ReduceOp.SUM, (means, loss, gradients))
            scaled = loss  # no loss scale goes with replicas
        norm = tf.linalg.global_norm(gradients) * tf.cast(loss / scaled, tf.float32)
        # With float16 an overflowing gradient is ordinary: the loss scale handles it.
        finite = tf.math.is_finite(loss)
        if self.settings.precision != "mixed_float16":
            finite &= tf.math.is_finite(norm)
        return {**means, "loss": loss}, gradients, norm, finite

    def _share(self, batch) -> Share:
        """The rows of a batch that are this replica's: as many in each; those beyond the last one do not count."""
        total, replica = tf.shape(tf.nest.flatten(batch)[0])[0], tf.distribute.get_replica_context()
        each = -(-total // self.strategy.num_replicas_in_sync)
        return Share(tf.range(each) + tf.cast(replica.replica_id_in_sync_group, tf.int32) * each, total)

    def _mean(self, value, share: Share | None):
        """The mean over the batch, or this replica's part of it, in which no row counts twice."""
        if share is None:
            return tf.reduce_mean(value)
        counted = tf.cast(share.counted(), value.dtype)
        return tf.reduce_sum(value * counted) / tf.cast(share.total, value.dtype)

    def _apply(self, gradients):
        self.optimizer.apply(gradients)
        seen = tf.cast(self.optimizer.iterations.value, tf.float32)
        decay = tf.minimum(self.settings.ema, (1 + seen) / (10 + seen))
        for average, weight in zip(self.averages, self._trainable(), strict=bool(self.averages)):
            average.assign(decay * average + (1 - decay) * weight)

    def _check(self, inputs, targets):
        return self.values(targets, self.model(inputs, training=False))

    def loss(self, inputs, targets) -> tf.Tensor:
        """The mean loss of a batch, without dropout."""
        return tf.reduce_mean(self._check(inputs, targets)["loss"])

    def _trainable(self) -> list[tf.Variable]:
        return [weight.value for weight in self.model.trainable_variables]

    def learning_rate(self) -> float:
        return float(self.optimizer.learning_rate)

    def exchange(self) -> None:
        """Puts the averaged weights into the model and the model's aside; a second call undoes it."""
        for average, weight in zip(self.averages, self._trainable(), strict=bool(self.averages)):
            kept = weight.numpy()
            weight.assign(average)
            average.assign(kept)

    def validate(self, batches: tf.data.Dataset) -> dict[str, float]:
        """The mean of every value over all examples of `batches`."""
        seen: dict[str, list[np.ndarray]] = {}
        for inputs, targets in batches:
            for name, value in self.check(inputs, targets).items():
                seen.setdefault(name, []).append(value.numpy())
        return {name: float(np.concatenate(values).mean(dtype=np.float64)) for name, values in seen.items()}

    def _variables(self) -> list:
        return [*self.model.variables, *self.optimizer.variables, *self.averages]

    def arrays(self) -> list[np.ndarray]:
        """Everything that training changes: weights, averages, moments, step counts, dropout's seeds."""
        return [_value(variable).numpy() for variable in self._variables()]

    def restore(self, arrays: Sequence[np.ndarray]) -> None:
        for variable, array in zip(self._variables(), arrays, strict=True):
            variable.assign(array)


def _value(variable) -> tf.Variable:
    return variable.value if isinstance(variable, keras.Variable) else variable


def _rows(batch, share: Share | None):
    if share is None:
        return batch
    return tf.nest.map_structure(lambda value: tf.gather(value, share.places()), batch)
