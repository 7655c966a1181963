"""What many tests need: every application trained and exported once, with its tiny settings."""

import dataclasses
import functools
import gc
import os
import pathlib
import shutil
from collections.abc import Sequence

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Models of some epochs learn nothing and need no compiled loops; tests of layers and of what is
# learned have them (`compiled`).
os.environ.setdefault("RNNSUITE_SCAN", "stock")


from rnnsuite.core.cache import keep_compiled

# What XLA has compiled once need not be compiled again: by workers, by children, in later sessions.
keep_compiled(pathlib.Path.home() / ".cache" / "rnnsuite-tests")

import filelock
import pytest

from rnnsuite import catalog
from rnnsuite.app import App
from rnnsuite.core.files import read_json, write_json
from rnnsuite.data import sources
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.export import child, litertjs
from rnnsuite.pipeline.inference import bulk, live, models
from rnnsuite.pipeline.inference import evaluate as evaluating
from rnnsuite.pipeline.inference.models import find_model, open_model
from tests.processes import python_forked, run_alone
from tests.serving import Serving

# Graphs are many objects that live long. To look all of them over again and again takes a tenth of
# the time; the young ones, among which nearly all garbage is, are still collected.
gc.set_threshold(100_000, 50, 1_000)

ROOT = pathlib.Path(__file__).parent.parent
APPS = [name for name, place in catalog.places().items() if (place.configs / "tiny.yaml").is_file()]
RELEASED = sorted(path.name for path in (ROOT / "saved_models").glob("*") if path.is_dir())
"""Applications with a released model: what is said of models is said of these."""
NEWEST = {
    name: max(int(path.name) for path in (ROOT / "saved_models" / name).glob("[0-9]*"))
    for name in RELEASED
}
"""The version of each that is served where none is named."""
EACH_KIND = (
    "event_detection",
    "forecasting",
    "language_model",
    "sentiment",
    "speech_recognition",
    "translation",
)
"""On which `each_kind` tests run every time, on all others in `make check`: one of each kind."""
FIXTURES = ROOT / "tests" / "fixtures"
SERVED = (
    "attack/test_server.py",
    "server/test_client.py",
    "server/test_fuzz.py",
    "server/test_server.py",
    "apps/test_released.py",
)
"""Files whose tests ask all released models, which take long to load."""
SLOWEST = (
    "contract/test_apps.py",
    "layers/scan/test_scan.py",
    *SERVED,
    "faults/test_workers.py",
    "faults/test_search.py",
    "pipeline/train/test_train.py",
    "layers/test_lite.py",
    "apps/captioning/test_serve.py",
    "apps/translation/test_serve.py",
    "house/test_outside.py",
    "layers/test_recurrent.py",
    "decoding/test_decoding.py",
    "faults/test_serving.py",
)
"""Files that take longest, first, so that no worker is left with one of them at the end."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    def rank(item):
        path = item.path.relative_to(ROOT / "tests").as_posix()
        return SLOWEST.index(path) if path in SLOWEST else len(SLOWEST)

    items.sort(key=rank)
    for item in items:
        # Tests of one file share a worker; of those over all applications, those of one; and those
        # that ask one server.
        parameters = getattr(getattr(item, "callspec", None), "params", {})
        app = parameters.get("finished", "")
        path = item.path.relative_to(ROOT / "tests").as_posix()
        group = "served" if path in SERVED else f"{path} {app}".strip()
        item.add_marker(pytest.mark.xdist_group(group))
        if item.get_closest_marker("each_kind") and app not in ("", *EACH_KIND):
            item.add_marker(pytest.mark.thorough)
    if not config.getoption("-m"):
        slow = pytest.mark.skip(reason="slow: make check")
        for item in items:
            if {"learns", "thorough"} & set(item.keywords):
                item.add_marker(slow)


@pytest.fixture(scope="session", autouse=True)
def _cache(request, tmp_path_factory):
    """Samples of few records, made once for all workers, away from the user's own cache."""
    patch = pytest.MonkeyPatch()
    patch.setenv("RNNSUITE_CACHE", str(_shared(tmp_path_factory) / "cache"))
    if request.config.getoption("-m") != "learns":  # what has to be learned takes whole samples
        patch.setenv(sources.FIRST, "400")
    yield
    patch.undo()


@pytest.fixture(scope="module")
def compiled():
    """Recurrent loops are compiled, as they are for users without a native kernel."""
    patch = pytest.MonkeyPatch()
    patch.setenv("RNNSUITE_SCAN", "xla")
    yield
    patch.undo()


@pytest.fixture(scope="session", autouse=True)
def _children():
    """Processes that exports start are forked, as `tests.processes` says."""
    patch = pytest.MonkeyPatch()
    patch.setattr(child, "ended", python_forked)
    yield
    patch.undo()


@pytest.fixture(scope="session", autouse=True)
def _opened_once():
    """Commands and functions that are tested open the same model once."""
    patch = pytest.MonkeyPatch()
    for module in (bulk, evaluating, live, models):
        patch.setattr(module, "open_model", open_once)
    yield
    patch.undo()


