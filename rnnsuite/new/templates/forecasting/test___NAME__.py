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
    request = json.dumps([[0.1, 0.2], [0.2, 0.3], [0.4, 0.5]])
    for model in (run, models / "__NAME__" / "1"):
        words = ["predict", "__NAME__", "--model", model, "--json", request]
        (answer,) = json.loads(rnnsuite(*words))["answers"]
        rows = zip(answer["low"], answer["median"], answer["high"], strict=True)
        assert all(
            low < middle < high for row in rows for low, middle, high in zip(*row, strict=True)
        )


def test_a_table_that_is_too_short_is_named(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n1,2\n3,4\n")
    done = CliRunner().invoke(main, ["--apps", FOLDER, "check", str(path), "__NAME__"])
    assert "has no 32 + 8 steps without" in done.output
