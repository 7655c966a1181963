"""Images with a class each."""

import json

import pytest
from PIL import Image

from rnnsuite.core.errors import UserError
from rnnsuite.data.notes import Skips
from rnnsuite.data.picture_layouts import read_pictures
from rnnsuite.data.source_config import TableConfig
from rnnsuite.data.splits import divided


def read(root, label="label", on_error="error"):
    return read_pictures(root, TableConfig(), label, (".png",), Skips(on_error))


def image(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4)).save(path)


def named(by_split):
    return {
        split: [(entry.path.name, entry.label) for entry in entries]
        for split, entries in by_split.items()
    }


def test_folders_of_classes(tmp_path):
    for name in ("train/cat/a.png", "train/dog/b.png", "val/cat/c.png"):
        image(tmp_path / name)
    assert named(read(tmp_path)) == {
        "train": [("a.png", "cat"), ("b.png", "dog")],
        "validation": [("c.png", "cat")],
    }


def test_a_table(tmp_path):
    image(tmp_path / "images" / "a.png")
    (tmp_path / "labels.csv").write_text("file,kind,split\na.png,cat,test\nb.png,dog,dev\n")
    by_split = read(tmp_path, "kind")
    assert named(by_split) == {"test": [("a.png", "cat")], "validation": [("b.png", "dog")]}
    assert by_split["test"][0].path.is_file()
    assert named(read(tmp_path / "labels.csv", "kind")) == named(by_split)


def test_a_list(tmp_path):
    images = [{"file": "a.png", "cls": "cat", "split": "val"}, {"filename": "b.png", "cls": 3}]
    (tmp_path / "captions.json").write_text(json.dumps({"images": images}))
    assert named(read(tmp_path, "cls")) == {
        "validation": [("a.png", "cat")],
        "all": [("b.png", "3")],
    }


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("labels.csv", "file,label\na.png,\n", "line 2: no class"),
        ("labels.csv", "file,label\n,cat\n", "line 2: no image"),
        ("labels.csv", "name,label\na.png,cat\n", "no column called image or file"),
        ("images.json", '{"images": [{"file": "a.png"}]}', "image 0 has no label"),
        ("images.json", '[{"label": "cat"}]', "image 0 has no file"),
        ("images.json", '{"images": 3}', "holds no list of images"),
        ("images.json", "[", "is no JSON"),
    ],
)
def test_what_cannot_be(tmp_path, name, content, said):
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=said):
        read(tmp_path)


def test_there_is_nothing(tmp_path):
    with pytest.raises(UserError, match="There is no"):
        read(tmp_path / "absent")
    with pytest.raises(UserError, match="no folders of classes"):
        read(tmp_path)
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(UserError, match="neither a folder, a table nor a JSON list"):
        read(tmp_path / "a.txt")


def test_every_class_is_on_either_side_of_a_division():
    items = {"all": [(f"{label}{n}", label) for label in "abc" for n in range(4)]}
    parts = divided(items, 0.1, lambda item: item[0], lambda item: item[1])
    assert {label for _, label in parts["validation"]} == set("abc")
    assert {label for _, label in parts["train"]} == set("abc")
    assert len(parts["train"]) + len(parts["validation"]) == 12