def _shared(factory: pytest.TempPathFactory) -> pathlib.Path:
    """A folder of the session, the same in every worker."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="module")
def bag():
    """An application that is trained quickly, for tests that are not about models."""
    patch = pytest.MonkeyPatch()
    patch.setenv(catalog.FOLDERS, str(ROOT / "tests" / "quick"))
    catalog.places.cache_clear()
    yield catalog.find("bag")
    patch.undo()
    catalog.places.cache_clear()


@dataclasses.dataclass(frozen=True)
class Finished:
    """An application with a finished run and its export, neither of them where it was written."""

    app: App
    run: pathlib.Path
    metrics: dict
    saved_model: pathlib.Path
    lite: pathlib.Path
    report: dict

    def evaluated(self):
        """The run's evaluation on its validation records, done once."""
        if self.run not in _evaluated:
            _evaluated[self.run] = evaluating.evaluate(self.app, self.run, split="validation")
        return _evaluated[self.run]

    def open(self, form: str):
        """The model in one of its forms, opened once: run, saved_model, or a .tflite file."""
        path = self.lite / form if form.endswith(".tflite") else getattr(self, form)
        return open_once(self.app, path)


def open_once(app: App, path: str | pathlib.Path, overrides: Sequence[str] = ()):
    """`open_model`, once for each model as long as it stays among the last few."""
    path = find_model(app, pathlib.Path(path))
    files = sorted(path.rglob("*")) if path.is_dir() else [*path.parent.iterdir()]
    state = [(str(file), file.stat().st_mtime_ns) for file in files if file.is_file()]
    key = (app.name, path, tuple(overrides), tuple(state))
    _opened[key] = _opened.pop(key, None) or open_model(app, path, overrides)
    while len(_opened) > HELD:
        del _opened[next(iter(_opened))]
    return _opened[key]


@functools.cache
def open_released(name: str, form: str = "saved_model"):
    """The newest released model of an application in one of its forms, opened once."""
    version = str(NEWEST[name])
    folder = ROOT / "saved_models" / name
    path = folder / version if form == "saved_model" else folder / "lite" / version / form
    return open_model(catalog.find(name), path)


_opened: dict = {}
HELD = 12
"""Models that are kept open at most: a worker has them in its memory."""
_evaluated: dict = {}
_finished: dict[str, Finished] = {}


@pytest.fixture(scope="session", params=APPS)
def finished(request, tmp_path_factory, _cache) -> Finished:
    return train_and_export(request.param, tmp_path_factory)


@pytest.fixture(scope="session")
def sentiment(tmp_path_factory, _cache) -> Finished:
    return train_and_export("sentiment", tmp_path_factory)


@pytest.fixture(scope="session")
def language_model(tmp_path_factory, _cache) -> Finished:
    return train_and_export("language_model", tmp_path_factory)


@pytest.fixture(scope="session")
def forecasting(tmp_path_factory, _cache) -> Finished:
    return train_and_export("forecasting", tmp_path_factory)


@pytest.fixture(scope="session")
def released(tmp_path_factory):
    """All the released models, served; without the requests to warm them up, which take most of
    the start and are asked of the models of `finished`.
    """
    folder = tmp_path_factory.mktemp("serving")
    shutil.copytree(
        ROOT / "saved_models",
        folder / "models",
        ignore=shutil.ignore_patterns("lite", "tf_serving_warmup_requests"),
        copy_function=os.symlink,
    )
    serving = Serving(folder / "log", "--models", folder / "models")
    yield serving
    assert serving.stop() == 0


def train_and_export(name: str, factory: pytest.TempPathFactory) -> Finished:
    """Once for all workers, whichever asks first; each has a copy of its own to move and break."""
    if name not in _finished:
        shared = _shared(factory) / f"trained-{name}"
        with filelock.FileLock(f"{shared}.lock"):
            if not (shared / "report.json").is_file():
                shutil.rmtree(shared, ignore_errors=True)
                _train_and_export(name, shared)
        place = pathlib.Path(shutil.copytree(shared, factory.mktemp(name) / "copy"))
        _finished[name] = _read(name, place)
    return _finished[name]


def _train_and_export(name: str, place: pathlib.Path) -> None:
    from rnnsuite.pipeline.export.release import release
    from rnnsuite.pipeline.train.train import train

    app = catalog.find(name)
    begun = place / "begun"
    train(app, configuration.load(app, "tiny"), begun / "run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(child, "run_file", run_alone)
        patch.setattr(child, "run_beside", run_alone)
        # The released models are asked in LiteRT.js; here it would take seconds for each.
        patch.setattr(litertjs, "missing", lambda: "not in these tests")
        report = release(app, begun / "run", begun / "models")
    # Tests read the run and its export where they were not written.
    begun.rename(place / "moved")
    write_json(place / "report.json", report["parity"])


def _read(name: str, place: pathlib.Path) -> Finished:
    run = place / "moved" / "run"
    folder = place / "moved" / "models" / name
    report = read_json(place / "report.json")
    metrics = read_json(run / "metrics.json")
    return Finished(catalog.find(name), run, metrics, folder / "1", folder / "lite" / "1", report)
