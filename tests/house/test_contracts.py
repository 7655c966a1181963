"""The import contracts hold, and a module without a place fails them."""

import configparser
import pathlib
import shutil
import subprocess
import sys

import pytest

from rnnsuite import catalog
from tests.conftest import ROOT

LINT = pathlib.Path(sys.executable).with_name("lint-imports")


def lint(folder):
    return subprocess.run(
        [LINT, "--no-cache", "--config", "setup.cfg"], cwd=folder, capture_output=True, text=True
    )


@pytest.fixture
def tree(tmp_path):
    for name in ("rnnsuite", "apps"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignore)
    shutil.copy(ROOT / "setup.cfg", tmp_path)
    return tmp_path


def test_without_exceptions():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    contracts = [name for name in config.sections() if name.startswith("importlinter:contract")]
    assert len(contracts) >= 9
    for name in contracts:
        assert "ignore_imports" not in config[name]
    assert config["importlinter:contract:house"]["exhaustive"] == "True"


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("rnnsuite/loose.py", "", "loose"),
        ("rnnsuite/pipeline/loose.py", "", "loose"),
        ("rnnsuite/core/bad.py", "import rnnsuite.layers.scan\n", "BROKEN"),
        ("rnnsuite/device/bad.py", "import tensorflow\n", "BROKEN"),
        ("apps/sentiment/bad.py", "import apps.translation.data\n", "BROKEN"),
    ],
)
def test_what_has_no_place_or_knows_too_much_fails(tree, file, content, said):
    (tree / file).write_text(content)
    done = lint(tree)
    assert done.returncode == 1
    assert said in done.stdout


def test_setup_cfg_names_no_application():
    text = (ROOT / "setup.cfg").read_text()
    assert not [name for name in catalog.summaries() if name in text]
