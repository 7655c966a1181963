"""A cache pointer: words that came lately come again (Grave et al., arXiv 1612.04426)."""

import numpy as np

from .config import ScoreConfig


class CachePointer:
    """Mixes the model's probability of each target with that of a cache of the tokens before.

    The cache holds, for each of the last tokens, the vector that predicted it; a token's share is
    the sum of exp(flatness * product of the vectors) over its places (equation 3), and the mixture
    is linear (equation 4).

    Args:
        settings: cache, cache_flatness and cache_weight.
    """

    def __init__(self, settings: ScoreConfig):
        self.settings = settings
        self.vectors: np.ndarray | None = None
        self.tokens = np.zeros([0], np.int32)

    def mixed(
        self, logs: np.ndarray, vectors: np.ndarray | None, targets: np.ndarray
    ) -> np.ndarray:
        """The mixture's log P (nats) of targets, which then are in the cache.

        Args:
            logs: the model's, `[tokens]`.
            vectors: `[tokens, width]` that predict the targets.
            targets: `[tokens]`.

        Returns:
            `[tokens]`.
        """
        assert vectors is not None
        before = np.zeros([0, vectors.shape[1]]) if self.vectors is None else self.vectors
        vectors_before = np.concatenate([before, vectors])
        tokens = np.concatenate([self.tokens, targets])
        start = len(before)
        weight = self.settings.cache_weight
        mixed = np.empty(len(targets))
        for number, target in enumerate(targets):
            end = start + number
            begin = max(end - self.settings.cache, 0)
            if end == begin:
                mixed[number] = logs[number]
                continue
            products = self.settings.cache_flatness * (vectors_before[begin:end] @ vectors[number])
            shares = np.exp(products - products.max())
            share = shares[tokens[begin:end] == target].sum() / shares.sum()
            mixed[number] = np.log((1 - weight) * np.exp(logs[number]) + weight * share)
        self.vectors = vectors_before[-self.settings.cache :]
        self.tokens = tokens[-self.settings.cache :]
        return mixed
