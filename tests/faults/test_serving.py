"""Versions that come, go and are damaged while requests are answered, and a server that is told to
stop.
"""

import concurrent.futures
import shutil
import threading
import time

import httpx
import pytest

from tests.serving import Serving
from tests.thorough import thorough

BODY = {"instances": ["What a film."]}


@pytest.fixture
def models(tmp_path):
    shutil.copytree("saved_models/sentiment/1", tmp_path / "models" / "sentiment" / "1")
    return tmp_path / "models"


@pytest.fixture
def serving(models, tmp_path):
    found = Serving(tmp_path / "log", "--models", models, "--poll", "0.2")
    yield found
    if found.process.poll() is None:
        found.stop()


class Load:
    """Requests without a pause from a few threads; `codes` are the answers' status."""

    def __init__(self, url, threads=4):
        self.url, self.codes, self.done = (
            f"{url}/v1/models/sentiment:predict",
            [],
            threading.Event(),
        )
        self.pool = concurrent.futures.ThreadPoolExecutor(threads)
        self.asking = [self.pool.submit(self._ask) for _ in range(threads)]

    def _ask(self):
        with httpx.Client(timeout=30) as client:
            while not self.done.is_set():
                self.codes.append(client.post(self.url, json=BODY).status_code)

    def end(self):
        self.done.set()
        for each in self.asking:
            each.result()
        self.pool.shutdown()
        return set(self.codes)


def available(serving):
    states = httpx.get(f"{serving.url}/v1/models/sentiment").json()["model_version_status"]
    return {each["version"]: each["state"] for each in states}


def until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_new_version_takes_over_and_the_old_one_goes_without_an_error(serving, models):
    load = Load(serving.url)
    # Slowly, as over a network: what is not whole yet must not be taken for a version.
    new = models / "sentiment" / "2"
    new.mkdir()
    for part in ("saved_model.pb", "variables", "assets.extra"):
        source = models / "sentiment" / "1" / part
        (shutil.copytree if source.is_dir() else shutil.copy)(source, new / part)
        time.sleep(0.1)
    until(lambda: available(serving) == {"2": "AVAILABLE"})
    assert load.end() == {200}
    assert (
        httpx.post(f"{serving.url}/v1/models/sentiment/versions/1:predict", json=BODY).status_code
        == 404
    )
    assert "sentiment, version 1: unloaded" in serving.log.read_text()


@pytest.mark.parametrize(
    "damage", ["variables/variables.data-00000-of-00001", *thorough("saved_model.pb")]
)
def test_a_damaged_version_takes_nothing_away_and_is_loaded_when_it_is_mended(
    serving, models, damage
):
    load, folder = Load(serving.url), models / "sentiment"
    shutil.copytree(folder / "1", folder / ".3")
    whole = (folder / ".3" / damage).read_bytes()
    (folder / ".3" / damage).write_bytes(whole[:1000])
    (folder / ".3").rename(folder / "3")
    until(lambda: available(serving).get("3") == "END")
    assert available(serving)["1"] == "AVAILABLE"
    assert (
        httpx.post(f"{serving.url}/v1/models/sentiment/versions/3:predict", json=BODY).status_code
        == 404
    )
    (folder / "3" / damage).write_bytes(whole)
    until(lambda: available(serving) == {"3": "AVAILABLE"})
    assert load.end() == {200}
    assert serving.log.read_text().count("cannot be loaded") == 1


def test_versions_that_vanish_are_served_on(serving, models):
    """An empty disk is a fault, not an order to stop."""
    (models / "sentiment").rename(models.parent / "away")
    time.sleep(1)
    assert httpx.post(f"{serving.url}/v1/models/sentiment:predict", json=BODY).status_code == 200


def test_told_to_stop_it_answers_what_it_has_begun(serving):
    many = {"instances": ["What a film. " * 200] * 80}
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        asked = [
            pool.submit(
                httpx.post, f"{serving.url}/v1/models/sentiment:predict", json=many, timeout=60
            )
            for _ in range(4)
        ]
        until(
            lambda: (
                "under_way 0.0"
                not in httpx.get(f"{serving.url}/monitoring/prometheus/metrics").text
            )
        )
        time.sleep(0.3)
        assert serving.stop() == 0
        assert {each.result().status_code for each in asked} == {200}
    with pytest.raises(httpx.ConnectError):
        httpx.get(serving.url)


def test_labels_and_policies_of_tf_servings_own_config(models, tmp_path):
    shutil.copytree(models / "sentiment" / "1", models / "sentiment" / "2")
    shutil.copytree(models / "sentiment" / "1", models / "sentiment" / "3")
    (tmp_path / "models.config").write_text(
        'model_config_list { config { name: "sentiment" base_path: "/models/sentiment" '
        'model_platform: "tensorflow"\n'
        "model_version_policy { specific { versions: 1 versions: 2 } }\n"
        'version_labels { key: "stable" value: 1 } version_labels { key: "canary" value: 2 } } }'
    )
    serving = Serving(tmp_path / "log", "--models", models, "--config", tmp_path / "models.config")
    try:
        assert available(serving) == {"1": "AVAILABLE", "2": "AVAILABLE"}
        for label, version in {"stable": 1, "canary": 2}.items():
            found = httpx.get(f"{serving.url}/v1/models/sentiment/labels/{label}/metadata").json()
            assert found["model_spec"]["version"] == str(version)
    finally:
        assert serving.stop() == 0
