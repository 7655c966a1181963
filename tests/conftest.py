"""What many tests need: every application trained and exported once, small and fast."""

import dataclasses
import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pytest

from rnnsuite import app as applications
from rnnsuite import config as configuration

APPS = sorted(applications.summaries())
# Few epochs, but as many as an application's own tests need a model that knows something.
EPOCHS = {"speech_commands": 10}


def quick(name: str) -> tuple[str, ...]:
    return (f"train.epochs={EPOCHS.get(name, 2)}", "export.parity_records=20")


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
    return train_and_export(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="session")
def sentiment(tmp_path_factory, _cache, request) -> Trained:
    return train_and_export("sentiment", tmp_path_factory.mktemp("sentiment"))


def _train_and_export(name: str, place: pathlib.Path) -> Trained:
    from rnnsuite.export.release import release
    from rnnsuite.train import train

    app = applications.find(name)
    run = place / "run"
    metrics = train(app, configuration.load(app, "sample", quick(name)), run)
    report = release(app, run, place / "first")
    (place / "first").rename(place / "moved")
    folder = place / "moved" / name
    return Trained(app, run, metrics, folder / "1", folder / "lite" / "1", report["parity"])


_done: dict[str, Trained] = {}


def train_and_export(name: str, place: pathlib.Path) -> Trained:
    """Once a session for each application, whichever fixture asks first."""
    if name not in _done:
        _done[name] = _train_and_export(name, place)
    return _done[name]
