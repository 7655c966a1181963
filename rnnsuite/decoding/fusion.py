"""What is known of texts beside the sound, as scores that are added while a text is searched for.

All of them are asked in the same way: `begin(rows)` and `step(symbols, states)` give scores `[rows,
classes]`, in nats, of every symbol that may come next, and under class 0, which is no symbol, of
the text's end; and states, any nest of tensors with the rows first.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from rnnsuite.decoding.step import NEGATIVE_INFINITY

END = 0
"""The class whose score is that of the end: the blank, which no text has."""


class Fusion(Protocol):
    """See the module."""

    def begin(self, rows: tf.Tensor) -> tuple[tf.Tensor, Any]:
        """Scores and states before the first symbol."""
        ...

    def step(self, symbols: tf.Tensor, states: Any) -> tuple[tf.Tensor, Any]:
        """Scores and states after one more symbol `[rows]`."""
        ...


class Bonus:
    """The same scores whatever was written, such as one for each new word.

    Args:
        scores: `[classes]`.
    """

    def __init__(self, scores: Sequence[float]):
        self.scores = np.asarray(scores, np.float32)

    def begin(self, rows):
        return tf.broadcast_to(self.scores, [rows, len(self.scores)]), ()

    def step(self, symbols, states):
        return self.begin(tf.shape(symbols)[0])


class LanguageModel:
    """A language model, whose logarithms are weighed.

    Args:
        step: `step(tokens, states)` gives the logarithm of every next token's probability `[rows,
            tokens]`, and the states.
        zeros: `zeros(rows)` gives the states before anything was read.
        tokens: the token of each class, `[classes]`; -1 for one that it does not know, which is
            never written. Under 0 stands the token that ends a text, and begins it.
        weight: of the logarithms.
    """

    def __init__(
        self,
        step: Callable[[tf.Tensor, Any], tuple[tf.Tensor, Any]],
        zeros: Callable[[tf.Tensor], Any],
        tokens: Sequence[int],
        weight: float,
    ):
        self.read = step
        self.zeros = zeros
        self.tokens = np.asarray(tokens, np.int32)
        self.weight = weight

    def begin(self, rows):
        return self._scored(tf.fill([rows], int(self.tokens[END])), self.zeros(rows))

    def step(self, symbols, states):
        return self._scored(tf.gather(self.tokens, symbols), states)

    def _scored(self, tokens, states):
        logs, after = self.read(tf.maximum(tokens, 0), states)
        scores = tf.gather(logs, np.maximum(self.tokens, 0), axis=1) * self.weight
        return tf.where(self.tokens >= 0, scores, NEGATIVE_INFINITY), after


class Lexicon:
    """A closed vocabulary: only its words are written, with a separator between them.

    Args:
        words: each the numbers of its symbols.
        separator: the symbol between words.
        classes: their number.

    Raises:
        ValueError: without words.
    """

    def __init__(self, words: Iterable[Sequence[int]], separator: int, classes: int):
        nodes: list[dict[int, int]] = [{}]
        last = set()
        for word in words:
            here = 0
            for symbol in word:
                if symbol not in nodes[here]:
                    nodes[here][symbol] = len(nodes)
                    nodes.append({})
                here = nodes[here][symbol]
            last.add(here)
        last -= {0}
        if not last:
            raise ValueError("a closed vocabulary needs words")
        between = len(nodes)
        nodes.append(nodes[0])  # behind a separator, where a text does not end
        self.next = np.full([len(nodes), classes], -1, np.int32)
        for number, edges in enumerate(nodes):
            for symbol, node in edges.items():
                self.next[number, symbol] = node
        for number in last:
            self.next[number, separator] = between
        self.next[[0, *last], END] = 0  # a text without any word is one, too

    def begin(self, rows):
        return self._scored(tf.zeros([rows], tf.int32))

    def step(self, symbols, states):
        index = tf.stack([states, symbols], axis=1)
        return self._scored(tf.maximum(tf.gather_nd(tf.constant(self.next), index), 0))

    def _scored(self, nodes):
        possible = tf.gather(tf.constant(self.next), nodes) >= 0
        return tf.where(possible, 0.0, NEGATIVE_INFINITY), nodes


class Together:
    """Several of them, whose scores are added.

    Args:
        parts: by name.
    """

    def __init__(self, parts: Mapping[str, Fusion]):
        self.parts = dict(parts)

    def begin(self, rows):
        return self._added({name: part.begin(rows) for name, part in self.parts.items()})

    def step(self, symbols, states):
        return self._added(
            {name: part.step(symbols, states[name]) for name, part in self.parts.items()}
        )

    @staticmethod
    def _added(results):
        scores = tf.add_n([scores for scores, _ in results.values()])
        return scores, {name: states for name, (_, states) in results.items()}
