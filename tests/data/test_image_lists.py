"""What layouts of images have in common."""

import pytest

from rnnsuite.core.errors import UserError
from rnnsuite.data.image_lists import IMAGE_COLUMNS, image_path, read_json, usual_column


def test_an_image_lies_in_the_first_usual_folder_that_has_it(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "a.png").write_bytes(b"")
    assert image_path(tmp_path, "a.png") == tmp_path / "a.png"
    (tmp_path / "images" / "a.png").write_bytes(b"")
    assert image_path(tmp_path, "a.png") == tmp_path / "images" / "a.png"
    # Of one that there is not, where it would be looked for.
    assert image_path(tmp_path, "b.png") == tmp_path / "images" / "b.png"


@pytest.mark.parametrize("name", ["image", "FILE", " file_name ", "Path"])
def test_usual_columns_in_any_case(tmp_path, name):
    assert usual_column(["caption", name], IMAGE_COLUMNS, tmp_path) == name


def test_the_first_usual_name_wins(tmp_path):
    assert usual_column(["path", "image"], IMAGE_COLUMNS, tmp_path) == "image"


def test_no_usual_column_is_told_with_those_that_there_are(tmp_path):
    with pytest.raises(UserError, match=r"no column called image or file; it has a, b\. Name them"):
        usual_column(["a", "b"], IMAGE_COLUMNS, tmp_path)


def test_json_with_and_without_a_mark(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b"\xef\xbb\xbf[1]")
    assert read_json(path) == [1]
    path.write_bytes(b"\xff\xfe[")
    with pytest.raises(UserError, match=r"a\.json is no JSON"):
        read_json(path)
    with pytest.raises(UserError, match=r"b\.json is no JSON"):
        read_json(tmp_path / "b.json")
