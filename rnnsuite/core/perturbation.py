"""Where embedded tokens can be moved a little, for adversarial training."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras


@keras.saving.register_keras_serializable("rnnsuite")
class Perturbation(keras.layers.Layer):
    """Gives its input on, `[batch, time, features]`; within `adding`, with something added to it.

    Adversarial training (Miyato et al., arXiv 1605.07725) needs the place: it differentiates the
    loss by `seen` and trains on the input a small step further up that gradient.

    Attributes:
        seen: what the last call gave on.
    """

    def __init__(self, **options):
        super().__init__(**options)
        self.supports_masking = True
        self.seen: Any = None
        self._added: Any = None

    def call(self, x_BxTxD):
        self.seen = x_BxTxD if self._added is None else x_BxTxD + self._added
        return self.seen

    @contextlib.contextmanager
    def adding(self, perturbation_BxTxD: Any) -> Iterator[None]:
        """Adds this to the input of every call within."""
        self._added = perturbation_BxTxD
        try:
            yield
        finally:
            self._added = None
