"""What a request may cost, told before it runs."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from rnnsuite.server.cost import Limits, pixels, seconds
from rnnsuite.server.status import RequestError
from tests.files import picture, sound

LIMITS = Limits(rows=8, numbers=12, characters=2000, pixels=10_000)


def strings(*values):
    return {"image": np.array(values, object)}


def test_numbers_of_all_inputs_together():
    inputs = {"a": np.zeros((2, 3)), "b": np.zeros((2, 3)), **strings(b"x" * 99, b"y")}
    assert LIMITS.check(inputs) == 2
    with pytest.raises(RequestError, match="13 numbers; at most 12 here"):
        LIMITS.check({**inputs, "beam": np.float32(3)})
    with pytest.raises(RequestError, match="9 rows; at most 8 here"):
        LIMITS.check(strings(*[b""] * 9))


def test_a_scalar_is_one_row():
    assert LIMITS.check({"x": np.float32(1)}) == 1


def test_texts_count_by_their_characters_and_files_do_not():
    with pytest.raises(RequestError, match="2001 characters"):
        LIMITS.check(strings(b"x" * 1500, b"y" * 501))
    LIMITS.check(strings(sound(440), b"text"))  # 32,044 bytes


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP"])
@pytest.mark.parametrize("size", [(1, 1), (300, 7), (80, 125)])
def test_pictures_count_by_their_headers(kind, size):
    assert pixels(picture(*size, kind)) == size[0] * size[1]
    LIMITS.check(strings(picture(*size, kind)))


@pytest.mark.parametrize("options", [{"progressive": True}, {"quality": 95, "comment": b"x" * 999}])
def test_every_kind_of_jpeg(options):
    stream = io.BytesIO()
    Image.new("RGB", (70, 90)).save(stream, "JPEG", **options)
    assert pixels(stream.getvalue()) == 6300


def test_a_picture_that_is_small_only_as_a_file():
    stream = io.BytesIO()
    Image.new("L", (2000, 2000)).save(stream, "PNG")
    assert len(stream.getvalue()) < 10_000
    with pytest.raises(RequestError, match="4000000 pixels; at most 10000 here"):
        LIMITS.check(strings(stream.getvalue()))
    with pytest.raises(RequestError, match="12600 pixels"):  # of all of them together
        LIMITS.check(strings(picture(70, 90), picture(70, 90, "PNG")))


def test_sounds_count_by_their_rate():
    assert seconds(sound(440, 1.5)) == pytest.approx(1.5)
    slow = bytearray(sound(440, 1.5))
    slow[24:28] = (100).to_bytes(4, "little")
    assert seconds(bytes(slow)) == pytest.approx(240)
    with pytest.raises(RequestError, match="480 seconds; at most 300 here"):
        LIMITS.check(strings(bytes(slow), bytes(slow)))
    slow[40:44] = (2**32 - 1).to_bytes(4, "little")  # a length that lies
    assert seconds(bytes(slow)) == pytest.approx(240)


@given(
    st.sampled_from([b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"\xff\xd8", b"RIFF0000WAVE", b""]),
    st.binary(max_size=60),
)
def test_headers_that_are_cut_or_none(start, rest):
    assert pixels(start + rest) >= 0
    assert seconds(start + rest) >= 0
