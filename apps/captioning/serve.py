"""How a trained model is asked: an image's bytes on a server, its pixels on a device."""

import dataclasses
import functools
import pathlib

import numpy as np
import tensorflow as tf

from rnnsuite.app import Device, OnDevice, Serving, Signature, Trained
from rnnsuite.core.fields import File
from rnnsuite.device import resize
from rnnsuite.inputs import image, image_files
from rnnsuite.tasks import generation
from rnnsuite.tasks.sections import SearchConfig

GREY = 128
"""Of the example in warm-up requests."""


@dataclasses.dataclass(frozen=True)
class Answer:
    """An image's caption and its score, the higher the surer."""

    caption: str
    score: float


def signatures(trained: Trained) -> dict[str, Signature]:
    """See `SentenceSignatures`: `image` [batch], the bytes of files, to `caption` and `score`.

    attend: also `words` [batch, t], the subwords of the caption, and `maps` [batch, t, rows,
    columns], what share of the attention each place of the image had.
    """
    size = trained.fitted.size
    subwords = trained.fitted.subwords()

    def attended(_, written, weights):
        side = round(weights.shape[-1] ** 0.5)
        shape = tf.concat([tf.shape(weights)[:2], [side, side]], axis=0)
        return {"words": subwords.tokens(written), "maps": tf.reshape(weights, shape)}

    grey = tf.io.encode_png(np.full([size, size, 3], GREY, np.uint8)).numpy()
    images = generation.Source(
        requests={"image": tf.TensorSpec([None], tf.string, name="image")},
        example={"image": np.array([grey] * 2)},
        encode_request=lambda image: _read(image, size),
        spec=tf.TensorSpec([None, size, size, 3], tf.float32, name="image"),
        example_tensor=np.full([1, size, size, 3], GREY, np.float32),
        is_present=lambda pixels: tf.fill(tf.shape(pixels)[:1], True),
    )
    search = trained.section(SearchConfig)
    written = generation.SentenceSignatures(
        trained.model, images, subwords, search, attended, name="caption"
    )
    return written.signatures("attend")


def _read(contents: tf.Tensor, size: int) -> tf.Tensor:
    return image.images(contents, size)


def device_files(trained: Trained) -> dict[str, bytes]:
    """The vocabulary, settings, and the references for pixels, words and the loop."""
    fitted = trained.fitted
    files = generation.device_files(
        {"vocabulary.tsv": fitted.subwords()},
        trained.section(SearchConfig),
        target="vocabulary.tsv",
        max_tokens=fitted.max_tokens,
        size=fitted.size,
    )
    return {**files, "resize.py": pathlib.Path(resize.__file__).read_bytes()}


def open_device(folder: pathlib.Path) -> OnDevice:
    """An image's bytes to `image` [1, size, size, 3], the written ids to a caption."""

    @functools.cache
    def pixels(size):
        return tf.function(functools.partial(image.pixels, size=size), autograph=False)

    def request(record, settings):
        content = tf.constant(record["image"])
        return {"image": pixels(settings["size"])(content).numpy()[None]}

    return generation.open_device(folder, request, "caption")


SERVING = Serving(
    fields={"image": File(image_files.read, "an image file: JPEG, PNG, GIF or BMP")},
    answer=Answer,
    signatures=signatures,
    sections={"decode": SearchConfig},
    device=Device(files=device_files, open=open_device),
    show=functools.partial(generation.show, "caption"),
)
