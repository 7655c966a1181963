"""The cheap model that stands beside: n-grams with modified Kneser-Ney smoothing."""

from collections.abc import Sequence

import numpy as np

ORDER = 5
"""Tokens of the longest n-grams."""
LEAST = 0.1
"""Discount of a count at least."""


class KneserNey:
    """Interpolated n-grams with three discounts an order (Chen & Goodman 1998, section 3.3).

    The highest order has counts of tokens, the lower ones of different tokens before; the lowest
    is interpolated with an even distribution.

    Args:
        texts: ids of each training text, which no n-gram crosses.
        size: tokens of the vocabulary.
        end: the token that ends every text; texts begin with ends, which are never predicted.
        order: tokens of the longest n-grams.
    """

    def __init__(self, texts: Sequence[np.ndarray], size: int, end: int, order: int = ORDER):
        self.size = size
        self.end = end
        self.order = order
        tokens, self._is_target = self._laid_out(texts)
        grams = [np.zeros(len(tokens), np.int64)]
        self._keys = []
        for number in range(order):
            pairs = self._pairs(grams[-1], tokens)
            keys, gram = np.unique(pairs, return_inverse=True)
            self._keys.append(keys)
            # The first tokens of all have no n-gram that ends with them.
            gram[:number] = -1
            grams.append(gram)
        self._levels = [self._level(number, grams) for number in range(1, order + 1)]

    def _laid_out(self, texts):
        """All tokens with ends before every text, and which of them are predicted."""
        before = np.full(self.order - 1, self.end, np.int64)
        parts = []
        targets = []
        for text in texts:
            parts += [before, np.asarray(text, np.int64), [self.end]]
            targets += [np.zeros(len(before), bool), np.ones(len(text) + 1, bool)]
        return np.concatenate(parts), np.concatenate(targets)

    def _pairs(self, gram, tokens):
        """Each token with the n-gram before it, as one number."""
        before = np.concatenate([[0], gram[:-1]])
        return before * self.size + tokens

    def _level(self, number, grams):
        """Discounted counts of one order, by n-gram and by context."""
        gram = grams[number]
        context = np.concatenate([[0], grams[number - 1][:-1]])
        places = np.flatnonzero(self._is_target & (gram >= 0))
        if number < self.order:
            # Different tokens before: each longer n-gram counts once.
            longer = grams[number + 1][places]
            _, first = np.unique(longer, return_index=True)
            places = places[first[longer[first] >= 0]]
        counts = np.bincount(gram[places], minlength=len(self._keys[number - 1])).astype(float)
        contexts = np.zeros(len(counts), np.int64)
        contexts[gram[places]] = context[places]
        discounts = _discounts(counts)
        discount = discounts[np.minimum(counts, 3).astype(int)]
        width = int(contexts.max(initial=0)) + 1
        totals = np.bincount(contexts, counts, width)
        reserved = np.bincount(contexts, discount * (counts > 0), width)
        return np.maximum(counts - discount, 0), totals, reserved

    def log_probabilities(self, texts: Sequence[np.ndarray]) -> np.ndarray:
        """Log P (nats) of every token of texts, and of each text's end, one after the other."""
        tokens, is_target = self._laid_out(texts)
        gram = np.zeros(len(tokens), np.int64)
        probability = np.full(len(tokens), 1.0 / self.size)
        for keys, (counts, totals, reserved) in zip(self._keys, self._levels, strict=True):
            context = np.concatenate([[0], gram[:-1]])
            pairs = context * self.size + tokens
            place = np.minimum(np.searchsorted(keys, pairs), len(keys) - 1)
            is_known = (keys[place] == pairs) & (context >= 0)
            gram = np.where(is_known, place, -1)
            inside = (context >= 0) & (context < len(totals))
            at = np.where(inside, context, 0)
            total = np.where(inside, totals[at], 0)
            divisor = np.maximum(total, 1e-300)
            share = np.where(is_known, counts[np.maximum(gram, 0)], 0) / divisor
            mixed = share + reserved[at] / divisor * probability
            probability = np.where(total > 0, mixed, probability)
        return np.log(probability[is_target])


def _discounts(counts: np.ndarray) -> np.ndarray:
    """For counts of 0, 1, 2 and more (Chen & Goodman, equation 26).

    The estimates may be 0 where few n-grams are rare; something is kept for what was never seen.
    """
    n1, n2, n3, n4 = (max(int(np.sum(counts == number)), 1) for number in range(1, 5))
    y = n1 / (n1 + 2 * n2)
    values = [0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3]
    return np.clip(values, [0, LEAST, LEAST, LEAST], [0, 1, 2, 3])
