"""Captions in the layouts that people have."""

import json
import re

import pytest

from rnnsuite.core.errors import UserError
from rnnsuite.data.caption_layouts import read_captions
from rnnsuite.data.notes import Skips
from rnnsuite.data.source_config import TableConfig


def read(root, on_error="error"):
    found = read_captions(root, TableConfig(), Skips(on_error))
    return {
        split: {image.path.name: list(image.captions) for image in images}
        for split, images in found.items()
    }


MAPPING = {"a.jpg": ["one", "two"], "b.jpg": "three"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_mapping_with_and_without_a_byte_order_mark(tmp_path, encoding):
    (tmp_path / "captions.json").write_text(json.dumps(MAPPING), encoding=encoding)
    expected = {"all": {"a.jpg": ["one", "two"], "b.jpg": ["three"]}}
    assert read(tmp_path) == read(tmp_path / "captions.json") == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("captions.csv", "image,caption\na.jpg,one\na.jpg,two\nb.jpg,three\n"),
        ("captions.csv", "Caption;Filename\none;a.jpg\ntwo;a.jpg\nthree;b.jpg\n"),
        ("captions.txt", "image,caption\na.jpg,one\na.jpg,two\nb.jpg,three\n"),
        ("results.csv", "image_name| comment\na.jpg#0|one\na.jpg#1|two\nb.jpg#0|three\n"),
    ],
)
def test_a_table_with_a_caption_a_row(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    root = tmp_path if name.startswith("captions") else tmp_path / name
    assert read(root) == {"all": {"a.jpg": ["one", "two"], "b.jpg": ["three"]}}


def test_a_table_with_splits(tmp_path):
    text = "file,caption,split\na.jpg,one,train\nb.jpg,two,val\n"
    (tmp_path / "captions.csv").write_text(text)
    assert read(tmp_path) == {"train": {"a.jpg": ["one"]}, "validation": {"b.jpg": ["two"]}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "image,words\na.jpg,one\n",
            "has no column called caption or captions; it has image, words",
        ),
        ("image,caption\na.jpg,\n", "line 2: no caption"),
    ],
)
def test_what_a_table_lacks_is_named(tmp_path, text, said):
    (tmp_path / "captions.csv").write_text(text)
    with pytest.raises(UserError, match=re.escape(said)):
        read(tmp_path)


def test_bad_rows_can_be_left_out(tmp_path):
    (tmp_path / "captions.csv").write_text("image,caption\na.jpg,\nb.jpg,two\n")
    assert read(tmp_path, "skip") == {"all": {"b.jpg": ["two"]}}
