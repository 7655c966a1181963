"""Files of pictures, as people have them."""

import dataclasses
import io
import pathlib

import numpy as np
import pytest
from PIL import Image

from rnnsuite.core.errors import UserError
from rnnsuite.inputs import image, image_files

PIXELS = np.random.default_rng(0).integers(0, 255, size=[6, 9, 3], dtype=np.uint8)


@dataclasses.dataclass(frozen=True)
class Entry:
    path: pathlib.Path
    label: str = ""


def stored(path, format="PNG", **options):
    Image.fromarray(PIXELS).save(path, format, **options)
    return path


@pytest.mark.parametrize("format", ["PNG", "BMP", "GIF", "JPEG"])
def test_every_format_is_read_whatever_the_file_is_called(tmp_path, format):
    path = stored(tmp_path / "a.txt", format)
    assert image_files.check(path) is None
    assert image_files.read(path) == path.read_bytes()
    found = image_files.pixels(path.read_bytes())
    assert found.shape == PIXELS.shape
    if format in ("PNG", "BMP"):
        np.testing.assert_array_equal(found, PIXELS)


def test_the_camera_was_held_on_its_side(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = stored(tmp_path / "a.jpg", "JPEG", exif=exif)
    assert image_files.pixels(path.read_bytes()).shape == (9, 6, 3)
    assert image.decode(path.read_bytes()).shape == (9, 6, 3)


def test_grey_and_transparent_pictures_have_three_colours():
    for mode in ("L", "RGBA", "P"):
        stream = io.BytesIO()
        Image.fromarray(PIXELS).convert(mode).save(stream, "PNG")
        assert image_files.pixels(stream.getvalue()).shape == (6, 9, 3)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "there is no such file"),
        (b"", "not a picture that can be read"),
        (b"a text", "not a picture that can be read"),
    ],
)
def test_what_is_no_picture(tmp_path, content, said):
    path = tmp_path / "a.png"
    if content is not None:
        path.write_bytes(content)
    assert said in image_files.check(path)
    with pytest.raises(UserError, match=said):
        image_files.read(path)


def test_one_that_breaks_off(tmp_path):
    path = stored(tmp_path / "a.png")
    path.write_bytes(path.read_bytes()[:-40])
    assert "not a picture that can be read" in image_files.check(path)


def test_one_that_is_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(image_files, "LARGEST", 50)
    assert image_files.check(stored(tmp_path / "a.png")) == "9 x 6 pixels are more than 50"


def test_those_that_can_be_read_keep_what_belongs_to_them(tmp_path):
    good = Entry(stored(tmp_path / "a.png"), "cat")
    bad = Entry(tmp_path / "b.png", "dog")
    faults = []
    assert image_files.usable([good, bad], faults.append) == [good]
    assert faults == [f"{tmp_path / 'b.png'}: there is no such file."]
