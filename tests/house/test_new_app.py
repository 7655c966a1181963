"""A new application is a folder: nothing else is edited, in this tree or outside of it."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
from click.testing import CliRunner

from rnnsuite import catalog
from rnnsuite.cli.main import main
from tests.conftest import ROOT

DRIFT = pathlib.Path(__file__).parent / "drift"
CONTRACT = "tests/contract/test_apps.py"


def contract(folder, **environment):
    """The application contract over the application "drift", by a pytest of its own."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        CONTRACT,
        "-k",
        "drift",
        "-p",
        "no:cacheprovider",
    ]
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    done = subprocess.run(
        command, cwd=folder, env={**clean, **environment}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


def test_outside_the_tree(tmp_path):
    shutil.copytree(DRIFT, tmp_path / "drift")
    output = contract(ROOT, RNNSUITE_APPS=str(tmp_path))
    assert " passed" in output


def test_inside_the_tree(tmp_path):
    for name in ("rnnsuite", "apps", "configs", "tests"):
        ignore = shutil.ignore_patterns("__pycache__", "drift")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignore)
    shutil.copy(ROOT / "setup.cfg", tmp_path)
    shutil.copytree(DRIFT, tmp_path / "apps" / "drift", ignore=shutil.ignore_patterns("configs"))
    shutil.copytree(DRIFT / "configs", tmp_path / "configs" / "drift")
    output = contract(tmp_path)
    assert " passed" in output


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outside")
    shutil.copytree(DRIFT, folder / "mine" / "drift")
    patch = pytest.MonkeyPatch()
    patch.setenv(catalog.FOLDERS, "")
    patch.chdir(folder)
    rnnsuite("train", "drift", "-c", "tiny", "--run", "run")
    rnnsuite("export", "drift", "--run", "run", "--to", "models", "--lite", "none")
    yield folder
    patch.undo()
    catalog.places.cache_clear()


def rnnsuite(*words, status=0):
    done = CliRunner().invoke(main, ["--apps", "mine", *words], catch_exceptions=False)
    assert done.exit_code == status, done.stderr[-3000:]
    return done.stdout


def test_from_the_shell_with_several_fields_of_any_shape(trained):
    """Two series of different lengths are answered together."""
    requests = [
        {"series": [[1, 2], [3, 4], [5, 6]], "scale": 1.5},
        {"series": [[1.0, 2.0]], "scale": 2},
    ]
    words = ["predict", "drift", "--model", "models/drift/1", "--json"]
    answers = json.loads(rnnsuite(*words, *map(json.dumps, requests)))["answers"]
    assert [set(answer) for answer in answers] == [{"input", "value", "bound"}] * 2
    calibration = json.loads((trained / "run" / "calibration.json").read_text())
    assert answers[0]["bound"] == pytest.approx(calibration["largest_error"], rel=1e-5)
    rows = [*map(json.dumps, requests), '{"series": [[1]], "scale": 1}', '{"scale": 1}']
    (trained / "in.jsonl").write_text("\n".join(rows))
    files = ["--input", "in.jsonl", "--output", "out.jsonl"]
    rnnsuite(*words, *files, status=3)
    lines = [json.loads(line) for line in (trained / "out.jsonl").read_text().splitlines()]
    assert [line.get("value") for line in lines[:2]] == [
        pytest.approx(answer["value"], abs=1e-6) for answer in answers
    ]
    assert "series: numbers of shape [?, 2] expected" in lines[2]["error"]
    assert lines[3]["error"].startswith("no 'series'")
    (trained / "in.csv").write_text('name,s,scale\na,"[[1, 2], [3, 4], [5, 6]]",1.5\n')
    files = ["--input", "in.csv", "--output", "out2.jsonl", "--field", "series=s"]
    rnnsuite(*words, *files)
    line = json.loads((trained / "out2.jsonl").read_text())
    assert line["value"] == pytest.approx(answers[0]["value"], abs=1e-6)


def test_another_application_begins_with_its_weights(trained):
    """From the run, and from the export."""
    for number, start in enumerate(("run", "models/drift/1")):
        run = f"next{number}"
        settings = [f"train.start={start}", "train.learning_rate=1e-12", "train.weight_decay=0.0"]
        sets = [word for setting in settings for word in ("--set", setting)]
        words = ["train", "drift", "-c", "tiny", "--json", "--run", run, *sets]
        metrics = json.loads(rnnsuite(*words))
        first = json.loads((trained / "run" / "metrics.json").read_text())
        assert metrics["val_loss"] == pytest.approx(first["val_loss"], rel=1e-4)
