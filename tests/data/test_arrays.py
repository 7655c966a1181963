"""Arrays in files, without pickles."""

import numpy as np
import pytest

from rnnsuite.core.errors import UserError
from rnnsuite.data.arrays import loaded, numbers


def test_one_array_and_several(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(3))
    np.savez(tmp_path / "b.npz", x=np.arange(2), y=np.ones([1, 2]))
    assert loaded(tmp_path / "a.npy")[""].tolist() == [0, 1, 2]
    assert {key: value.tolist() for key, value in loaded(tmp_path / "b.npz").items()} == {
        "x": [0, 1],
        "y": [[1, 1]],
    }


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_objects_and_damaged_files_are_told(tmp_path, name):
    path = tmp_path / name
    save = np.save if name.endswith("npy") else np.savez
    save(path, np.array([{"a": 1}], dtype=object))
    with pytest.raises(UserError, match=r"a\.np. cannot be read as numbers"):
        loaded(path)
    save(path, np.arange(100))
    content = path.read_bytes()
    for size in (0, 5, len(content) // 2):
        path.write_bytes(content[:size])
        with pytest.raises(UserError, match=r"a\.np. cannot be read as numbers"):
            loaded(path)
    with pytest.raises(UserError, match="cannot be read as numbers"):
        loaded(tmp_path / f"no{name}")


@pytest.mark.parametrize(
    "values", [np.arange(3), np.zeros([2, 2, 2]), np.zeros([0, 3]), np.array([["a"]])]
)
def test_other_shapes_and_types_are_told(tmp_path, values):
    with pytest.raises(UserError, match=r"numbers \[time, channels\] are expected"):
        numbers(tmp_path / "a.npy", values)


@pytest.mark.parametrize("dtype", ["int16", "uint8", "float64", "bool"])
def test_numbers_of_any_kind_become_float32(tmp_path, dtype):
    found = numbers(tmp_path / "a.npy", np.ones([2, 1], dtype))
    assert found.dtype == np.float32
    assert found.tolist() == [[1], [1]]
