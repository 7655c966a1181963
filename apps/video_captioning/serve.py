"""How a trained model is asked: features of frames on a server and on a device."""

import dataclasses
import functools
import pathlib

import numpy as np
import tensorflow as tf

from rnnsuite.app import Device, OnDevice, Serving, Signature, Trained
from rnnsuite.core.errors import UserError
from rnnsuite.data.clip_field import ClipField
from rnnsuite.tasks import generation
from rnnsuite.tasks.lengths import lengths_up_to
from rnnsuite.tasks.sections import SearchConfig
from rnnsuite.tasks.videos import video_signatures

LONGEST = 128
"""Frames that a file of static shapes takes at most."""
FRAMES = 8
"""Of the example in warm-up requests."""


@dataclasses.dataclass(frozen=True)
class Answer:
    """A video's caption and its score, the higher the surer."""

    caption: str
    score: float


def signatures(trained: Trained) -> dict[str, Signature]:
    """See `SentenceSignatures`: `features` [batch, frames, features] to `caption` and `score`.

    Frames of zeros are none, so that videos of different lengths share a batch; a video without any
    has an empty caption.

    Args:
        trained: the model, with the section decode.

    Returns:
        Signatures by name. attend gives in addition `words` [batch, t], the subwords of the
        caption, and `weights` [batch, t, frames], what share of the attention each frame had; for
        gif and frames see `video_signatures`.
    """
    fitted = trained.fitted
    subwords = fitted.subwords()
    spec = tf.TensorSpec([None, None, fitted.width], tf.float32, name="features")

    def checked(features):
        finite = tf.debugging.Assert(
            tf.reduce_all(tf.math.is_finite(features)), ["features must be finite numbers"]
        )
        some = tf.debugging.Assert(tf.shape(features)[1] >= 1, ["at least one frame"])
        with tf.control_dependencies([finite, some]):
            return tf.identity(features)

    def attended(_, written, weights):
        return {"words": subwords.tokens(written), "weights": weights}

    wave = 1 + np.sin(np.arange(FRAMES * fitted.width, dtype=np.float32))
    example = np.array(fitted.deviation, np.float32) * wave.reshape(1, FRAMES, fitted.width)
    frames = generation.Source(
        requests={"features": spec},
        example={"features": example},
        encode_request=checked,
        spec=spec,
        example_tensor=example,
        is_present=lambda features: tf.reduce_any(features != 0, axis=[1, 2]),
        lengths=lengths_up_to(LONGEST, shortest=16),
    )
    search = trained.section(SearchConfig)
    written = generation.SentenceSignatures(
        trained.model, frames, subwords, search, attended, name="caption"
    )
    by_name = written.signatures("attend")

    def answer(features):
        return by_name["serving_default"].function(features=features)

    return {**by_name, **video_signatures(trained.config.data.video, fitted.width, answer)}


def device_files(trained: Trained) -> dict[str, bytes]:
    """The vocabulary, settings, and the references for words and the loop."""
    fitted = trained.fitted
    return generation.device_files(
        {"vocabulary.tsv": fitted.subwords()},
        trained.section(SearchConfig),
        target="vocabulary.tsv",
        max_tokens=fitted.max_tokens,
        width=fitted.width,
    )


def open_device(folder: pathlib.Path) -> OnDevice:
    """Frames to `features` [1, frames, features], the written ids to a caption."""

    def request(record, settings):
        features = np.asarray(record["features"], np.float32)
        if features.ndim != 2 or features.shape[1] != settings["width"] or not len(features):
            raise UserError(
                f"features [at least 1, {settings['width']}] are expected, not "
                f"{list(features.shape)}"
            )
        # A device has a batch of one, which needs no padding.
        return {"features": features[np.any(features != 0, axis=1)][None]}

    return generation.open_device(folder, request, "caption")


SERVING = Serving(
    fields={
        "features": ClipField(
            (None, None),
            meaning="features of frames, oldest first, each a list of numbers; or the path of a "
            ".npy, .npz, .h5 or table file",
        )
    },
    answer=Answer,
    signatures=signatures,
    sections={"decode": SearchConfig},
    device=Device(files=device_files, open=open_device),
    show=functools.partial(generation.show, "caption"),
)
