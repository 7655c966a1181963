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
        assert sum(answer["probabilities"]) > 0.999


def test_a_series_that_is_none_is_named(tmp_path):
    rows = [{"series": [[1, 2]], "label": "a"}, {"series": "x", "label": "b"}]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    words = ["--apps", FOLDER, "check", str(path), "__NAME__"]
    done = CliRunner().invoke(main, words)
    assert "rows.jsonl:2" in done.output
