"""Averages of the weights over the steps of a training, which are validated in their place."""

from collections.abc import Sequence

import tensorflow as tf

from rnnsuite.pipeline.settings import Train


class Averages:
    """An exponential moving average, or the mean of all steps since training stalled.

    The second is the average of NT-ASGD (Merity et al., arXiv 1708.02182, section 3): it begins
    with the first epoch after `train.average` epochs without a better monitored metric.

    Args:
        weights: those that are trained.
        settings: `ema`, `average`; without either nothing is averaged.
    """

    def __init__(self, weights: Sequence[tf.Variable], settings: Train):
        self.settings = settings
        self.weights = list(weights) if settings.ema or settings.average else []
        self.means = [tf.Variable(weight, trainable=False) for weight in self.weights]
        counted = bool(settings.average) and bool(self.weights)
        self.count = tf.Variable(tf.zeros([], tf.int64), trainable=False) if counted else None

    @property
    def variables(self) -> list[tf.Variable]:
        """Everything that training changes here."""
        return [*self.means, *([] if self.count is None else [self.count])]

    @property
    def is_active(self) -> bool:
        """Whether there is an average to be validated."""
        return bool(self.means) and (self.count is None or int(self.count) > 0)

    def is_due(self, stalled: int) -> bool:
        """Whether averaging is to begin after so many epochs without a better metric."""
        return self.count is not None and stalled >= self.settings.average and not self.is_active

    def begin(self) -> None:
        """From here on, all steps are averaged."""
        assert self.count is not None
        for mean, weight in zip(self.means, self.weights, strict=True):
            mean.assign(weight)
        self.count.assign(1)

    def update(self, step: tf.Tensor) -> None:
        """Takes the weights after a step in, in a graph. step: how many there were, float32."""
        if self.count is None:
            decay = tf.minimum(self.settings.ema, (1 + step) / (10 + step))
            share = 1 - decay
        else:
            is_begun = self.count > 0
            self.count.assign_add(tf.cast(is_begun, tf.int64))
            share = tf.where(is_begun, 1 / tf.cast(tf.maximum(self.count, 1), tf.float32), 0.0)
        for mean, weight in zip(self.means, self.weights, strict=True):
            mean.assign(mean + tf.cast(share, mean.dtype) * (weight - mean))

    def swap(self) -> None:
        """Exchanges the averages and the weights; a second call undoes it."""
        if not self.is_active:
            return
        for mean, weight in zip(self.means, self.weights, strict=True):
            current = weight.numpy()
            weight.assign(mean)
            mean.assign(current)
