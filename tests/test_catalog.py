"""Applications are found in the tree, in folders, and by entry points."""

import importlib.metadata
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from rnnsuite import catalog
from rnnsuite.app import App
from rnnsuite.core.errors import UserError
from tests.conftest import ROOT

DRIFT = ROOT / "tests" / "house" / "drift"


@pytest.fixture
def fresh(monkeypatch):
    """No folders of applications before, and none left behind."""
    monkeypatch.delenv(catalog.FOLDERS, raising=False)
    catalog.places.cache_clear()
    yield monkeypatch
    catalog.places.cache_clear()


@pytest.fixture
def mine(tmp_path):
    shutil.copytree(DRIFT, tmp_path / "drift")
    return tmp_path


def test_those_of_the_tree(fresh):
    found = catalog.places()
    assert set(found) >= {"captioning", "sentiment", "speech_commands", "translation"}
    for name, place in found.items():
        assert place.folder == ROOT / "apps" / name
        assert (place.configs / "tiny.yaml").is_file()


def test_every_one_has_a_summary(fresh):
    summaries = catalog.summaries()
    assert summaries.keys() == catalog.places().keys()
    assert all(len(summary.split()) > 2 for summary in summaries.values())


def test_a_folder_of_applications(fresh, mine):
    fresh.setenv(catalog.FOLDERS, "")
    catalog.add_folders([mine])
    assert catalog.places()["drift"].folder == mine / "drift"
    assert isinstance(catalog.find("drift"), App)
    assert set(catalog.sections("drift")) == set(catalog.find("drift").sections)
    catalog.add_folders([mine])
    assert os.environ[catalog.FOLDERS] == str(mine)


def test_a_folder_that_is_not_there(fresh, tmp_path):
    with pytest.raises(UserError, match=r"--apps .*: there is no such folder"):
        catalog.add_folders([tmp_path / "absent"])


def test_one_s_own_takes_the_place_of_ours(fresh, tmp_path):
    shutil.copytree(DRIFT, tmp_path / "sentiment")
    fresh.setenv(catalog.FOLDERS, str(tmp_path))
    catalog.places.cache_clear()
    assert catalog.places()["sentiment"].folder == tmp_path / "sentiment"


def test_an_entry_point(fresh, mine):
    package = mine / "somebodys"
    package.mkdir()
    (package / "__init__.py").touch()
    shutil.move(mine / "drift", package / "drift")
    fresh.syspath_prepend(str(mine))
    point = importlib.metadata.EntryPoint("drifting", "somebodys.drift", catalog.GROUP)
    fresh.setattr(importlib.metadata, "entry_points", lambda group: [point])
    place = catalog.places()["drifting"]
    assert place.package == "somebodys.drift"
    assert place.folder == package / "drift"
    assert place.configs == package / "drift" / "configs"
    assert catalog.find("drifting").name == "drift"


def test_an_entry_point_that_is_no_package(fresh):
    point = importlib.metadata.EntryPoint("odd", "json.decoder", catalog.GROUP)
    fresh.setattr(importlib.metadata, "entry_points", lambda group: [point])
    with pytest.raises(UserError, match=r"'odd' names json\.decoder, which is no package"):
        catalog.places()


def test_a_package_without_an_application(fresh, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "__init__.py").write_text('"""Nothing."""\n')
    fresh.setenv(catalog.FOLDERS, str(tmp_path))
    catalog.places.cache_clear()
    with pytest.raises(UserError, match="does not define APP"):
        catalog.find("empty")


def test_a_mistake_in_a_name_suggests_the_nearest(fresh):
    with pytest.raises(UserError, match=r"no application 'sentimant'.*sentiment"):
        catalog.place("sentimant")


def test_an_application_that_fails_to_import_is_not_half_there(fresh, tmp_path):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "__init__.py").write_text("import nowhere_at_all\n")
    fresh.setenv(catalog.FOLDERS, str(tmp_path))
    catalog.places.cache_clear()
    before = set(sys.modules)
    for _ in range(2):
        with pytest.raises(ModuleNotFoundError, match="nowhere_at_all"):
            catalog.find("bad")
    assert not [name for name in set(sys.modules) - before if name.endswith(".bad")]


def test_keys_are_known_without_tensorflow():
    program = (
        "import sys\n"
        "from rnnsuite import catalog\n"
        "for name in catalog.places():\n"
        "    assert catalog.sections(name)\n"
        "print(sorted({'tensorflow', 'keras'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "[]\n", done.stderr


def test_another_project_s_apps_is_not_taken_for_ours(tmp_path):
    """Where a package called apps stands in the way, ours are imported by another name."""
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps" / "__init__.py").write_text("theirs = True\n")
    program = "import apps, rnnsuite.catalog as c; print(c.find('sentiment').name, apps.theirs)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert done.stdout == "sentiment True\n", done.stderr[-2000:]


def test_places_are_paths():
    assert all(isinstance(place.folder, pathlib.Path) for place in catalog.places().values())
