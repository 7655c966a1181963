"""Joints of a body to features that depend neither on where it stands nor on how tall it is."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from rnnsuite.layers.casting import rows
from rnnsuite.layers.missing import present
from rnnsuite.layers.streamable import StateSpec, Streamable

SMALLEST = 1e-3
"""Of a body's size, squared."""
FARTHEST = 50.0
"""Sizes of a body up to which a joint is beside its centre, or moves in a frame."""


@keras.saving.register_keras_serializable("rnnsuite")
class Skeleton(keras.layers.Layer, Streamable):
    """Coordinates `[batch, time, joints * coordinates]` to `[batch, time, joints * 2 coordinates]`.

    Of every joint, where it is beside the body's centre and how far it moved since the frame
    before, both divided by the body's size in that frame. A joint that is missing (NaN, or zeros in
    all coordinates) is at the centre and does not move; nor does any where too few are there to
    tell a size.

    Args:
        joints: of a body.
        root: the joint that is its centre; -1 for the mean of all that are there.
        bones: pairs of joints whose mean distance is its size; without any, the distance of the
            joints from the centre (root of the mean square).
        smooth: frames over which a joint's path is smoothed, an odd number; 1 for not at all. A
            parabola is laid through its last frames, and its middle taken (Savitzky & Golay,
            Analytical Chemistry 36(8), 1964), so features are `smooth // 2` frames late. Before the
            first frame, and where it is missing, a joint stays where it is next.

    Raises:
        ValueError: for an even number of frames.
    """

    def __init__(
        self,
        joints: int,
        root: int = -1,
        bones: Sequence[Sequence[int]] = (),
        smooth: int = 1,
        **options,
    ):
        super().__init__(**options)
        if smooth < 1 or smooth % 2 == 0:
            raise ValueError(f"smooth must be an odd number of frames, not {smooth}")
        self.joints = joints
        self.root = root
        self.bones = [list(bone) for bone in bones]
        self.smooth = smooth

    def build(self, shape):
        if shape[-1] % self.joints:
            raise ValueError(
                f"{shape[-1]} numbers of a frame are not those of {self.joints} joints"
            )
        self.coordinates = shape[-1] // self.joints

    @property
    def states(self) -> dict[str, StateSpec]:
        """The joints of the frame before, and which of them were there; so of the frames before
        that they are smoothed with.
        """
        states = {
            "joints": StateSpec((self.joints * self.coordinates,)),
            "present": StateSpec((self.joints,)),
        }
        if self.smooth > 1:
            past = self.smooth - 1
            states["past"] = StateSpec((past, self.joints * self.coordinates))
            states["past_present"] = StateSpec((past, self.joints))
        return states

    def call(self, x_BxTxF):
        batch = ops.shape(x_BxTxF)[0]
        zeros = {name: ops.zeros([batch, *spec.shape]) for name, spec in self.states.items()}
        return self.stream(x_BxTxF, zeros)[0]

    def stream(self, x, states):
        batch = rows(x)
        shape = (batch, ops.shape(x)[1], self.joints, self.coordinates)
        x_BxTxJxC = ops.reshape(ops.cast(x, "float32"), shape)
        is_seen = present(x_BxTxJxC)
        x_BxTxJxC = ops.where(is_seen > 0, x_BxTxJxC, 0.0)
        smoothed, new = self._smoothed(x_BxTxJxC, is_seen, states)
        x_BxTxJxC = smoothed * is_seen
        centre = self._centre(x_BxTxJxC, is_seen)
        beside = (x_BxTxJxC - centre) * is_seen
        size = self._size(x_BxTxJxC, beside, is_seen)
        earlier = ops.reshape(states["joints"], (batch, 1, *shape[2:]))
        was_seen = ops.reshape(states["present"], (batch, 1, self.joints, 1))
        before = ops.concatenate([earlier, x_BxTxJxC], axis=1)
        before_seen = ops.concatenate([was_seen, is_seen], axis=1)
        moved = (x_BxTxJxC - before[:, :-1]) * is_seen * before_seen[:, :-1]
        features = ops.concatenate([beside, moved], axis=-1)
        features = ops.where(size > 0, features / ops.maximum(size, SMALLEST**2), 0.0)
        features = ops.clip(features, -FARTHEST, FARTHEST)
        flat = ops.reshape(features, (batch, shape[1], self.joints * 2 * self.coordinates))
        last = ops.reshape(before[:, -1], (batch, self.joints * self.coordinates))
        return flat, {"joints": last, "present": before_seen[:, -1, :, 0], **new}

    def _smoothed(self, x_BxTxJxC, is_seen, states):
        """Joints on parabolas through their last frames, and the new states."""
        if self.smooth == 1:
            return x_BxTxJxC, {}
        batch = rows(x_BxTxJxC)
        past = self.smooth - 1
        shape = (batch, past, self.joints, self.coordinates)
        joints = ops.concatenate([ops.reshape(states["past"], shape), x_BxTxJxC], axis=1)
        was_seen = ops.reshape(states["past_present"], (batch, past, self.joints, 1))
        seen_so_far = ops.concatenate([was_seen, is_seen], axis=1)
        count = ops.shape(x_BxTxJxC)[1]
        at = x_BxTxJxC
        total = 0.0
        for late, weight in enumerate(parabola(self.smooth)):
            part = slice(past - late, past - late + count)
            at = ops.where(seen_so_far[:, part] > 0, joints[:, part], at)
            total = total + weight * at
        new = {
            "past": ops.reshape(joints[:, -past:], (batch, past, self.joints * self.coordinates)),
            "past_present": seen_so_far[:, -past:, :, 0],
        }
        return total, new

    def _centre(self, x, is_seen):
        count = ops.maximum(ops.sum(is_seen, axis=2, keepdims=True), 1.0)
        mean = ops.sum(x * is_seen, axis=2, keepdims=True) / count
        if self.root < 0:
            return mean
        part = slice(self.root, self.root + 1)
        return ops.where(is_seen[:, :, part] > 0, x[:, :, part], mean)

    def _size(self, x, beside, is_seen):
        """Of the body in each frame `[batch, time, 1, 1]`; 0 where too few joints are there."""
        if self.bones:
            ends = [[bone[place] for bone in self.bones] for place in (0, 1)]
            first, second = (ops.take(x, numbers, axis=2) for numbers in ends)
            both = ops.take(is_seen, ends[0], axis=2) * ops.take(is_seen, ends[1], axis=2)
            squares = ops.sum(ops.square(first - second), axis=-1, keepdims=True)
            lengths = ops.sqrt(squares + SMALLEST**4) * both
            count = ops.sum(both, axis=2, keepdims=True)
            return ops.sum(lengths, axis=2, keepdims=True) / ops.maximum(count, 1.0)
        squares = ops.sum(ops.square(beside), axis=(2, 3), keepdims=True)
        count = ops.sum(is_seen, axis=2, keepdims=True)
        size = ops.sqrt(squares / ops.maximum(count, 1.0) + SMALLEST**4)
        return ops.where(count > 1, size, 0.0)

    def compute_output_shape(self, shape):
        return (*shape[:-1], 2 * shape[-1])

    def get_config(self):
        names = ("joints", "root", "bones", "smooth")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def parabola(count: int) -> list[float]:
    """The weights of so many values in the middle of the parabola that is nearest to them."""
    places = np.arange(count) - count // 2
    powers = np.stack([np.ones(count), places, places**2], axis=1)
    return np.linalg.pinv(powers)[0].tolist()
