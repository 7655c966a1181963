"""Pictures in every format, beside Pillow, and resized beside numpy."""

import io

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from rnnsuite.device.resize import resize
from rnnsuite.inputs import image, image_files

SIZE = 24
one = tf.TensorSpec([], tf.string)
decode = tf.function(image.decode, input_signature=[one], autograph=False)
pixels = tf.function(
    lambda content: image.pixels(content, SIZE), input_signature=[one], autograph=False
)
BLOCKS = np.kron(
    np.random.default_rng(0).integers(0, 255, (6, 8, 3), np.uint8), np.ones((8, 8, 1), np.uint8)
)


def encoded(picture, kind="PNG", **options):
    stream = io.BytesIO()
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(
        stream, kind, **options
    )
    return stream.getvalue()


def by_pillow(content):
    return np.asarray(
        ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB")
    ).astype(int)


def difference(content):
    found = decode(content).numpy()
    assert found.dtype == np.uint8
    assert found.shape == by_pillow(content).shape
    return np.abs(found.astype(int) - by_pillow(content)).max()


WRITTEN = {
    "JPEG": ("RGB", "L", "CMYK"),
    "PNG": ("RGB", "L", "1", "P"),
    "GIF": ("RGB", "L", "1", "P"),
    "BMP": ("RGB", "L", "P"),
}


@pytest.mark.parametrize(
    ("kind", "mode"), [(kind, mode) for kind, modes in WRITTEN.items() for mode in modes]
)
def test_every_format_and_mode(kind, mode):
    assert difference(encoded(Image.fromarray(BLOCKS).convert(mode), kind)) == 0


def test_a_bmp_of_one_bit_is_refused():
    with pytest.raises(tf.errors.InvalidArgumentError, match="less than 8 bits"):
        decode(encoded(Image.fromarray(BLOCKS).convert("1"), "BMP"))


@pytest.mark.parametrize("colours", [2, 4, 16, 200])
def test_palettes_of_any_depth(colours):
    picture = Image.fromarray(BLOCKS).quantize(colours)
    assert difference(encoded(picture)) == 0


def test_a_bmp_of_any_height_and_depth():
    assert difference(encoded(Image.fromarray(BLOCKS).convert("RGBA"), "BMP")) == 0
    content = bytearray(encoded(BLOCKS, "BMP"))
    content[22:26] = (-48).to_bytes(4, "little", signed=True)  # the first row first
    assert np.array_equal(decode(bytes(content)).numpy(), BLOCKS[::-1])


def test_what_is_transparent_shows_white():
    shown = np.array([[0, 128, 255]], np.uint8)
    content = encoded(np.dstack([np.full([1, 3, 3], 100, np.uint8), shown]))
    assert decode(content).numpy()[0, :, 0].tolist() == [255, 177, 100]
    grey = Image.merge("LA", [Image.new("L", (4, 4), 40), Image.new("L", (4, 4), 0)])
    assert np.all(decode(encoded(grey)).numpy() == 255)


def test_the_first_frame_of_a_moving_gif():
    frames = [Image.fromarray(np.full([10, 12, 3], shade, np.uint8)) for shade in (50, 200)]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert decode(content).shape == (10, 12, 3)
    assert np.all(decode(content).numpy() == 50)


@pytest.mark.parametrize("endian", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_camera_held_any_way(orientation, endian):
    exif = Image.Exif()
    exif.endian, exif[0x010F], exif[0x0112] = endian, "a maker", orientation
    content = encoded(BLOCKS, "JPEG", exif=exif.tobytes())
    assert int(image.orientation(tf.constant(content))) == orientation
    assert difference(content) == 0


def test_an_orientation_that_there_is_not_is_none():
    exif = Image.Exif()
    exif[0x0112] = 77
    assert int(image.orientation(tf.constant(encoded(BLOCKS, "JPEG", exif=exif.tobytes())))) == 1
    exif = Image.Exif()
    exif[0x010F] = "a maker"
    assert int(image.orientation(tf.constant(encoded(BLOCKS, "JPEG", exif=exif.tobytes())))) == 1
    assert int(image.orientation(tf.constant(encoded(BLOCKS, "JPEG")))) == 1


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 60))
def test_any_exif_segment_has_an_orientation(garbage, kept):
    """Whatever the segment holds, an answer from 1 to 8 comes, and soon."""
    start = encoded(BLOCKS, "JPEG")[:2]
    tiff = b"II*\0\x08\0\0\0"[:kept] + garbage
    segment = b"\xff\xe1" + (len(tiff) + 8).to_bytes(2, "big") + b"Exif\0\0" + tiff
    assert 1 <= int(image.orientation(tf.constant(start + segment))) <= 8


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a JPEG, PNG, GIF or BMP"),
        (b"a text", "not a JPEG, PNG, GIF or BMP"),
        (encoded(BLOCKS, "JPEG")[:300], "JPEG"),
        (encoded(BLOCKS, "PNG")[:120], "PNG"),
        (encoded(BLOCKS, "BMP")[:120], "header_size|Incomplete|size"),
        (b"\x89PNG\r\n\x1a\n", "without pixels, or cut short"),
        (b"BM", "without pixels, or cut short"),
        (b"GIF89a", "without pixels, or cut short"),
    ],
)
def test_what_is_no_picture_is_refused(content, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        decode(content)


def test_a_picture_that_is_too_large_is_refused_by_its_header():
    header = bytearray(encoded(np.zeros([1, 1, 3], np.uint8)))
    header[16:24] = (9000).to_bytes(4, "big") + (8000).to_bytes(4, "big")
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="a picture of more than 67108864 pixels"
    ):
        decode(bytes(header))


