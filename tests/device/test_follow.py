"""Lines of numbers, and pictures, as devices read them."""

import numpy as np
import pytest
from PIL import Image

from rnnsuite.device.follow import rows
from rnnsuite.device.resize import pixels, resize


def test_lines_that_are_no_numbers_are_left_out():
    lines = ["a,b\n", "1,2\n", "\n", "3, \n", "x,4\n", "-5e-1,6\n"]
    found = np.array([row for row in rows(lines) if len(row) == 2])
    np.testing.assert_array_equal(found, [[1, 2], [3, np.nan], [-0.5, 6]])


class TestPixels:
    picture = np.random.default_rng(0).integers(0, 255, size=[5, 7, 3], dtype=np.uint8)

    def test_every_kind_of_file_is_the_same_picture(self, tmp_path):
        np.save(tmp_path / "a.npy", self.picture)
        (tmp_path / "a.ppm").write_bytes(b"P6\n7 5\n255\n" + self.picture.tobytes())
        Image.fromarray(self.picture).save(tmp_path / "a.png")
        for name in ("a.npy", "a.ppm", "a.png"):
            np.testing.assert_array_equal(pixels(tmp_path / name), self.picture)
            assert resize(pixels(tmp_path / name), 4).shape == (1, 4, 4, 3)

    def test_a_ppm_of_another_kind(self, tmp_path):
        (tmp_path / "a.ppm").write_bytes(b"P3\n1 1\n255\n1 2 3\n")
        with pytest.raises(SystemExit, match=r"only binary \.ppm with 8 bits"):
            pixels(tmp_path / "a.ppm")

    def test_without_pillow(self, tmp_path, monkeypatch):
        import sys

        monkeypatch.setitem(sys.modules, "PIL", None)
        with pytest.raises(SystemExit, match=r"pip install pillow, or give \.ppm or \.npy"):
            pixels(tmp_path / "a.png")
