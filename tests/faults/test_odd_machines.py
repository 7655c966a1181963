"""What machines do that nobody expects: few file descriptors, clocks that jump, signals twice,
strangers at a port.
"""

import contextlib
import json
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time

import httpx
import pytest

from rnnsuite.pipeline.run import Run
from rnnsuite.pipeline.train import checkpoint
from tests.conftest import ROOT
from tests.processes import ended, film_reviews, overrides, ports, start, wait

FEW = 64
"""File descriptors: what some containers and old shells give."""
SMALL = overrides(
    "train.epochs=40",
    "train.batch_size=16",
    "train.boundaries=[64]",
    "train.monitor=val_loss",
    "train.checkpoint_minutes=0.0001",
    "data.validation=0.3",
    "data.vocabulary_size=100",
)


def test_no_duration_is_measured_by_a_clock_that_can_jump():
    """`time.time` jumps with the machine's clock; only what is old by the day may ask for it."""
    places = {
        path.relative_to(ROOT).as_posix()
        for folder in ("rnnsuite", "apps")
        for path in (ROOT / folder).rglob("*.py")
        if "time.time()" in path.read_text(encoding="utf-8")
    }
    assert places == {"rnnsuite/core/cache.py"}


@pytest.mark.thorough
def test_interrupted_again_and_again_it_loses_nothing(bag, tmp_path):
    """An impatient person presses Ctrl-C until the prompt is back."""
    source = film_reviews(tmp_path / "reviews.csv", 240)
    sets = [*overrides(f"data.source={source}"), *SMALL]

    def training(name):
        words = ["train", "bag", "--json", "--run", tmp_path / name, *sets]
        return start(words, tmp_path / f"{name}.log")

    expected = ended(training("whole"), tmp_path / "whole.log")
    for _ in range(3):
        process = training("broken")
        wait(lambda: checkpoint.load(tmp_path / "broken" / "checkpoints"), tmp_path / "broken.log")
        time.sleep(0.3)
        while process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGINT)
            time.sleep(0.01)
        said = (tmp_path / "broken.log").read_text()
        assert process.poll() in (130, 0), said[-3000:]
        assert "Traceback" not in said
    again = ended(training("broken"), tmp_path / "broken.log")
    assert again["val_loss"] == expected["val_loss"]
    assert Run(bag, tmp_path / "broken").metrics()["epochs"] == 40


def limited(words, count=FEW):
    """`rnnsuite WORDS` with few file descriptors."""

    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))

    command = [sys.executable, "-m", "rnnsuite", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, preexec_fn=few)


@pytest.mark.thorough
@pytest.mark.parametrize("count", [FEW, 24])
def test_few_file_descriptors(sentiment, tmp_path, count):
    """It works, or it is one line."""
    source = film_reviews(tmp_path / "reviews.csv", 30)
    sets = overrides(f"data.source={source}", "train.epochs=1", "data.validation=0.3")
    rows = tmp_path / "rows.txt"
    rows.write_text("good\nbad\n")
    answers = ["--output", tmp_path / "answers.jsonl"]
    commands = [
        ["train", "sentiment", "-c", "tiny", "--run", tmp_path / "run", *sets],
        ["predict", "sentiment", "--model", sentiment.saved_model, "--input", rows, *answers],
        ["export", "sentiment", "--run", sentiment.run, "--to", tmp_path / "models"],
    ]
    for words in commands:
        done = limited(words, count)
        assert "Traceback" not in done.stderr, done.stderr[-3000:]
        assert done.returncode == 0 or (count < FEW and done.returncode == 2), done.stderr[-3000:]


@pytest.mark.thorough
def test_more_connections_than_descriptors(tmp_path):
    """The server answers those that it can take, and all of them when they are fewer again."""
    words = ["serve", "sentiment", "--models", "saved_models", "--port", "0"]
    log = tmp_path / "log"
    with open(log, "w") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "rnnsuite", *words],
            stdout=stream,
            stderr=stream,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (2 * FEW, 2 * FEW)),
        )
    url = wait(lambda: re.search(r"Serving on (http://\S+)", log.read_text()), log)[1]
    host, port = url.removeprefix("http://").split(":")
    many = [socket.create_connection((host, int(port)), timeout=5) for _ in range(3 * FEW)]
    time.sleep(1)
    for connection in many:
        connection.close()
    body = {"instances": ["What a film."]}
    path = f"{url}/v1/models/sentiment:predict"
    response = wait(lambda: httpx.post(path, json=body, timeout=30), log)
    assert response.status_code == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0, log.read_text()[-3000:]
    assert len(log.read_text().splitlines()) < 100


@pytest.mark.thorough
def test_strangers_at_the_chief_s_port(bag, tmp_path):
    """A scanner speaks HTTP and nonsense to a search's chief all the time."""
    source = film_reviews(tmp_path / "reviews.csv", 30)
    where = f"127.0.0.1:{ports(1)[0]}"
    space = "tune.space={train.learning_rate: {range: [0.001, 0.1], log: true}}"
    sets = overrides(f"data.source={source}", space, "tune.objective=val_loss", "train.epochs=2")
    sets += overrides("train.monitor=val_loss", "data.validation=0.3", "data.vocabulary_size=100")
    words = ["tune", "bag", "--json", "--run", tmp_path / "search", "--trials", 3, *sets]
    leading = start([*words, "--chief", where], tmp_path / "chief")
    over = threading.Event()

    def disturb():
        host, port = where.split(":")
        while not over.is_set():
            for content in (b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)) * 64, b""):
                try:
                    with socket.create_connection((host, int(port)), timeout=1) as raw:
                        raw.sendall(content)
                        raw.settimeout(0.2)
                        raw.recv(100)
                except OSError:
                    time.sleep(0.05)

    stranger = threading.Thread(target=disturb)
    stranger.start()
    try:
        worker = start([*words, "--worker", where, "--name", "one"], tmp_path / "worker")
        result = ended(leading, tmp_path / "chief")
        ended(worker, tmp_path / "worker")
    finally:
        over.set()
        stranger.join()
    assert result["trials"] == 3
    assert "Traceback" not in (tmp_path / "chief").read_text()


@pytest.mark.thorough
def test_a_worker_is_lost_in_validation(bag, tmp_path):
    """Both begin validation together; the one that is left ends with a line, and goes on later."""
    source = film_reviews(tmp_path / "reviews.csv", 240)
    run = tmp_path / "run"
    hosts = [f"127.0.0.1:{port}" for port in ports(2)]
    sets = [*overrides(f"data.source={source}", "train.strategy=multi_worker"), *SMALL]

    def worker(number):
        place = {"cluster": {"worker": hosts}, "task": {"type": "worker", "index": number}}
        folder = run if number == 0 else tmp_path / "none"
        words = ["train", "bag", "--json", "--run", folder, *sets]
        return start(words, tmp_path / f"worker{number}", TF_CONFIG=json.dumps(place))

    both = [worker(number) for number in range(2)]

    def validates():
        stored = checkpoint.load(run / "checkpoints")
        return stored and stored[1]["epoch"] >= 2 and stored[1]["step"] == 0

    wait(validates, tmp_path / "worker0")
    both[1].kill()
    both[1].wait()
    both[1] = worker(1)
    metrics = [ended(each, tmp_path / f"worker{number}") for number, each in enumerate(both)]
    assert metrics[0]["val_loss"] == metrics[1]["val_loss"]
    assert metrics[0]["epochs"] == 40
