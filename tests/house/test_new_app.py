"""A new application is a folder: nothing else is edited, in this tree or outside of it."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
from click.testing import CliRunner

from rnnsuite import catalog, new
from rnnsuite.cli.main import main
from tests.conftest import ROOT

DRIFT = pathlib.Path(__file__).parent / "drift"
CONTRACT = "tests/contract/test_apps.py"


def placed(place, name, configs):
    """A copy of the throw-away application by another name."""
    shutil.copytree(DRIFT, place, ignore=shutil.ignore_patterns("configs", "__pycache__"))
    shutil.copytree(DRIFT / "configs", configs)
    for file, old in ((place / "__init__.py", 'App("drift"'), *named(configs)):
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, old.replace("drift", name)))


def named(configs):
    return [(path, "app: drift") for path in configs.glob("*.yaml")]


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the source tree with the throw-away application in it, by the name inside."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ("rnnsuite", "apps", "configs", "tests"):
        ignore = shutil.ignore_patterns("__pycache__", "drift")
        shutil.copytree(ROOT / name, tree / name, ignore=ignore)
    shutil.copy(ROOT / "setup.cfg", tree)
    placed(tree / "apps" / "inside", "inside", tree / "configs" / "inside")
    return tree


def passed(tree, elsewhere, names):
    """How many tests of the contract a pytest of its own passed, by application."""
    words = [CONTRACT, "-k", " or ".join(names), "-rp", "-p", "no:cacheprovider"]
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words],
        cwd=tree,
        env={**clean, "RNNSUITE_APPS": str(elsewhere)},
        capture_output=True,
        text=True,
    )
    printed = done.stdout.splitlines()
    lines = [line for line in printed if line.startswith("PASSED")]
    rest = [line for line in printed if not line.startswith("PASSED")]
    assert done.returncode == 0, "\n".join(rest[-40:])
    return {app: sum(f"[{app}" in line for line in lines) for app in names}


def test_it_keeps_the_contract_in_the_tree(tree, tmp_path):
    assert passed(tree, tmp_path, ["inside"])["inside"] > 20


@pytest.mark.thorough
def test_every_kind_keeps_the_contract_outside_of_it(tree, tmp_path):
    """What `rnnsuite new` writes."""
    names = {f"afield_{kind}": kind for kind in new.kinds()}
    for name, kind in names.items():
        new.write(name, kind, tmp_path)
    counts = passed(tree, tmp_path, list(names))
    assert min(counts.values()) > 20, counts


@pytest.mark.thorough
def test_every_kind_comes_with_tests_that_pass(tmp_path):
    for kind in new.kinds():
        new.write(f"tested_{kind}", kind, tmp_path)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]


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


@pytest.mark.thorough
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
