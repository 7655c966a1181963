"""Signatures that take videos, for models whose features of frames are made by a known network."""

import io
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf
from PIL import Image

from rnnsuite.app import Signature
from rnnsuite.core.errors import UserError
from rnnsuite.data.source_config import VideoConfig
from rnnsuite.inputs.video import FrameFeatures

GREY = 128
"""Of the example in warm-up requests."""


def video_signatures(
    config: VideoConfig, width: int, answer: Callable[[tf.Tensor], Mapping[str, tf.Tensor]]
) -> dict[str, Signature]:
    """gif takes `video` [batch], the bytes of animated GIFs; frames `frames` [batch, n], the bytes
    of picture files, "" behind the last. Videos of different lengths share a batch.

    Args:
        config: what makes features of a frame.
        width: features of a frame that the model reads.
        answer: `answer(features [batch, frames, width])`, where frames of zeros are none.

    Returns:
        Signatures by name, which give what `answer` does; none without a backbone.

    Raises:
        UserError: for a backbone that makes other features than the model reads.
    """
    if not config.backbone:
        return {}
    features = FrameFeatures(config)
    if features.width != width:
        raise UserError(
            f"data.video.backbone: {config.backbone} makes {features.width} features of a frame, "
            f"and the model reads {width}."
        )

    def of_gif(video):
        return answer(features.of_gifs(video))

    def of_frames(frames):
        return answer(features.of_pictures(frames))

    video = {"video": tf.TensorSpec([None], tf.string, name="video")}
    files = {"frames": tf.TensorSpec([None, None], tf.string, name="frames")}
    picture = np.full([config.size, config.size, 3], GREY, np.uint8)
    content = tf.io.encode_png(picture).numpy()
    return {
        "gif": Signature(of_gif, video, {"video": np.array([_gif(picture)])}, tracked=[features]),
        "frames": Signature(
            of_frames, files, {"frames": np.array([[content] * 2])}, tracked=[features]
        ),
    }


def _gif(picture: np.ndarray) -> bytes:
    """Two frames of a picture."""
    stream = io.BytesIO()
    frames = [Image.fromarray(picture), Image.fromarray(255 - picture)]
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:])
    return stream.getvalue()
