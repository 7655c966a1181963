"""The optimizer of a training and its learning rate."""

import math
from collections.abc import Callable, Mapping

import keras
import tensorflow as tf

from rnnsuite.core.errors import UserError, nearest
from rnnsuite.pipeline.settings import Train


class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up over a share of all steps, then constant, or a fall to 0.

    Args:
        settings: learning_rate, warmup and schedule.
        steps: of the whole training.

    Attributes:
        share: of the step under way, by which its rate is multiplied: that of its window.
    """

    def __init__(self, settings: Train, steps: int):
        self.settings = settings
        self.steps = steps
        self.share = tf.Variable(tf.ones([]), trainable=False)

    def __call__(self, step):
        step = tf.cast(step, tf.float32)
        done = tf.minimum(step / self.steps, 1.0)
        warm = tf.minimum((step + 1) / max(self.settings.warmup * self.steps, 1.0), 1.0)
        fall = {
            "constant": lambda: 1.0,
            "cosine": lambda: 0.5 + 0.5 * tf.cos(math.pi * done),
            "linear": lambda: 1.0 - done,
        }[self.settings.schedule]()
        return self.settings.learning_rate * warm * fall * self.share

    def get_config(self):
        return {"settings": self.settings, "steps": self.steps}


def build_optimizer(settings: Train, schedule: Schedule) -> keras.optimizers.Optimizer:
    """The optimizer that the settings name, with this learning rate."""
    kinds = {
        "adamw": keras.optimizers.AdamW,
        "adam": keras.optimizers.Adam,
        "rmsprop": keras.optimizers.RMSprop,
        "sgd": lambda **options: keras.optimizers.SGD(momentum=0.9, nesterov=True, **options),
    }
    # AdamW refuses None for no decay, the others refuse 0.
    no_decay = 0.0 if settings.optimizer == "adamw" else None
    optimizer = kinds[settings.optimizer](
        learning_rate=schedule,
        weight_decay=settings.weight_decay or no_decay,
        global_clipnorm=settings.clip_norm or None,
    )
    if settings.precision == "mixed_float16":
        return keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer


class LayerRates:
    """Lets some layers of a model follow a share of the optimizer's step.

    Args:
        model: whose layers are named.
        rates: shares by the name of a layer; the others take the whole step.

    Raises:
        UserError: for a layer that the model does not have.
    """

    def __init__(self, model: keras.Model, rates: Mapping[str, float]):
        layers = {layer.name: layer for layer in model.layers if layer.trainable_variables}
        for name in rates:
            if name not in layers:
                raise UserError(f"train.rates: there is no layer {name!r}.{nearest(name, layers)}")
        self.slow = [
            (weight.value, share)
            for name, share in rates.items()
            for weight in layers[name].trainable_variables
        ]

    def take(self, step: Callable[[], object]) -> None:
        """Takes a step, and these layers a part of it, in a graph."""
        before = [tf.identity(weight) for weight, _ in self.slow]
        step()
        for (weight, share), old in zip(self.slow, before, strict=True):
            weight.assign(old + share * (weight - old))


def leave_gradients_alone(optimizer: keras.optimizers.Optimizer) -> None:
    """Stops Keras from summing over replicas gradients that have been summed already."""
    optimizer._all_reduce_sum_gradients = lambda pairs: pairs