def test_a_very_large_picture_and_a_very_small_one():
    flat = np.full([8000, 8000], 90, np.uint8)
    assert np.all(pixels(encoded(flat, "JPEG")).numpy() == 90)
    assert np.all(pixels(encoded(BLOCKS[:1, :1], "PNG")).numpy() == BLOCKS[0, 0])


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 1000))
def test_resized_as_numpy_does_it(height, width, seed):
    drawn = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    found = pixels(encoded(drawn)).numpy()
    exactly = tf.image.resize(drawn, [SIZE, SIZE], antialias=True).numpy()
    for rounded in (found, resize(drawn, SIZE)[0]):
        assert np.abs(rounded - exactly).max() <= 0.501  # a half may be rounded either way


def test_resize_wants_colours():
    with pytest.raises(ValueError, match=r"pixels must be \[height, width, 3\], not \[4, 4\]"):
        resize(np.zeros([4, 4]), 8)


def test_a_batch_of_pictures_of_any_size():
    contents = [encoded(BLOCKS), encoded(BLOCKS[:5, :9], "JPEG"), encoded(BLOCKS[:1, :1], "BMP")]
    found = image.images(tf.constant(contents), SIZE)
    for row, content in zip(found, contents, strict=True):
        np.testing.assert_array_equal(row, pixels(content))
    assert image.images(tf.constant([], tf.string), SIZE).shape == (0, SIZE, SIZE, 3)


class TestAltered:
    square = tf.cast(tf.image.resize(BLOCKS, [16, 16]), tf.uint8)

    def views(self, count=60, **options):
        change = tf.function(image.altered(**options), autograph=False)
        return [change(self.square, tf.constant([seed, 3])).numpy() for seed in range(count)]

    def test_the_same_seed_the_same_view(self):
        one, other = (self.views(5, flip="dihedral", crop=0.4, colour=0.4) for _ in range(2))
        np.testing.assert_array_equal(one, other)

    def test_nothing_changes_where_nothing_may(self):
        for view in self.views(3):
            np.testing.assert_array_equal(view, self.square)

    def test_flips_are_mirrored_or_not(self):
        found = {view.tobytes() for view in self.views(flip="horizontal")}
        mirrored = tf.cast(tf.reverse(self.square, [1]), tf.float32).numpy().tobytes()
        assert found == {mirrored, tf.cast(self.square, tf.float32).numpy().tobytes()}

    def test_a_square_lies_in_eight_ways(self):
        assert len({view.tobytes() for view in self.views(flip="dihedral")}) == 8

    def test_colours_stay_in_their_range(self):
        for view in self.views(20, colour=0.9, crop=0.9):
            assert view.min() >= 0
            assert view.max() <= 255
            np.testing.assert_array_equal(view, np.round(view))


class TestCheck:
    def test_a_good_one_whatever_it_is_called(self, tmp_path):
        (tmp_path / "a.png").write_bytes(encoded(BLOCKS, "JPEG"))
        assert image_files.check(tmp_path / "a.png") is None

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "GIF"])
    def test_a_cut_one(self, tmp_path, kind):
        content = encoded(np.random.default_rng(0).integers(0, 255, (40, 40, 3), np.uint8), kind)
        (tmp_path / "a").write_bytes(content[: len(content) // 2])
        assert "not a picture that can be read" in image_files.check(tmp_path / "a")

    def test_none(self, tmp_path):
        (tmp_path / "empty.jpg").write_bytes(b"")
        assert "not a picture" in image_files.check(tmp_path / "empty.jpg")
        assert image_files.check(tmp_path / "absent.jpg") == "there is no such file"
