"""Splits by name, and those that are held out."""

import pytest
import tensorflow as tf

from rnnsuite.core.errors import UserError
from rnnsuite.data.splits import hold_out, path_splits, split_name, with_validation


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (["train.csv", "dev.csv", "test.csv"], {"train", "validation", "test"}),
        (["training", "val"], {"train", "validation"}),
        (["a.csv"], {"all"}),
        ([".train.csv", "b"], {"all"}),
    ],
)
def test_by_their_usual_names(tmp_path, names, splits):
    for name in names:
        (tmp_path / name).touch()
    assert path_splits(tmp_path).keys() == splits


def test_a_path_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match="There is no"):
        path_splits(tmp_path / "absent")


@pytest.mark.parametrize(
    ("name", "split"),
    [("val2017", "validation"), ("restval", "train"), ("dev", "validation"), ("extra", "extra")],
)
def test_a_split_of_any_name(name, split):
    assert split_name(name) == split


def records(split="train"):
    return tf.data.Dataset.from_tensor_slices({"text": [f"{split} {n % 50}" for n in range(200)]})


def texts(found):
    return {record["text"] for record in found.as_numpy_iterator()}


def test_equal_values_are_on_one_side():
    held = texts(hold_out(records(), "text", 0.3, True))
    rest = texts(hold_out(records(), "text", 0.3, False))
    assert held
    assert rest
    assert not held & rest
    assert len(held | rest) == 50
    assert 5 <= len(held) <= 25


@pytest.mark.parametrize(
    ("names", "split", "held_out"),
    [
        (["train", "validation"], "validation", False),
        (["train", "test"], "validation", True),
        (["train", "test"], "train", True),
        (["all"], "train", True),
        (["train", "test"], "test", False),
    ],
)
def test_a_validation_split_is_held_out_where_there_is_none(names, split, held_out):
    found = texts(with_validation(records, names, split, "text", 0.3))
    whole = texts(records(split if split in names else "train" if "train" in names else "all"))
    assert (found < whole) == held_out


def test_a_split_that_is_not_there_is_named():
    with pytest.raises(UserError, match="no test split; it has all"):
        with_validation(records, ["all"], "test", "text", 0.3)
