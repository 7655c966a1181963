"""Splits by name, and those that are held out."""

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnsuite.core.errors import UserError
from rnnsuite.data.splits import (
    BUCKETS,
    divided,
    held_out,
    hold_out,
    path_splits,
    split_name,
    with_validation,
)


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


def test_a_list_is_divided_as_a_data_set_is():
    rows = [{"text": f"text {number}", "label": "a"} for number in range(300)]
    as_list = texts(with_validation(lambda split: rows, ["all"], "validation", "text", 0.2))
    data_set = tf.data.Dataset.from_tensor_slices({"text": [row["text"] for row in rows]})
    assert as_list == texts(hold_out(data_set, "text", 0.2, True))


def test_small_sets_have_a_record_of_every_class_on_either_side():
    rows = [{"text": f"{name} {n}", "label": name} for name in "abc" for n in range(2)]

    def labels(split):
        found = with_validation(lambda name: rows, ["all"], split, "text", 0.1, "label")
        return [record["label"].decode() for record in found.as_numpy_iterator()]

    assert set(labels("train")) == set(labels("validation")) == {"a", "b", "c"}
    assert len(labels("train")) + len(labels("validation")) == 6


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.5, 0.99])
@pytest.mark.parametrize("count", [2, 3, 7, 50])
def test_no_side_is_empty_unless_nothing_shall_be_held_out(fraction, count):
    values = [f"text {number}" for number in range(count)]
    buckets = [(7919 * number) % BUCKETS for number in range(count)]
    held = held_out(values, buckets, fraction)
    assert any(held) == (fraction > 0)
    assert not all(held)


def test_an_empty_split_is_named_with_the_key_that_mends_it():
    rows = [{"text": "the same"}] * 5
    with pytest.raises(UserError, match=r"data\.validation=0\.1 leaves the validation split of 5"):
        with_validation(lambda name: rows, ["all"], "validation", "text", 0.1)


def test_a_class_with_one_value_is_trained_on():
    held = held_out(["a", "b", "c"], [5, 9000, 9500], 0.1, ["one", "two", "two"])
    assert held == [False, True, False]


@settings(max_examples=60, deadline=None)
@given(
    classes=st.lists(st.sampled_from("abc"), min_size=1, max_size=30),
    fraction=st.sampled_from([0.0, 0.1, 0.5]),
    seed=st.integers(0, 1000),
)
def test_however_items_are_divided_none_is_lost_and_no_class_of_train(classes, fraction, seed):
    items = [(f"{seed} {number}", label) for number, label in enumerate(classes)]
    parts = divided({"all": items}, fraction, lambda item: item[0], lambda item: item[1])
    assert sorted(parts["train"] + parts["validation"]) == sorted(items)
    trained = {label for _, label in parts["train"]}
    assert trained == set(classes)
    assert bool(parts["validation"]) == (fraction > 0 and len(classes) > len(set(classes)))
    for label in trained:
        if fraction and classes.count(label) > 1:
            assert label in {other for _, other in parts["validation"]}


def test_splits_that_there_are_stay_as_they_are():
    by_split = {"train": ["a", "b"], "validation": ["c"], "test": ["d"]}
    assert divided(by_split, 0.5, str) == by_split
    assert divided({"test": ["d"]}, 0.5, str) == {"test": ["d"]}
    parts = divided({"train": ["a", "b", "c"], "test": ["d"]}, 0.3, str)
    assert set(parts) == {"train", "validation", "test"}
    assert len(parts["train"]) + len(parts["validation"]) == 3
