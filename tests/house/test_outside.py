"""The wheel, in an environment of its own, away from the source tree."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig

import pytest

from tests.conftest import ROOT

SMALL = ("train.epochs=1", "data.splits={train: 'train[:64]', validation: 'validation[:32]'}")


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """An environment with the wheel; what it needs comes from this one's packages."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("rnnsuite", "apps", "configs"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.py", "setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    subprocess.run([*pip, "wheel", *options, "-w", folder, source], check=True)
    (wheel,) = folder.glob("*.whl")
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    scheme = {"base": str(environment), "platbase": str(environment)}
    packages = sysconfig.get_path("purelib", "venv", vars=scheme)
    python = environment / "bin" / "python"
    subprocess.run([*pip, f"--python={python}", "install", *options, wheel], check=True)
    # A path alone: the hook by which the source tree is installed here is not taken along.
    with open(os.path.join(packages, "needed.pth"), "w") as stream:
        stream.write(sysconfig.get_path("purelib") + "\n")
    return python


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("anywhere")


def rnnsuite(python, place, *words):
    done = subprocess.run(
        [python.with_name("rnnsuite"), *words], cwd=place, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_it_is_the_wheels_and_apps_is_no_name_of_ours(python, place):
    program = (
        "import importlib.util, rnnsuite\n"
        "print(rnnsuite.__file__)\n"
        "spec = importlib.util.find_spec('apps')\n"
        "print(spec and spec.origin)\n"
    )
    command = [python, "-c", program]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=True)
    file, apps = done.stdout.splitlines()
    assert str(python.parent.parent) in file
    assert apps == "None"


def test_applications_and_configurations_come_along(python, place):
    assert set(json.loads(rnnsuite(python, place, "apps", "--json"))) >= {
        "captioning",
        "sentiment",
        "speech_commands",
        "translation",
    }
    keys = rnnsuite(python, place, "config", "speech_commands")
    assert "model.units" in keys


def test_trains_on_the_sample_from_any_folder(python, place):
    sets = [word for each in SMALL for word in ("--set", each)]
    words = ("train", "sentiment", "-c", "tiny", "--run", "run", *sets)
    rnnsuite(python, place, *words)
    # The report is scored with the model's answers, and its page comes with the wheel.
    assert (place / "run" / "metrics.json").is_file()
    assert (place / "run" / "report.html").is_file()


def test_mistakes_are_told_before_tensorflow_is_imported(python, place):
    program = (
        "import sys\n"
        "from rnnsuite.cli.main import main\n"
        "try:\n"
        "    main(['train', 'sentiment', '--set', 'model.unitz=3'])\n"
        "except SystemExit as end:\n"
        "    print(end.code, 'tensorflow' in sys.modules)\n"
    )
    done = subprocess.run([python, "-c", program], cwd=place, capture_output=True, text=True)
    assert done.stdout == "2 False\n"
    assert "Did you mean model.units?" in done.stderr
