"""Videos to features of their frames as TensorFlow ops: one object for files and for the exported
graph.
"""

import functools
from collections.abc import Callable

import tensorflow as tf

from rnnsuite.core.errors import UserError, nearest
from rnnsuite.data.source_config import VideoConfig
from rnnsuite.inputs import image
from rnnsuite.inputs.guard import require
from rnnsuite.layers.backbone import KINDS, Backbone

PIXELS = "pixels"
"""The backbone whose features are the pixels themselves, from 0 to 1."""
LARGEST = 1 << 28
"""Pixels of all frames of a GIF together."""


def evenly(total: tf.Tensor, count: int) -> tf.Tensor:
    """The numbers of so many frames, evenly over all of them; of fewer, every one.

    Args:
        total: frames that there are, a scalar.
        count: frames that are wanted at most.
    """
    number = tf.minimum(total, count)
    last = tf.cast(total - 1, tf.float64)
    return tf.cast(tf.round(tf.linspace(tf.zeros([], tf.float64), last, number)), tf.int32)


def resized(frames: tf.Tensor, size: int) -> tf.Tensor:
    """Frames `[n, height, width, 3]`, uint8, stretched to `[n, size, size, 3]`, float32 from 0 to
    255; see `image.pixels`.
    """
    stretched = tf.image.resize(frames, [size, size], antialias=True)
    stretched = tf.round(tf.clip_by_value(stretched, 0.0, 255.0))
    return tf.ensure_shape(stretched, [None, size, size, 3])


def gif(content: tf.Tensor, count: int, size: int) -> tf.Tensor:
    """The frames of an animated GIF.

    Args:
        content: a scalar string.
        count: frames at most, evenly over it.
        size: pixels of a side.

    Returns:
        `[frames, size, size, 3]`, float32 from 0 to 255.

    Raises:
        InvalidArgumentError: where it is no GIF, a cut one, or has more than `LARGEST` pixels.
    """
    is_gif = tf.strings.substr(content, 0, 4) == b"GIF8"
    frames = tf.io.decode_gif(require(content, is_gif, "not an animated GIF"))
    few = tf.size(frames, tf.int64) <= 3 * LARGEST
    frames = require(frames, few, f"a GIF of more than {LARGEST} pixels")
    return resized(tf.gather(frames, evenly(tf.shape(frames)[0], count)), size)


class FrameFeatures(tf.Module):
    """What a network makes of frames `[n, size, size, 3]` of 0 to 255: `[n, features]`.

    Args:
        config: the network.

    Raises:
        UserError: for an unknown network, and one whose weights cannot be had.
    """

    def __init__(self, config: VideoConfig):
        super().__init__()
        self.config = config
        self.backbone = None
        if config.backbone == PIXELS:
            return
        if config.backbone not in KINDS:
            hint = nearest(config.backbone, [PIXELS, *KINDS])
            raise UserError(f"data.video.backbone: unknown network {config.backbone!r}.{hint}")
        self.backbone = Backbone(config.backbone, config.size)
        try:
            self.backbone.load(config.weights)
        except ValueError as error:
            raise UserError(f"{error}. Give a file with data.video.weights.") from error
        self.backbone.trainable = False

    @property
    def width(self) -> int:
        """Features of a frame."""
        size = self.config.size
        if self.backbone is None:
            return 3 * size * size
        return self.backbone.compute_output_shape((None, size, size, 3))[-1]

    def __call__(self, frames: tf.Tensor) -> tf.Tensor:
        if self.backbone is None:
            return tf.reshape(frames / 255.0, [-1, self.width])
        return tf.reduce_mean(self.backbone(frames), axis=[1, 2])

    def of_gifs(self, contents: tf.Tensor) -> tf.Tensor:
        """GIFs `[batch]` to `[batch, frames, features]`, with zeros behind the shorter ones."""
        read = functools.partial(gif, count=self.config.frames, size=self.config.size)
        return self._padded(read, contents)

    def of_pictures(self, contents: tf.Tensor) -> tf.Tensor:
        """Files of frames `[batch, frames]`, as `image.images` reads them, to `[batch, frames,
        features]`; an empty string behind the last frame is none.
        """

        def read(files):
            files = tf.boolean_mask(files, files != b"")
            chosen = tf.gather(files, evenly(tf.size(files), self.config.frames))
            return image.images(chosen, self.config.size)

        return self._padded(read, contents)

    def _padded(self, read: Callable[[tf.Tensor], tf.Tensor], contents: tf.Tensor) -> tf.Tensor:
        count = self.config.frames

        def features(content):
            rows = self(read(content))
            return tf.pad(rows, [[0, count - tf.shape(rows)[0]], [0, 0]])

        # One at a time: each may be of `LARGEST` pixels.
        rows = tf.map_fn(features, contents, fn_output_signature=tf.float32, parallel_iterations=1)
        return tf.reshape(rows, [-1, count, self.width])
