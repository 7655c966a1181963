"""Files of videos, as people have them, to features of their frames."""

import functools
import hashlib
import pathlib

import numpy as np
import tensorflow as tf

from rnnsuite.core.cache import cache_folder
from rnnsuite.core.errors import UserError
from rnnsuite.data.source_config import VideoConfig
from rnnsuite.inputs.cache import Cached
from rnnsuite.inputs.video import FrameFeatures, evenly, resized

SHARE = 0.9
"""Of the frames that a file claims: with fewer, it breaks off."""


class VideoReader:
    """Files of videos to features `[frames, features]`, which are kept on disk.

    Args:
        config: what makes features of a frame.

    Raises:
        UserError: without a backbone, and where what decodes videos is not installed.
    """

    def __init__(self, config: VideoConfig):
        if not config.backbone:
            raise UserError(
                "These are videos: data.video.backbone says what makes features of their frames, "
                "such as MobileNetV3Small, or pixels."
            )
        _decoder()
        self.config = config
        self.features = FrameFeatures(config)
        digest = hashlib.sha256(repr(config).encode())
        for weight in self.features.backbone.weights if self.features.backbone else ():
            digest.update(np.asarray(weight).tobytes())
        folder = cache_folder() / "videos" / digest.hexdigest()[:16]
        self.cached = Cached(self._compute, folder)
        self.path = pathlib.Path()

    def __call__(self, path: pathlib.Path) -> np.ndarray:
        """The features of a file. Raises UserError where it cannot be read."""
        self.path = path
        return self.cached([path.read_bytes()])[0]

    def _compute(self, _) -> np.ndarray:
        frames = resized(tf.constant(read(self.path, self.config.frames)), self.config.size)
        return self.features(frames).numpy()[None]


class LazyReader:
    """A `VideoReader` that is made when the first video is read: a source may hold none.

    Args:
        config: what makes features of a frame.
    """

    def __init__(self, config: VideoConfig):
        self.config = config

    def __call__(self, path: pathlib.Path) -> np.ndarray:
        """The features of a file. Raises UserError where it cannot be read."""
        return _reader(self.config)(path)


@functools.lru_cache(maxsize=2)
def _reader(config: VideoConfig) -> VideoReader:
    return VideoReader(config)


def _decoder():
    try:
        import av
    except ImportError as error:
        raise UserError(
            f"Videos are decoded by PyAV ({error}): pip install 'rnnsuite[video]'."
        ) from error
    return av


def read(path: pathlib.Path, count: int) -> np.ndarray:
    """Frames of a video, evenly over it, in one pass and with few of them in memory.

    Args:
        path: of a file in any format that FFmpeg knows, whatever it is called.
        count: frames at most.

    Returns:
        uint8 `[frames, height, width, 3]`.

    Raises:
        UserError: for a file that cannot be read, breaks off, or holds no video.
    """
    av = _decoder()
    decoded = 0
    stride = 1
    chosen: list[np.ndarray] = []
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise UserError(f"{path} has no video stream.")
            stream = container.streams.video[0]
            claimed = stream.frames
            for frame in container.decode(stream):
                if decoded % stride == 0:
                    chosen.append(frame.to_ndarray(format="rgb24"))
                decoded += 1
                if len(chosen) > 4 * count:
                    chosen = chosen[::2]
                    stride *= 2
    except (av.error.FFmpegError, OSError, ValueError) as error:
        after = f" after {decoded} frames" if decoded else ""
        raise UserError(f"{path} cannot be read as a video{after} ({error}).") from error
    if not chosen:
        raise UserError(f"{path} holds no frames.")
    if decoded < SHARE * claimed:
        raise UserError(f"{path} breaks off after {decoded} of {claimed} frames.")
    return np.stack([chosen[place] for place in evenly(tf.constant(len(chosen)), count).numpy()])
