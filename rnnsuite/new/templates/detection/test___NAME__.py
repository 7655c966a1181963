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
        assert [len(answer[name]) for name in ("probabilities", "event", "confidence")] == [3] * 3


def test_an_event_outside_of_its_series_is_named(tmp_path):
    rows = [{"series": [[1], [2]], "events": [["a", 0, 1]]}]
    rows.append({"series": [[1], [2]], "events": [["a", 1, 2]]})
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    done = CliRunner().invoke(main, ["--apps", FOLDER, "check", str(path), "__NAME__"])
    assert "rows.jsonl:2: a from 1 to 2 is not within the 2 steps" in done.output
