"""Pictures to examples, shuffled ones, and what cannot be."""

import numpy as np
import pytest
import tensorflow as tf

from apps.object_recognition import data, score
from apps.object_recognition.config import DataConfig
from apps.object_recognition.sample import CLASSES, picture
from rnnsuite.core.errors import NoSplit, UserError
from rnnsuite.data.records import collect
from rnnsuite.inputs import image_files
from tests.files import png

RNG = np.random.default_rng(0)


@pytest.fixture
def folder(tmp_path):
    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        for number in range(5):
            pixels = RNG.integers(0, 255, size=[9, 7, 3], dtype=np.uint8)
            (tmp_path / label / f"{number}.png").write_bytes(png(pixels))
    return tmp_path


class TestSample:
    def test_the_class_is_where_the_disc_is(self):
        """Red stands for the disc and one cross, blue for the square and the other."""
        assert picture("left", 3).shape == (48, 48, 3)
        np.testing.assert_array_equal(picture("left", 3), picture("left", 3))
        for label in CLASSES:
            places = _solid_parts(picture(label, 5))
            dx, dy = np.subtract(*places)
            across = "left" if dx < 0 else "right"
            along = "above" if dy < 0 else "below"
            assert label == (across if abs(dx) > abs(dy) else along)


def _solid_parts(pixels):
    """(x, y) of disc and square: the reddest and the bluest filled 5 x 5 places."""
    from scipy.ndimage import uniform_filter

    red, _, blue = (uniform_filter(pixels[..., n].astype(float), 5) for n in range(3))
    places = [np.unravel_index(np.argmax(part), part.shape) for part in (red - blue, blue - red)]
    return [(x, y) for y, x in places]


class TestLoad:
    def test_folders_are_divided_by_class(self, folder):
        config = DataConfig(source=str(folder), size=8, validation=0.2)
        records = collect(data.load(config, "validation"))
        assert {record["label"] for record in records} == {b"cat", b"dog"}
        fitted = data.fit(config, data.load(config, "train"))
        assert fitted == data.Fitted(("cat", "dog"), 8)
        pixels, number = next(iter(data.examples(config, fitted, data.load(config, "train"))))
        assert pixels.shape == (8, 8, 3)
        assert int(number) in (0, 1)

    def test_one_pixel(self, folder):
        (folder / "cat" / "0.png").write_bytes(png(np.full([1, 1, 3], 77, np.uint8)))
        config = DataConfig(source=str(folder), size=8)
        fitted = data.Fitted(("cat", "dog"), 8)
        records = [*data.load(config, "train"), *data.load(config, "validation")]
        small = next(record for record in records if record["name"] == b"0.png")
        examples = data.examples(config, fitted, tf.data.Dataset.from_tensors(small))
        assert np.unique(next(iter(examples))[0]).tolist() == [77]

    def test_what_cannot_be(self, folder):
        config = DataConfig(source=str(folder))
        with pytest.raises(NoSplit, match="has no test split"):
            data.load(config, "test")
        (folder / "cat" / "0.png").write_bytes(b"no picture")
        with pytest.raises(UserError, match=r"cat/0\.png: not a picture that can be read"):
            [*data.load(config, "train"), *data.load(config, "validation")]
        lenient = DataConfig(source=str(folder), on_error="skip")
        parts = [collect(data.load(lenient, split)) for split in ("train", "validation")]
        assert sum(map(len, parts)) == 9


def test_another_view_is_of_the_same_size_and_moves():
    config = DataConfig(shift=0.25)
    change = data.augment(config, data.Fitted(("a", "b"), 8))
    pixels = RNG.integers(0, 255, size=[8, 8, 3], dtype=np.uint8)
    views = [
        change(tf.constant(pixels), tf.constant(1), tf.constant([n, 5], tf.int64))[0]
        for n in range(8)
    ]
    assert {view.shape for view in views} == {(8, 8, 3)}
    assert len({view.numpy().tobytes() for view in views}) > 2
    assert {view.dtype for view in views} == {tf.uint8}


class TestShuffle:
    def test_every_patch_is_there_once(self):
        pixels = RNG.integers(0, 255, size=[9, 8, 3], dtype=np.uint8)
        found = image_files.pixels(score.shuffle(png(pixels), 4, 1))
        assert not np.array_equal(found, pixels)
        np.testing.assert_array_equal(found[8], pixels[8])  # what is left over

        def patches(x):
            return sorted(x[:8].reshape(4, 2, 4, 2, 3).swapaxes(1, 2).reshape(16, -1).tolist())

        assert patches(found) == patches(pixels)

    def test_a_picture_with_fewer_pixels_stays(self):
        content = png(np.zeros([2, 2, 3], np.uint8))
        assert score.shuffle(content, 4, 1) == content
