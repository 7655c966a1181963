"""How a trained model is asked: a picture's bytes on a server, its pixels on a device."""

import dataclasses
import functools
import pathlib
from collections.abc import Sequence
from importlib import resources

import keras
import numpy as np
import tensorflow as tf

from apps.captioning.data import Fitted
from rnnsuite import sentences
from rnnsuite.app import OnDevice, Signature
from rnnsuite.errors import UserError
from rnnsuite.inputs import image, picture


@dataclasses.dataclass(frozen=True)
class Answer:
    """A picture's caption and its score, the higher the surer."""

    caption: str
    score: float


def requests(values: Sequence[str]) -> list[dict[str, bytes]]:
    """A record for each path of a picture. Raises UserError where one cannot be read."""
    return [{"image": _content(pathlib.Path(value).expanduser())} for value in values]


def _content(path: pathlib.Path) -> bytes:
    fault = picture.check(path)
    if fault:
        raise UserError(f"{path}: {fault}.")
    return path.read_bytes()


def signatures(model: keras.Model, fitted: Fitted, decode: sentences.Decode) -> dict[str, Signature]:
    """See `rnnsuite.sentences.Writer`: `image` [batch], the bytes of files, to `caption` and `score`.

    attend: also `words` [batch, t], the subwords of the caption, and `maps` [batch, t, rows,
    columns], what share of the attention each place of the picture had.
    """
    subwords = fitted.subwords()
    spec = tf.TensorSpec([None, fitted.size, fitted.size, 3], tf.float32, name="image")

    def attended(_, written, weights):
        side = round(weights.shape[-1] ** 0.5)
        shape = tf.concat([tf.shape(weights)[:2], [side, side]], axis=0)
        return {"words": subwords.tokens(written), "maps": tf.reshape(weights, shape)}

    grey = tf.io.encode_png(np.full([fitted.size, fitted.size, 3], 128, np.uint8)).numpy()
    pictures = sentences.Source(
        requests={"image": tf.TensorSpec([None], tf.string, name="image")},
        example={"image": np.array([grey] * 2)},
        read=lambda image: _read(image, fitted.size),
        spec=spec,
        example_read=np.full([1, fitted.size, fitted.size, 3], 128, np.float32),
        there=lambda pixels: tf.fill(tf.shape(pixels)[:1], True),
    )
    return sentences.Writer(model, pictures, subwords, decode, attended, name="caption").signatures("attend")


def _read(contents, size):
    return image.pictures(contents, size)


def device_files(fitted: Fitted, decode: sentences.Decode) -> dict[str, bytes]:
    """The vocabulary, settings, and the references for pixels, words and the loop, to lie beside the .tflite files."""
    settings = {"target": "vocabulary.tsv", "max_tokens": fitted.max_tokens, "size": fitted.size}
    return {
        **sentences.device_files({"vocabulary.tsv": fitted.subwords()}, decode, **settings),
        "resize.py": resources.files("rnnsuite.inputs").joinpath("resize.py").read_bytes(),
    }


def on_device(folder: pathlib.Path) -> OnDevice:
    """A picture's bytes to `image` [1, size, size, 3], the written ids to a caption."""
    pixels = functools.cache(lambda size: tf.function(functools.partial(image.pixels, size=size), autograph=False))

    def request(record, settings):
        return {"image": pixels(settings["size"])(tf.constant(record["image"])).numpy()[None]}

    return sentences.on_device(folder, request, "caption")
