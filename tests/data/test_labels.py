"""Classes as folders, names and numbers."""

import pytest
import tensorflow as tf

from rnnsuite.core.errors import UserError
from rnnsuite.data.labels import class_folders, class_names, class_numbers, known
from rnnsuite.data.notes import Skips


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_files_of_class_folders_in_their_order(tmp_path):
    touch(tmp_path, "b/2.TXT", "b/1.txt", "a/x.txt", "a/x.md", ".git/1.txt", "unsup/1.txt", "c.txt")
    found = class_folders(tmp_path, (".txt",), ignored=("unsup",))
    assert [(file.name, label) for file, label in found] == [
        ("x.txt", "a"),
        ("1.txt", "b"),
        ("2.TXT", "b"),
    ]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["a/1.txt", "b/1.md"], "The class folder .*b has no .txt files"),
        (["1.txt"], "no folders of classes"),
        ([], "no folders of classes"),
    ],
)
def test_folders_without_files(tmp_path, names, said):
    touch(tmp_path, *names)
    with pytest.raises(UserError, match=said):
        class_folders(tmp_path / "", (".txt",))


def labelled(*names):
    return tf.data.Dataset.from_tensor_slices({"label": list(names)})


def test_names_are_sorted():
    assert class_names(labelled("b", "a", "ü", "b"), "x") == ("a", "b", "ü")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["a", "a"], r"one class only \(a\)"),
        (["a", "", "b"], "records without a label"),
    ],
)
def test_too_few_classes(names, said):
    with pytest.raises(UserError, match=said):
        class_names(labelled(*names), "x")


def test_numbers_are_places_and_an_unknown_name_fails():
    numbers = class_numbers(("a", "b"))
    assert numbers(tf.constant(["b", "a", "b"])).numpy().tolist() == [1, 0, 1]
    with pytest.raises(tf.errors.InvalidArgumentError, match="training split does not have"):
        numbers(tf.constant(["a", "c"]))


def of_files(*pairs):
    columns = {"label": [label for label, _ in pairs], "origin": [origin for _, origin in pairs]}
    return tf.data.Dataset.from_tensor_slices(columns)


def test_a_class_that_train_lacks_is_named_with_its_line():
    records = of_files(("a", "v.csv, line 2"), ("x", "v.csv, line 3"))
    with pytest.raises(UserError, match=r"v\.csv, line 3: label 'x' is not in train"):
        known(records, "label", ("a", "b"), Skips("error"))


def test_or_is_left_out():
    skips = Skips("skip")
    records = of_files(("a", "line 2"), ("x", "line 3"), ("y", "line 4"), ("b", "line 5"))
    left = known(records, "label", ("a", "b"), skips)
    assert [record["label"] for record in left.as_numpy_iterator()] == [b"a", b"b"]
    assert skips.count == 2


def test_records_without_an_origin_are_not_looked_at():
    records = labelled("a", "x")
    assert known(records, "label", ("a",), Skips("error")) is records
