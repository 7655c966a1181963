"""The vectors of a vocabulary, which read tokens and predict them: one table for both ends."""

import itertools
import math
from collections.abc import Sequence

import keras
import tensorflow as tf
from keras import ops

from rnnsuite.layers.casting import as_floats

_SETTINGS = ("size", "width", "cutoffs", "factor", "samples", "dropout")


@keras.saving.register_keras_serializable("rnnsuite")
class TokenTable(keras.layers.Layer):
    """Embedding and softmax over one table of vectors (tied weights, arXiv 1608.05859).

    A call with ids `[batch, time]` gives their vectors `[batch, time, width]`. A call with vectors
    `[batch, time, width]` and `targets` `[batch, time]` gives each target's cross-entropy `[batch,
    time]` in nats, float32; `temperature` divides the scores first, over 1 for a network that is
    surer than right (Guo et al., arXiv 1706.04599).

    Tokens stand in the order of their frequency where `cutoffs` or `samples` are given. With
    `cutoffs`, rare tokens have narrower vectors behind a projection, and a softmax of their own
    behind one entry of the first softmax (adaptive softmax, arXiv 1609.04309; tied to the input,
    arXiv 1809.10853). With `samples`, training compares a target with so many tokens alone, drawn
    once for the batch from Zipf's law; their scores are corrected by the logarithm of how often
    they are expected, so that their sum estimates that of all (Bengio & Senecal 2008, section IV).

    Args:
        size: tokens.
        width: of the vectors.
        cutoffs: where the first tokens end, and each further cluster but the last.
        factor: by which the width falls from cluster to cluster.
        samples: tokens that a training step draws; 0 for all.
        dropout: share of the tokens whose vectors are zero in a training step, wherever they stand
            (embedding dropout, arXiv 1512.05287, 1708.02182).

    Raises:
        ValueError: for cutoffs that do not rise, or together with samples.
    """

    def __init__(
        self,
        size: int,
        width: int,
        cutoffs: Sequence[int] = (),
        factor: int = 4,
        samples: int = 0,
        dropout: float = 0.0,
        **options,
    ):
        super().__init__(**options)
        bounds = [0, *cutoffs, size]
        if any(low >= high for low, high in itertools.pairwise(bounds)):
            raise ValueError(f"cutoffs must rise between 0 and the {size} tokens, not {cutoffs}")
        if cutoffs and samples:
            raise ValueError("cutoffs and samples exclude each other")
        self.size = size
        self.width = width
        self.cutoffs = tuple(cutoffs)
        self.factor = factor
        self.samples = min(samples, size)
        self.dropout = dropout
        self.bounds = bounds
        self.supports_masking = True
        self.seed_generator = keras.random.SeedGenerator()

    def build(self, shape):
        scale = keras.initializers.RandomUniform(-0.1, 0.1)
        self.tables = []
        self.biases = []
        self.projections = []
        for number, (low, high) in enumerate(itertools.pairwise(self.bounds)):
            width = max(self.width // self.factor**number, 8) if number else self.width
            rows = high - low + (0 if number else len(self.cutoffs))
            self.tables.append(
                self.add_weight(name=f"table_{number}", shape=(rows, width), initializer=scale)
            )
            self.biases.append(
                self.add_weight(name=f"bias_{number}", shape=(rows,), initializer="zeros")
            )
            if number:
                self.projections.append(
                    self.add_weight(name=f"projection_{number}", shape=(width, self.width))
                )

    def call(self, x, targets=None, temperature=1.0, training=False):
        if targets is None:
            return self._embedded(x, training)
        x = as_floats(x, self.compute_dtype)
        if self.samples and training:
            return self._sampled_entropies(x, targets)
        return self._entropies(x, targets, temperature)

    def _embedded(self, ids, training):
        vectors = self._vectors(ids)
        if not training or not self.dropout:
            return vectors
        ones = ops.ones((self.size,), self.compute_dtype)
        mask = keras.random.dropout(ones, self.dropout, seed=self.seed_generator)
        return vectors * tf.gather(mask, ids)[..., None]

    def _vectors(self, ids):
        """The vectors of ids `[...]`, each of its own cluster."""
        vectors = tf.gather(self._table(0), self._within(ids, 0))
        for number, projection in enumerate(self.projections, 1):
            narrow = tf.gather(self._table(number), self._within(ids, number))
            wide = tf.matmul(narrow, ops.cast(projection, self.compute_dtype))
            vectors = tf.where(ids[..., None] >= self.bounds[number], wide, vectors)
        return vectors

    def _table(self, number):
        return tf.convert_to_tensor(ops.cast(self.tables[number], self.compute_dtype))

    def _within(self, ids, number):
        """Places of ids in a cluster; those of other clusters are clipped."""
        low, high = self.bounds[number : number + 2]
        return tf.clip_by_value(ids - low, 0, high - low - 1)

    def _scores(self, x, number, temperature=1.0):
        """Scores of a cluster's tokens (and for the first, of the clusters) in float32."""
        if number:
            projection = ops.cast(self.projections[number - 1], self.compute_dtype)
            x = tf.matmul(x, projection, transpose_b=True)
        scores = tf.matmul(x, self._table(number), transpose_b=True)
        scores = tf.cast(scores, tf.float32) + tf.cast(self.biases[number], tf.float32)
        return scores if temperature == 1.0 else scores / temperature

    def _entropies(self, x, targets, temperature):
        flat = tf.reshape(x, [-1, self.width])
        targets = tf.cast(targets, tf.int32)
        numbers = tf.reshape(targets, [-1])
        first = self.bounds[1]
        heads = numbers
        for number, low in enumerate(self.bounds[1:-1]):
            heads = tf.where(numbers >= low, first + number, heads)
        scores = self._scores(flat, 0, temperature)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(heads, scores)
        for number in range(1, len(self.bounds) - 1):
            low, high = self.bounds[number : number + 2]
            places = tf.where((numbers >= low) & (numbers < high))[:, 0]
            scores = self._scores(tf.gather(flat, places), number, temperature)
            own = tf.gather(numbers, places) - low
            rest = tf.nn.sparse_softmax_cross_entropy_with_logits(own, scores)
            losses = tf.tensor_scatter_nd_add(losses, places[:, None], rest)
        return tf.reshape(losses, tf.shape(targets))

    def _sampled_entropies(self, x, targets):
        flat = tf.reshape(x, [-1, self.width])
        numbers = tf.reshape(tf.cast(targets, tf.int32), [-1])
        uniform = keras.random.uniform((self.samples,), seed=self.seed_generator)
        # The inverse of Zipf's distribution function, log(k + 1) / log(size + 1).
        drawn = tf.cast(tf.exp(uniform * math.log(self.size + 1.0)) - 1.0, tf.int32)
        drawn = tf.clip_by_value(drawn, 0, self.size - 1)
        table = self._table(0)
        bias = tf.cast(self.biases[0], tf.float32)

        def biased(scores, ids):
            return tf.cast(scores, tf.float32) + tf.gather(bias, ids)

        true = biased(tf.reduce_sum(flat * tf.gather(table, numbers), axis=-1), numbers)
        others = tf.matmul(flat, tf.gather(table, drawn), transpose_b=True)
        # Divided by how often they are expected, they stand for all tokens.
        others = biased(others, drawn) - self._log_expected(drawn)
        # A drawn token that is the target is no other token.
        others = tf.where(drawn[None] == numbers[:, None], -1e9, others)
        losses = tf.reduce_logsumexp(tf.concat([true[:, None], others], axis=1), axis=1) - true
        return tf.reshape(losses, tf.shape(targets))

    def _log_expected(self, ids):
        """The logarithm of how many of the samples are expected to be each of the tokens."""
        rank = tf.cast(ids, tf.float32)
        share = tf.math.log1p(1.0 / (rank + 1.0)) / math.log(self.size + 1.0)
        return tf.math.log(share * self.samples)

    def log_probabilities(self, x_NxW: tf.Tensor, temperature: float = 1.0) -> tf.Tensor:
        """The logarithm (nats) of every token's probability.

        Args:
            x_NxW: `[rows, width]`.
            temperature: by which scores are divided first.

        Returns:
            `[rows, size]`.
        """
        x_NxW = as_floats(x_NxW, self.compute_dtype)
        head = tf.nn.log_softmax(self._scores(x_NxW, 0, temperature))
        first = self.bounds[1]
        parts = [head[:, :first]]
        for number in range(1, len(self.bounds) - 1):
            cluster = head[:, first + number - 1 : first + number]
            scores = self._scores(x_NxW, number, temperature)
            parts.append(tf.nn.log_softmax(scores) + cluster)
        return tf.concat(parts, axis=1) if len(parts) > 1 else parts[0]

    def compute_output_spec(self, x, targets=None, temperature=1.0, training=False):
        if targets is None:
            return keras.KerasTensor((*x.shape, self.width), self.compute_dtype)
        return keras.KerasTensor(targets.shape, "float32")

    def get_config(self):
        return {**super().get_config(), **{name: getattr(self, name) for name in _SETTINGS}}
