"""Signatures that take videos."""

import pytest
import tensorflow as tf

from rnnsuite.core.errors import UserError
from rnnsuite.data.source_config import VideoConfig
from rnnsuite.tasks.videos import video_signatures

PIXELS = VideoConfig(backbone="pixels", size=8, frames=4)


def test_without_a_backbone_there_are_none():
    assert video_signatures(VideoConfig(), 5, lambda x: {}) == {}


def test_of_another_width():
    with pytest.raises(UserError, match="makes 192 features of a frame, and the model reads 5"):
        video_signatures(PIXELS, 5, lambda x: {})


def test_examples_are_requests():
    signatures = video_signatures(PIXELS, 192, lambda x: {"sum": tf.reduce_sum(x, [1, 2])})
    for signature in signatures.values():
        inputs = {name: tf.constant(value) for name, value in signature.example.items()}
        assert signature.function(**inputs)["sum"].shape == (1,)
