"""What every application promises, of this one: python -m pytest test___NAME__.py"""

import json
import pathlib

from click.testing import CliRunner

from rnnsuite.cli.main import main

FOLDER = str(pathlib.Path(__file__).resolve().parent.parent)


def rnnsuite(*words):
    done = CliRunner().invoke(main, ["--apps", FOLDER, *map(str, words)], catch_exceptions=False)
    assert done.exit_code == 0, done.stderr[-3000:]
    return done.stdout


def test_it_trains_is_exported_with_proof_and_answers(tmp_path):
    run, models = tmp_path / "run", tmp_path / "models"
    rnnsuite("train", "__NAME__", "-c", "tiny", "--run", run)
    rnnsuite("export", "__NAME__", "--run", run, "--to", models)
    for model in (run, models / "__NAME__" / "1"):
        words = ["predict", "__NAME__", "--model", model, "--json", "3 March 2024", ""]
        answer, nothing = json.loads(rnnsuite(*words))["answers"]
        assert answer["score"] < 0
        assert nothing["text"] == ""


def test_an_empty_target_is_named(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("text,target\na,b\nc,\n")
    done = CliRunner().invoke(main, ["--apps", FOLDER, "check", str(path), "__NAME__"])
    assert "pairs.csv, line 3: text and target must be texts" in done.output
