"""What is drawn at random when a batch is divided among replicas: the same numbers as if it were not."""

import contextlib
import contextvars
import dataclasses
from collections.abc import Callable, Iterator

import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Share:
    """rows: the places in the whole batch, `[n]`, of a replica's own rows; total: how many the whole batch has.

    A place beyond the last row stands for the last one again and does not count.
    """

    rows: tf.Tensor
    total: tf.Tensor

    def counted(self) -> tf.Tensor:
        return self.rows < self.total

    def places(self) -> tf.Tensor:
        return tf.minimum(self.rows, self.total - 1)


_share: contextvars.ContextVar[Share | None] = contextvars.ContextVar("share", default=None)


@contextlib.contextmanager
def sharing(share: Share | None) -> Iterator[None]:
    """Layers that are called within have a share of a batch for their input, or the whole where it is None."""
    token = _share.set(share)
    try:
        yield
    finally:
        _share.reset(token)


def whole() -> bool:
    return _share.get() is None


def drawn(draw: Callable[[tf.Tensor], tf.Tensor], rows: tf.Tensor) -> tf.Tensor:
    """`draw(rows)`, a random tensor with so many rows; in a replica those of the whole batch that are its own.

    So two replicas draw what one would, at the price of drawing it all. rows: of the input, or
    a multiple, where every row of it has been repeated.
    """
    share = _share.get()
    if share is None:
        return draw(rows)
    each = rows // tf.shape(share.rows)[0]
    places = share.places()[:, None] * each + tf.range(each)
    return tf.gather(draw(share.total * each), tf.reshape(places, [-1]))
