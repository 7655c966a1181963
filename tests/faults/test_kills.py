"""Commands that are killed at random moments, again and again: the result is an undisturbed one's.

RNNSUITE_KILLS sets how many kills there are of all commands together.
"""

import json
import os
import random
import shutil
import time

import pytest

from rnnsuite.core.files import PART, read_json
from rnnsuite.pipeline.run import TIMING_COLUMNS
from tests.processes import film_reviews, overrides, start

pytestmark = pytest.mark.thorough
KILLS = int(os.environ.get("RNNSUITE_KILLS", "200"))
SHARES = {"train": 0.35, "tune": 0.15, "predict": 0.25, "export": 0.1, "deploy": 0.15}
SMALL = overrides(
    "train.epochs=3",
    "train.batch_size=16",
    "train.boundaries=[64]",
    "train.monitor=val_loss",
    "train.checkpoint_minutes=0.0001",
    "data.validation=0.3",
    "data.vocabulary_size=100",
)


def of(source):
    return overrides(f"data.source={source}")


class Killed:
    """Runs a command undisturbed in one folder, and in another one with kills."""

    def __init__(self, folder, verb):
        self.folder = folder
        self.random = random.Random(verb)
        self.kills = max(int(KILLS * SHARES[verb]), 1)
        self.landed = 0

    def compare(self, words, result, while_killed=lambda place: None):
        """`words(place)` is the command, `result(place)` what must be equal."""
        whole, broken = self.folder / "whole", self.folder / "broken"
        for place in (whole, broken):
            place.mkdir()
        self._end(words(broken))  # the first is slower than those behind it
        begun = time.monotonic()
        self._end(words(whole))
        seconds = time.monotonic() - begun
        process = None
        for number in range(self.kills):
            if process is None or process.poll() == 0:  # it had ended, and begins anew
                shutil.rmtree(broken)
                broken.mkdir()
            process = start(words(broken), self.folder / f"{number}.log")
            until = time.monotonic() + self.random.uniform(0, seconds)
            while time.monotonic() < until and process.poll() is None:
                time.sleep(0.005)
            if process.poll() is None:
                self.landed += 1
                process.kill()
            process.wait()
            while_killed(broken)
        if process.poll() == 0:
            shutil.rmtree(broken)
            broken.mkdir()
        self._end(words(broken))
        print(f"{self.landed} of {self.kills} kills landed, in {seconds:.1f} s each")
        assert self.landed
        assert result(broken) == result(whole)
        assert not [path for path in broken.rglob(f"{PART}*") if path.is_file()]

    def _end(self, words):
        log = self.folder / "end.log"
        assert start(words, log).wait(300) == 0, log.read_text()[-3000:]


@pytest.fixture
def source(tmp_path):
    return film_reviews(tmp_path / "reviews.csv", 40)


def test_train(bag, source, tmp_path):
    def words(place):
        return ["train", "bag", "--run", place / "run", *of(source), *SMALL]

    def result(place):
        lines = (place / "run" / "history.csv").read_text().splitlines()
        names = lines[0].split(",")
        kept = [names.index(name) for name in names if name not in TIMING_COLUMNS]
        history = [[line.split(",")[column] for column in kept] for line in lines]
        return read_json(place / "run" / "metrics.json"), history

    Killed(tmp_path, "train").compare(words, result)


def test_tune(bag, source, tmp_path):
    space = "tune.space={train.learning_rate: {range: [0.001, 0.1], log: true}}"
    searched = overrides(space, "tune.objective=val_loss", "tune.stopping=halving")

    def words(place):
        where = ["--run", place / "search", "--trials", "6"]
        return ["tune", "bag", *where, *of(source), *SMALL, *searched]

    def result(place):
        rows = read_json(place / "search" / "record.json")["trials"]
        return [{**row, "minutes": 0} for row in rows]

    Killed(tmp_path, "tune").compare(words, result)


def test_predict(sentiment, tmp_path):
    requests = tmp_path / "requests.csv"
    texts = "".join(f"film number {n} was {'good' * (n % 7)}\n" for n in range(3000))
    requests.write_text("text\n" + texts)

    def words(place):
        asked = ["--input", requests, "--output", place / "answers.csv"]
        return ["predict", "sentiment", "--model", sentiment.saved_model, *asked]

    def result(place):
        return (place / "answers.csv").read_bytes()

    Killed(tmp_path, "predict").compare(words, result)


def test_export(sentiment, tmp_path):
    """Nothing is published unless it is whole; what there is already is left alone."""

    def words(place):
        target = ["--to", place / "models", "--version", version(place), "--lite", "dynamic"]
        return ["export", "sentiment", "--run", sentiment.run, *target]

    def version(place):
        """The next one, or the last once it is there."""
        models = place / "models" / "sentiment"
        return str(len([*models.glob("[0-9]*")]) + 1)

    def whole(place):
        for card in (place / "models" / "sentiment").glob("[0-9]*"):
            assert (card / "saved_model.pb").is_file()
            assert json.loads((card / "assets.extra" / "model_card.json").read_text())

    def result(place):
        newest = sorted((place / "models" / "sentiment").glob("[0-9]*"))[-1]
        files = [path for path in newest.rglob("*") if path.is_file()]
        return sorted(path.relative_to(newest).as_posix() for path in files)

    Killed(tmp_path, "export").compare(words, result, whole)


def test_deploy(sentiment, tmp_path):
    models = sentiment.saved_model.parent.parent

    def words(place):
        return ["deploy", "--models", models, "--to", place / "deploy"]

    def result(place):
        folder = place / "deploy"
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return {path.relative_to(folder): path.read_text() for path in files}

    Killed(tmp_path, "deploy").compare(words, result)


def test_two_at_once(bag, source, tmp_path):
    """The second is told that the first is at work, and changes nothing."""
    words = ["train", "bag", "--run", tmp_path / "run", *of(source), *SMALL]
    first = start([*words, *overrides("train.epochs=30")], tmp_path / "first")
    deadline = time.monotonic() + 60
    while not list((tmp_path / "run").glob("checkpoints/*.npz")) and time.monotonic() < deadline:
        time.sleep(0.01)
    second = start([*words, *overrides("train.epochs=30")], tmp_path / "second")
    assert second.wait(60) == 2
    assert "Another process is training" in (tmp_path / "second").read_text()
    assert first.wait(120) == 0


def test_nothing_is_left_in_temporary_folders(sentiment, tmp_path):
    """By an export that ends well."""
    place, log = tmp_path / "temporary", tmp_path / "log"
    place.mkdir()
    words = ["export", "sentiment", "--run", sentiment.run, "--to", tmp_path / "m"]
    process = start([*words, "--lite", "none"], log, TMPDIR=str(place))
    assert process.wait(120) == 0, log.read_text()[-2000:]
    assert [path for path in place.rglob("*") if path.is_file()] == []
    assert (tmp_path / "m" / "sentiment" / "1").is_dir()
