"""Features of images by a frozen network, computed once and kept on disk."""

import hashlib

import numpy as np
import tensorflow as tf

from rnnsuite.core.cache import cache_folder
from rnnsuite.inputs import image
from rnnsuite.inputs.cache import Cached
from rnnsuite.layers.backbone import Backbone

BATCH = 16


def pretrained(kind: str, size: int, weights: str) -> Backbone:
    """A frozen network of keras.applications.

    Args:
        kind: its name, such as MobileNetV3Small.
        size: pixels of a side of its images.
        weights: imagenet (downloaded once), random, or a file of weights.

    Returns:
        The network as a layer that is not trained.

    Raises:
        ValueError: where its weights cannot be had.
    """
    backbone = Backbone(kind, size)
    if weights != "random":
        backbone.load(weights)
    backbone.trainable = False
    return backbone


def with_features(records: tf.data.Dataset, backbone: Backbone, size: int) -> tf.data.Dataset:
    """Records with `features` `[h, w, channels]` of their `image`.

    Each image's features lie in the cache, in a folder named by the network's weights.

    Args:
        records: with `image`, the bytes of a file.
        backbone: the network.
        size: pixels of a side.

    Returns:
        The records; ragged values stay ragged.
    """
    digest = hashlib.sha256(f"{backbone.kind} {size}".encode())
    for weight in backbone.weights:
        digest.update(np.asarray(weight).tobytes())
    folder = cache_folder() / "features" / digest.hexdigest()[:16]

    @tf.function(autograph=False, input_signature=[tf.TensorSpec([None], tf.string)])
    def compute(contents):
        return backbone(image.images(contents, size))

    cached = Cached(lambda contents: compute(tf.constant(contents)).numpy(), folder)
    shape = backbone.compute_output_shape((None, size, size, 3))

    def add(batch):
        features = tf.numpy_function(
            lambda contents: cached(list(contents)), [batch["image"]], tf.float32
        )
        return {**batch, "features": tf.ensure_shape(features, shape)}

    return records.ragged_batch(BATCH).map(add).unbatch()
