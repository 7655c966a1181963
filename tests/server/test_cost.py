"""What a request may cost, told before it runs."""

import dataclasses
import io

import numpy as np
import pytest
from PIL import Image

from rnnsuite.cli.serve import serve
from rnnsuite.server.cost import Limits
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


@pytest.mark.parametrize("text", ["BMW makes cars that last", "GIFs are good, and this one moves"])
def test_a_text_that_begins_like_a_picture(text):
    LIMITS.check(strings(text.encode()))
    with pytest.raises(RequestError, match="characters; at most 2000"):
        LIMITS.check(strings((text * 100).encode()))


def test_a_picture_that_is_small_only_as_a_file():
    stream = io.BytesIO()
    Image.new("L", (2000, 2000)).save(stream, "PNG")
    assert len(stream.getvalue()) < 10_000
    with pytest.raises(RequestError, match="4000000 pixels; at most 10000 here"):
        LIMITS.check(strings(stream.getvalue()))
    with pytest.raises(RequestError, match="12600 pixels"):  # of all of them together
        LIMITS.check(strings(picture(70, 90), picture(70, 90, "PNG")))


def test_a_picture_that_hides_its_size():
    with pytest.raises(RequestError, match="pictures whose size cannot be told"):
        LIMITS.check(strings(b"\xff\x0a" + bytes(99)))


def test_sounds_count_by_their_rate():
    slow = bytearray(sound(440, 1.5))
    slow[24:28] = (100).to_bytes(4, "little")
    with pytest.raises(RequestError, match="480 seconds; at most 300 here"):
        LIMITS.check(strings(bytes(slow), bytes(slow)))


def test_the_shell_has_the_same_limits():
    """`rnnsuite serve` names them without loading what checks them."""
    defaults = {option.name: option.default for option in serve.params}
    for field in dataclasses.fields(Limits):
        assert defaults[field.name] == field.default
