"""Arrays kept on disk: computed once, whole or not at all."""

import numpy as np
import pytest

from rnnsuite.inputs.cache import Cached

CONTENTS = [b"one", b"two", b"three"]


@pytest.fixture
def counted(tmp_path):
    asked = []

    def compute(contents):
        asked.append(list(contents))
        return np.array([[len(content), 0.5] for content in contents])

    return Cached(compute, tmp_path / "features"), asked


def test_computed_once(counted):
    cached, asked = counted
    for _ in range(2):
        np.testing.assert_array_equal(cached(CONTENTS), [[3, 0.5], [3, 0.5], [5, 0.5]])
    assert asked == [CONTENTS]


def test_only_what_is_missing_or_damaged_is_computed(counted):
    cached, asked = counted
    cached(CONTENTS[:1])
    next(cached.folder.glob("*.npy")).write_bytes(b"\x93NUMPY broken")
    cached(CONTENTS[1:2])
    assert cached(CONTENTS).shape == (3, 2)
    assert asked == [[b"one"], [b"two"], [b"one", b"three"]]


def test_an_interrupted_computation_keeps_what_it_had(tmp_path):
    def breaks(contents):
        raise KeyboardInterrupt

    first = Cached(lambda contents: np.ones([len(contents), 2]), tmp_path)
    first(CONTENTS[:2])
    with pytest.raises(KeyboardInterrupt):
        Cached(breaks, tmp_path)(CONTENTS)
    assert len(list(tmp_path.glob("*.npy"))) == 2
    assert not list(tmp_path.glob(".part*"))


def test_nothing_in_a_file_is_run(counted):
    cached, asked = counted
    cached(CONTENTS[:1])
    path = next(cached.folder.glob("*.npy"))
    np.save(path, np.array([print], object), allow_pickle=True)
    np.testing.assert_array_equal(cached(CONTENTS[:1]), [[3, 0.5]])
    assert len(asked) == 2
