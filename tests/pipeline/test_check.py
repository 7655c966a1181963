"""What `rnnsuite check` finds in data that are wrong or odd, and in data that are neither."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from rnnsuite import catalog
from rnnsuite.cli.main import main
from rnnsuite.core.errors import UserError
from rnnsuite.data.contents import FieldContents, SplitContents
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.check import check

PLAIN = [(f"film number {n} was {word}", word) for n in range(30) for word in ("good", "bad")]


def folder(tmp_path, **rows):
    place = tmp_path / "data"
    place.mkdir()
    for split, records in rows.items():
        lines = "".join(f'"{text}",{label}\n' for text, label in records)
        (place / f"{split}.csv").write_text(f"text,label\n{lines}", encoding="utf-8")
    return place


def checked(place):
    app = catalog.find("sentiment")
    config = configuration.load(app, "default", [f"data.source={json.dumps(str(place))}"])
    return check(app, config)


def test_nothing_is_wrong_or_odd(tmp_path):
    others = [(f"{text}, they say", label) for text, label in PLAIN]
    found = checked(folder(tmp_path, train=PLAIN, validation=others))
    assert (found["wrong"], found["odd"], found["skipped"]) == ([], [], [])
    assert found["splits"]["train"]["records"] == 60
    assert found["splits"]["train"]["classes"] == {"good": 30, "bad": 30}
    assert found["splits"]["train"]["fields"]["text"] == {
        "unit": "characters",
        "shortest": 21,
        "median": 22,
        "longest": 23,
        "missing": 0,
    }
    assert found["examples"][0].startswith("train: 60 examples; length ")


def test_everything_at_once(tmp_path):
    train = [*PLAIN, PLAIN[0], (PLAIN[1][0], "good"), ("", "bad"), ("word " * 500, "bad")]
    found = checked(
        folder(tmp_path, train=train, validation=[PLAIN[3], ("new", "dull"), ("other", "bad")])
    )
    odd = "\n".join(found["odd"])
    assert "train: 2 of 64 records (3.1%) repeat another one's input" in odd
    assert "train: 1 inputs stand under several classes, such as “film number 0 was bad”" in odd
    assert "validation: 1 of 3 records (33.3%) are in train, too, such as “film number 1" in odd
    assert "train, text: 1 of 64 records (1.6%) are empty" in odd
    assert "the longest has 2500 characters, half of all at most 22" in odd
    (wrong,) = found["wrong"]
    assert wrong == "validation has 1 classes that train does not have: dull 1."


def test_one_class_alone_and_few_records(tmp_path):
    rows = [(f"film {n}", "good") for n in range(8)]
    found = checked(folder(tmp_path, train=rows, validation=[("a film", "good")]))
    assert any("of one class, good" in line for line in found["wrong"])
    assert "train has only 8 records." in found["odd"]


def test_without_a_train_split_nothing_can_be_said(tmp_path):
    with pytest.raises(UserError, match="no train split"):
        checked(folder(tmp_path, test=PLAIN))


def test_uneven_classes(tmp_path):
    rows = [*PLAIN, *((f"book number {n}", "good") for n in range(90)), ("an odd one", "odd")]
    found = checked(folder(tmp_path, train=rows, validation=[("a film", "good")]))
    odd = "\n".join(found["odd"])
    assert "Classes of fewer than 5 records: odd 1." in odd
    assert "good has 120 records, odd 1." in odd


def test_bad_records_are_counted_and_nothing_stops(tmp_path):
    place = folder(tmp_path, train=PLAIN, validation=[("a film", "good")])
    with open(place / "train.csv", "ab") as stream:
        stream.write(b"a text alone\n")
    found = checked(place)
    assert len(found["skipped"]) == 1
    assert "train.csv" in found["skipped"][0]
    assert any(line.startswith("1 bad records, such as: ") for line in found["odd"])


def test_from_the_shell_in_either_order(tmp_path):
    place = folder(tmp_path, train=PLAIN, validation=[("new", "dull"), ("a film", "good")])
    done = CliRunner().invoke(main, ["check", str(place), "sentiment"])
    assert done.exit_code == 2
    assert "train: 60 records\n  text: 21 to 23 characters, half up to 22\n" in done.stdout
    assert "wrong: validation has 1 classes" in done.stdout
    swapped = CliRunner().invoke(main, ["check", "sentiment", str(place), "--json"])
    assert json.loads(swapped.stdout)["splits"]["validation"]["records"] == 2
    lost = CliRunner().invoke(main, ["check", str(tmp_path / "lost"), "sentiment"])
    assert (lost.exit_code, lost.stdout) == (2, "")
    assert "There is no" in lost.stderr


class TestNumbers:
    def test_columns_that_never_change_and_missing_numbers(self):
        field = FieldContents()
        field.add(np.array([[1.0, 5.0], [2.0, 5.0]]))
        field.add(np.array([[np.nan, 5.0]]))
        assert field.unchanging() == [1]
        assert field.values() == {
            "unit": "steps",
            "shortest": 1,
            "median": 1,
            "longest": 2,
            "missing": 1,
        }

    def test_a_file_has_bytes_and_captions_are_texts(self):
        picture, captions, number = FieldContents(), FieldContents(), FieldContents()
        picture.add(b"\x89PNG\0\0")
        captions.add(np.array([b"a dog", b"a cat"], object))
        number.add(np.int32(7))
        assert (picture.unit, picture.lengths) == ("bytes", [6])
        assert (captions.unit, captions.lengths) == ("texts", [2])
        assert number.values()["unit"] == ""

    @pytest.mark.parametrize("count", [1, 3])
    def test_equal_arrays_are_one_input(self, count):
        split = SplitContents("train")
        for _ in range(count):
            split.add({"values": np.ones((2, 3)), "label": b"run"}, ["values"], "label")
        split.add({"values": np.zeros((2, 3)), "label": b"run"}, ["values"], "label")
        assert sorted(split.inputs.values()) == sorted([1, count])
        assert split.by_class == {"run": count + 1}


@pytest.mark.parametrize("name", ["activity_recognition", "forecasting"])
def test_samples_have_nothing_wrong(name):
    app = catalog.find(name)
    found = check(app, configuration.load(app, "tiny"))
    assert found["wrong"] == []
    assert found["splits"]["train"]["records"] > 0
