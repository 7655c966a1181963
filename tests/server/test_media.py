"""How large pictures and sounds are by their headers, held against TensorFlow's decoders."""

import io
import struct

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from rnnsuite.server import media
from rnnsuite.server.media import HIDDEN, pixels, seconds
from tests.files import picture, sound

KINDS = ["PNG", "JPEG", "GIF", "BMP", "WEBP"]


def saved(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def animation(frames, width, height):
    """Of frames that differ, so that none is left out."""
    noise = np.random.default_rng(0).integers(0, 255, [frames, height, width, 3], dtype=np.uint8)
    drawn = [Image.fromarray(frame) for frame in noise]
    return saved(drawn[0], "GIF", save_all=True, append_images=drawn[1:], duration=50)


def decoded(content):
    """Pixels as TensorFlow decodes them; 0 where it refuses."""
    try:
        if content.startswith(b"GIF"):
            return int(np.prod(tf.io.decode_gif(content).shape[:3]))
        return int(np.prod(tf.io.decode_image(content, expand_animations=False).shape[:2]))
    except tf.errors.InvalidArgumentError:
        return 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(1, 1), (300, 7), (80, 125)])
def test_pictures(kind, size):
    content = picture(*size, kind)
    assert pixels(content) == size[0] * size[1] == decoded(content)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {"progressive": True}),
        ("JPEG", {"comment": b"\xff\xc0" * 400}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"exif": b"Exif\0\0" + bytes(99)}),
    ],
)
def test_other_forms_of_them(kind, options):
    content = saved(Image.new("RGB", (70, 90)), kind, **options)
    assert pixels(content) == 6300 == decoded(content)


def test_an_animation_counts_with_all_frames():
    content = animation(12, 40, 30)
    assert pixels(content) == 12 * 1200 == decoded(content)


def test_a_frame_that_changes_a_corner_counts_as_a_whole_one():
    whole = Image.new("P", (40, 30), 1)
    whole.putpalette([value for value in range(256) for _ in range(3)], "RGB")
    changed = whole.copy()
    changed.paste(2, (2, 3, 7, 6))
    content = saved(whole, "GIF", save_all=True, append_images=[changed], duration=50)
    assert struct.pack("<HH", 5, 3) in content
    assert pixels(content) == 2 * 1200 == decoded(content)


def segment(length):
    return b"\xff\xe5" + struct.pack(">H", length + 2) + bytes(length)


@pytest.mark.parametrize("between", [segment(60_000) * 9, segment(0) * 50, b"\0\7\0", b"\xff" * 99])
def test_a_size_behind_much_else(between):
    whole = picture(70, 90)
    content = whole[:2] + between + whole[2:]
    assert pixels(content) == 6300
    assert decoded(content) in (0, 6300)


@pytest.mark.parametrize("start", [b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"])
def test_what_cannot_be_told_is_hidden(start):
    """TensorFlow decodes JPEG XL, too."""
    assert pixels(start + bytes(50)) == HIDDEN


def test_looking_has_an_end(monkeypatch):
    monkeypatch.setattr(media, "STEPS", 100)
    assert pixels(b"\xff\xd8" + segment(0) * 200) == HIDDEN
    assert pixels(animation(200, 4, 4)) == HIDDEN
    assert seconds(b"RIFF0000WAVE" + b"abcd\0\0\0\0" * 200) == float("inf")


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(KINDS), st.integers(0, 60), st.integers(0, 255), st.booleans())
@example("GIF", 4, 0x2C, True)
def test_no_picture_is_larger_than_it_is_said_to_be(kind, place, byte, is_animated):
    """With one byte of its beginning changed, whatever TensorFlow still decodes."""
    moves = kind == "GIF" and is_animated
    content = bytearray(animation(3, 9, 8) if moves else picture(9, 8, kind))
    content[place % len(content)] = byte
    told = pixels(bytes(content))
    if told < 10**6:
        assert decoded(bytes(content)) <= told


def test_an_animation_that_is_cut_anywhere():
    content = animation(3, 9, 8)
    for end in range(13, len(content)):
        assert decoded(content[:end]) <= pixels(content[:end])


@given(
    st.sampled_from([b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"\xff\xd8", b"RIFF0000WEBP", b""]),
    st.binary(max_size=60),
)
def test_pictures_that_are_cut_or_none(start, rest):
    assert pixels(start + rest) >= 0


def test_sounds():
    assert seconds(sound(440, 1.5)) == pytest.approx(1.5)
    slow = bytearray(sound(440, 1.5))
    slow[24:28] = (100).to_bytes(4, "little")
    assert seconds(bytes(slow)) == pytest.approx(240)
    slow[40:44] = (2**32 - 1).to_bytes(4, "little")  # a length that lies
    assert seconds(bytes(slow)) == pytest.approx(240)


@given(st.binary(max_size=60))
def test_sounds_that_are_cut_or_none(rest):
    assert seconds(b"RIFF0000WAVE" + rest) >= 0
    assert seconds(rest) == 0 or rest.startswith(b"RIFF")
