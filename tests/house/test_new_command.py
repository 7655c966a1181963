"""rnnsuite new: what it writes where. That it trains and keeps the contract is in test_new_app."""

import json
import shutil

import pytest
from click.testing import CliRunner

from rnnsuite import catalog, new
from rnnsuite.cli.main import main
from tests.conftest import ROOT


def told(*words, status=0):
    done = CliRunner().invoke(main, ["new", *map(str, words)], catch_exceptions=False)
    assert done.exit_code == status, done.output
    return done.stdout if status == 0 else done.stderr


@pytest.mark.parametrize("kind", new.kinds())
def test_a_project_with_an_entry_point(tmp_path, kind):
    printed = told("gestures", "--kind", kind, "--to", tmp_path / "mine", "--json")
    files = json.loads(printed)["files"]
    folder = tmp_path / "mine" / "gestures"
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {str(folder / name) for name in names} == set(files)
    assert {"__init__.py", "data.py", "model.py", "serve.py", "score.py", "sample.py"} <= names
    assert {"configs/sample.yaml", "configs/tiny.yaml", "configs/default.yaml"} <= names
    assert {"page.mjs", "test_gestures.py"} <= names
    assert not any(new.NAME in (folder / name).read_text() for name in names)
    project = (tmp_path / "mine" / "pyproject.toml").read_text()
    assert '[project.entry-points."rnnsuite.apps"]\ngestures = "gestures"\n' in project


def test_a_project_that_is_there_is_left_as_it_is(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    printed = told("gestures", "--to", tmp_path)
    assert (tmp_path / "pyproject.toml").read_text() == "[project]\n"
    assert f"rnnsuite --apps {tmp_path} train gestures" in printed


def test_in_the_tree_configurations_lie_with_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(catalog, "PACKAGE", tmp_path / "rnnsuite")
    (tmp_path / "apps").mkdir()
    shutil.copytree(ROOT / "configs" / "sentiment", tmp_path / "configs" / "sentiment")
    printed = told("gestures", "--to", tmp_path / "apps")
    assert "rnnsuite train gestures" in printed
    assert (tmp_path / "configs" / "gestures" / "tiny.yaml").is_file()
    assert not list((tmp_path / "apps").rglob("*.yaml"))
    assert not (tmp_path / "apps" / "pyproject.toml").exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Gestures", "a Python name in small letters"),
        ("class", "a Python name in small letters"),
        ("../up", "a Python name in small letters"),
        ("sentiment", "There is an application 'sentiment' already"),
    ],
)
def test_a_name_that_cannot_be_taken(tmp_path, name, said):
    assert said in told(name, "--to", tmp_path, status=2)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_over(tmp_path):
    (tmp_path / "gestures").mkdir()
    assert "is there already" in told("gestures", "--to", tmp_path, status=2)
    assert list((tmp_path / "gestures").iterdir()) == []
