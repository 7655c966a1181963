"""The first hour with one's own data: from a spreadsheet's file to predictions."""

import csv
import json

import pytest
from click.testing import CliRunner

from rnnsuite import catalog
from rnnsuite.cli.main import main
from rnnsuite.pipeline.run import Run

SMALL = (
    "train.epochs=2",
    "model.units=8",
    "model.embedding=8",
    "train.boundaries=[32]",
    "model.bidirectional=false",
)


def run(*words, status=0):
    result = CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == status, result.stderr
    return result


def sets(*overrides):
    return [word for each in overrides for word in ("--set", each)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    place = tmp_path_factory.mktemp("own")
    patch.chdir(place)
    yield place
    patch.undo()


@pytest.fixture(scope="module")
def sheet(folder):
    """600 rows as a spreadsheet saves them: semicolons, Windows-1252, a header that stands twice,
    an empty label.
    """
    rows = ["Text;Label"]
    for number in range(300):
        rows.append(f"Schöner Film, Nummer {number};gut")
        rows.append(f"Öder Film, Nummer {number};schlecht")
    rows.insert(301, "Text;Label")
    rows.append("Nichts dazu;")
    path = folder / "kritiken.csv"
    path.write_bytes("\r\n".join(rows).encode("cp1252"))
    return path


@pytest.fixture(scope="module")
def trained(sheet):
    """The run, and what the commands said on the way."""
    refused = run("train", "sentiment", "--data", sheet.name, *sets(*SMALL), status=2)
    assert "kritiken.csv, line 603: no label. Mend it, or leave such records out" in refused.stderr
    skip = sets("data.on_error=skip", *SMALL)
    result = run("train", "sentiment", "--data", sheet.name, *skip, "--json")
    return json.loads(result.stdout), result.stderr, skip


def test_three_commands_from_the_file_to_predictions(folder, sheet, trained):
    metrics, _, _ = trained
    assert metrics["run"].startswith("runs/sentiment/kritiken-")
    words = ["--model", metrics["run"], "--input", sheet.name, "--output", "answers.csv", "--json"]
    counts = json.loads(run("predict", "sentiment", *words).stdout)
    assert counts == {"output": "answers.csv", "rows": 601, "errors": 0}
    with open(folder / "answers.csv", encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert rows[0]["input"] == "Schöner Film, Nummer 0"
    assert rows[0]["row"] == "2"
    assert {row["label"] for row in rows} <= {"gut", "schlecht"}
    # The repeated header in line 302 is no row.
    assert [int(row["row"]) for row in rows] == [*range(2, 302), *range(303, 604)]


def test_what_was_read_is_said(folder, trained, caplog):
    metrics, _, _ = trained
    app = catalog.find("sentiment")
    place = Run(app, folder / metrics["run"])
    skipped = (place.folder / "skipped.txt").read_text().splitlines()
    assert [line.rpartition("/")[2] for line in skipped] == [
        "kritiken.csv, line 302: the header again.",
        "kritiken.csv, line 603: no label.",
    ]
    data = place.data()
    assert data["skipped"] == 2
    counts = {name: split["classes"] for name, split in data["splits"].items()}
    assert sum(sum(classes.values()) for classes in counts.values()) == 600
    assert counts["validation"].keys() == {"gut", "schlecht"}
    assert data["command"]
    assert data["begun"].startswith("20")


def test_the_report_has_facts_classes_and_the_monitored_curve(folder, trained):
    metrics, _, _ = trained
    page = folder / metrics["report"]
    text = page.read_text(encoding="utf-8")
    assert page.stat().st_size < 2e6
    for part in ("By class", "precision", "schlecht", "begun", "command", "skipped.txt"):
        assert part in text
    assert 'alt="loss"' in text


def test_it_is_finished_only_as_long_as_the_data_are_the_same(folder, sheet, trained):
    metrics, _, skip = trained
    again = run("train", "sentiment", "--data", sheet.name, *skip, "--json")
    assert json.loads(again.stdout)["val_loss"] == metrics["val_loss"]
    before = sheet.read_bytes()
    sheet.write_bytes(before.replace(b";gut", b";toll"))
    try:
        refused = run("train", "sentiment", "--data", sheet.name, *skip, status=2)
        assert "have changed since" in refused.stderr
        assert "kritiken.csv" in refused.stderr
    finally:
        sheet.write_bytes(before)


def test_evaluate_says_what_it_scores(folder, sheet, trained, tmp_path):
    metrics, _, _ = trained

    def evaluated(*words):
        command = ["evaluate", "sentiment", "--model", metrics["run"], "--json", *words]
        return json.loads(run(*command).stdout)

    held_out = Run(catalog.find("sentiment"), folder / metrics["run"]).data()["splits"]
    count = held_out["validation"]["examples"]
    for words in ([], ["--split", "validation"], ["--data", sheet.name]):
        found = evaluated(*words)
        assert (found["split"], found["records"]) == ("validation", count)
        assert found["note"] == "held out of train by a hash"
    assert evaluated("--split", "train")["note"] == "the model was trained on these records"
    other = tmp_path / "other.csv"
    other.write_text("text,label\nSchöner Film,gut\nÖder Film,schlecht\n", encoding="utf-8")
    found = evaluated("--data", other)
    assert (found["split"], found["records"]) == ("all", 2)
    refused = run("evaluate", "sentiment", "--model", metrics["run"], "--split", "test", status=2)
    assert "has no test split" in refused.stderr


def test_from_another_folder(trained, folder, tmp_path, monkeypatch):
    """The source is kept as a path that holds anywhere."""
    metrics, _, _ = trained
    monkeypatch.chdir(tmp_path)
    model = folder / metrics["run"]
    assert run("evaluate", "sentiment", "--model", model, "--json").exit_code == 0


def test_for_a_person(trained):
    metrics, _, _ = trained
    lines = run("predict", "sentiment", "--model", metrics["run"], "Schöner Film").stdout
    text, classes = lines.splitlines()
    assert text == "Schöner Film"
    assert {word for word in classes.split() if word.isalpha()} == {"gut", "schlecht"}
    shown = run(
        "predict", "sentiment", "--model", metrics["run"], "--signature", "explain", "Öder Film"
    )
    assert "attention: " in shown.stdout


def test_one_unreadable_file_keeps_nobody_elses_answer(sentiment, tmp_path):
    model = "saved_models/speech_commands"
    from tests.conftest import ROOT
    from tests.files import sound

    (tmp_path / "a.wav").write_bytes(sound(500))
    words = ["predict", "speech_commands", "--json", "--model", ROOT / model]
    result = run(*words, tmp_path / "a.wav", tmp_path / "absent.wav", status=3)
    answers = json.loads(result.stdout)["answers"]
    assert "label" in answers[0]
    assert "There is no sound file" in answers[1]["error"]
    assert "There is no sound file" in result.stderr
