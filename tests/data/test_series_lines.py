"""Series as JSON lines: what is read, what is named."""

import json

import numpy as np
import pytest
import tensorflow as tf

from rnnsuite.core.errors import NoSplit, UserError
from rnnsuite.data import series_lines
from rnnsuite.data.source_config import SourceConfig

SPEC = {"label": tf.TensorSpec([], tf.string)}


def said(row, series):
    return {"label": f"{row['label']} of {len(series)}"}


def load(path, split="train", **settings):
    config = SourceConfig(source=str(path), **settings)
    return list(series_lines.load(config, split, None, said, SPEC).as_numpy_iterator())


def written(path, *rows):
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return path


GOOD = {"series": [[1, 2], [3.5, 4]], "label": "a"}


def test_files_are_splits(tmp_path):
    for name in ("train", "valid", "test"):
        written(tmp_path / f"{name}.jsonl", GOOD, {"series": [[5, 6]], "label": name})
    first, second = load(tmp_path, "validation")
    np.testing.assert_array_equal(first["series"], [[1, 2], [3.5, 4]])
    assert (first["label"], second["label"]) == (b"a of 2", b"valid of 1")
    assert (first["id"], second["id"]) == (b"valid.jsonl:1", b"valid.jsonl:2")


def test_one_file_is_divided(tmp_path):
    path = written(tmp_path / "rows.jsonl", *[GOOD] * 20)
    parts = [load(path, split, validation=0.3) for split in ("train", "validation")]
    assert sum(map(len, parts)) == 20
    assert all(parts)
    with pytest.raises(NoSplit):
        load(path, "test")


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("no json", "Expecting value"),
        ({"label": "a"}, "there is no 'series'"),
        ({"series": [[1, 2]]}, "there is no 'label'"),
        ({"series": [1, 2], "label": "a"}, r"series must be \[steps\]\[numbers\]"),
        ({"series": [], "label": "a"}, "series must be"),
        ({"series": [[1, 2], [3]], "label": "a"}, "inhomogeneous"),
        ({"series": [[1, "x"]], "label": "a"}, "could not convert"),
        ('{"series": [[1, NaN]], "label": "a"}', "all finite"),
        ("3", "not subscriptable"),
    ],
)
def test_a_line_that_is_none_is_named_or_left_out(tmp_path, row, fault):
    path = written(tmp_path / "train.jsonl", GOOD, row, GOOD)
    written(tmp_path / "dev.jsonl", GOOD)
    with pytest.raises(UserError, match=f"train.jsonl:2: .*{fault}"):
        load(tmp_path)
    assert len(load(path.parent, on_error="skip")) == 2


def test_series_of_other_widths_are_named(tmp_path):
    path = written(tmp_path / "rows.jsonl", GOOD, {"series": [[1]], "label": "b"})
    with pytest.raises(UserError, match=r"series of one width, not of \[1, 2\] numbers"):
        load(path)


def test_moments_are_those_of_all_steps(tmp_path):
    path = written(tmp_path / "rows.jsonl", GOOD, {"series": [[7, 4]], "label": "b"})
    config = SourceConfig(source=str(path), validation=0.0)
    data = series_lines.load(config, "train", None, said, SPEC)
    mean, deviation = series_lines.moments(data)
    values = np.array([[1, 2], [3.5, 4], [7, 4]])
    np.testing.assert_allclose(mean, values.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(deviation, values.std(axis=0), rtol=1e-6)
