"""What many tests need: every application trained and exported once, small and fast."""

import atexit
import dataclasses
import os
import pathlib
import shutil
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if "TF_XLA_FLAGS" not in os.environ:
    # What one process has compiled the others need not: a folder for this session, which workers and children inherit.
    _compiled = tempfile.mkdtemp(prefix="rnnsuite-compiled-")
    os.environ["TF_XLA_FLAGS"] = f"--tf_xla_persistent_cache_directory={_compiled}"
    atexit.register(shutil.rmtree, _compiled, ignore_errors=True)

import filelock
import pytest

from rnnsuite import app as applications
from rnnsuite import config as configuration
from rnnsuite.files import read_json, write_json

APPS = sorted(applications.summaries())
# Few epochs, but as many as an application's own tests need a model that knows something.
EPOCHS = {"speech_commands": 10, "captioning": 5}


# Few widths of batches, so that few shapes are compiled; fewer records to decode after every epoch; and fewer pictures,
# of which so little is learned that a few words more or less are much.
OTHERS = {
    "sentiment": ("train.boundaries=[128]",),
    "translation": ("train.boundaries=[20, 40, 80]", "data.splits={validation: 'validation[:150]'}"),
    "captioning": (
        "data.splits={train: 'train[:1500]', validation: 'validation[:100]'}", "export.dynamic_drop=0.1",
    ),
}  # fmt: skip


# Files that take minutes: begun first, so that no worker is left with one of them when the other has nothing to do.
LONG = (
    "test_apps.py", "test_train.py", "test_serve.py", "test_workers.py", "test_search.py", "test_scan.py",
    "test_tune.py", "test_serving.py", "test_client.py",
)  # fmt: skip


def pytest_collection_modifyitems(items):
    # test_apps.py trains the applications in one order, these in the other, so that nobody waits for the same one.
    items.sort(key=lambda item: str(item.path) if item.path.name == "test_serve.py" else "", reverse=True)
    items.sort(key=lambda item: LONG.index(item.path.name) if item.path.name in LONG else len(LONG))


def quick(name: str) -> tuple[str, ...]:
    return (f"train.epochs={EPOCHS.get(name, 2)}", "export.parity_records=20", *OTHERS.get(name, ()))


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory):
    """Samples are generated anew, away from the user's own cache."""
    place = tmp_path_factory.mktemp("cache")
    patch = pytest.MonkeyPatch()
    patch.setenv("RNNSUITE_CACHE", str(place))
    yield place
    patch.undo()


@dataclasses.dataclass(frozen=True)
class Trained:
    """An application with a finished run and its export, which lies where it was moved to."""

    app: applications.App
    run: pathlib.Path
    metrics: dict
    saved_model: pathlib.Path
    lite: pathlib.Path
    report: dict


@pytest.fixture(scope="session", params=APPS)
def trained(request, tmp_path_factory, _cache) -> Trained:
    return train_and_export(request.param, tmp_path_factory)


@pytest.fixture(scope="session")
def sentiment(tmp_path_factory, _cache) -> Trained:
    return train_and_export("sentiment", tmp_path_factory)


_done: dict[str, Trained] = {}


def train_and_export(name: str, factory: pytest.TempPathFactory) -> Trained:
    """Once for all workers, whichever asks first; each has a copy of its own, to move and to break."""
    if name not in _done:
        base = factory.getbasetemp()
        shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"trained-{name}"
        with filelock.FileLock(f"{shared}.lock"):
            if not (shared / "report.json").is_file():
                shutil.rmtree(shared, ignore_errors=True)
                _train_and_export(name, shared)
        place = pathlib.Path(shutil.copytree(shared, factory.mktemp(name) / "copy"))
        _done[name] = _read(name, place)
    return _done[name]


def _train_and_export(name: str, place: pathlib.Path) -> None:
    from rnnsuite.export.release import release
    from rnnsuite.train import train

    app = applications.find(name)
    train(app, configuration.load(app, "sample", quick(name)), place / "run")
    report = release(app, place / "run", place / "first")
    (place / "first").rename(place / "moved")
    write_json(place / "report.json", report["parity"])


def _read(name: str, place: pathlib.Path) -> Trained:
    folder, metrics = place / "moved" / name, read_json(place / "run" / "metrics.json")
    report = read_json(place / "report.json")
    return Trained(applications.find(name), place / "run", metrics, folder / "1", folder / "lite" / "1", report)
