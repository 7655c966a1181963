"""A long time of mixed load: every model, malformed requests among them, and versions that change.

    python benchmarks/soak.py [--minutes 60] [--clients 4] [--swap 60]

Starts `rnnsuite serve` on a copy of saved_models/ in a process of its own. Clients ask models drawn
by chance for what they are warmed up with; one in twenty requests is malformed and must be refused.
Every so many seconds a model gets a new version, or loses its newest one. Prints requests, errors
and the server's memory over time; ends with 1 where a request failed, or where memory in the last
minutes is over 5 % more than behind the first ones. Medians of some minutes are compared: for
seconds at a time two versions of a large model are there.
"""

import argparse
import collections
import pathlib
import random
import shutil
import signal
import statistics
import sys
import tempfile
import threading
import time

import httpx
from beside import usual
from serving import ROOT, start

from rnnsuite.client import Client, ClientError

SETTLED = 5
"""Minutes after which memory must stay as it is."""
SPAN = 4
"""Minutes of which a median is taken."""
GROWTH = 0.05
MALFORMED = (b"{", b'{"instances": [7]}', b'{"inputs": {"x": []}}', b"[" * 1000)


class Load:
    """Clients that ask until they are told to stop."""

    def __init__(self, url: str, requests: dict):
        self.url = url
        self.requests = requests
        self.over = threading.Event()
        self.counts: collections.Counter = collections.Counter()
        self.errors: list[str] = []

    def ask(self, seed: int) -> None:
        chooser = random.Random(seed)
        names = sorted(self.requests)
        with Client(self.url, timeout=60) as client, httpx.Client(timeout=60) as raw:
            while not self.over.is_set():
                name = chooser.choice(names)
                if chooser.random() < 0.05:
                    place = f"{self.url}/v1/models/{name}:predict"
                    status = raw.post(place, content=chooser.choice(MALFORMED)).status_code
                    self.counts["refused"] += 1
                    if status != 400:
                        self.errors.append(f"{name}: {status} for a malformed request")
                    continue
                try:
                    client.predict(name, self.requests[name])
                    self.counts["answered"] += 1
                except ClientError as error:
                    self.errors.append(f"{name}: {error}")


def swap(models: pathlib.Path, name: str) -> None:
    """A new version beside the newest, or the newest of two away."""
    versions = sorted((models / name).glob("[0-9]*"), key=lambda path: int(path.name))
    if len(versions) > 1:
        shutil.rmtree(versions[-1])
        return
    part = models / name / ".part"
    shutil.copytree(versions[0], part)
    part.rename(models / name / str(int(versions[0].name) + 1))


def memory(process) -> tuple[int, int]:
    """Resident memory of a process (KiB), as Linux tells it, and how much of it no file backs."""
    lines = pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines()
    sizes = {line.split(":")[0]: line.split() for line in lines}
    return int(sizes["VmRSS"][1]), int(sizes["RssAnon"][1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--swap", type=float, default=60, help="seconds between versions")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        models = pathlib.Path(folder) / "models"
        shutil.copytree(ROOT / "saved_models", models, ignore=shutil.ignore_patterns("lite"))
        for path in models.iterdir():  # one version each, so that a second one can come and go
            for old in sorted(path.glob("[0-9]*"), key=lambda path: int(path.name))[:-1]:
                shutil.rmtree(old)
        requests = {path.name: usual(path) for path in models.iterdir()}
        process, port = start(models, 64)
        load = Load(f"http://127.0.0.1:{port}", requests)
        clients = [threading.Thread(target=load.ask, args=(n,)) for n in range(options.clients)]
        for client in clients:
            client.start()
        held = watched(process, load, models, options)
        load.over.set()
        for client in clients:
            client.join()
        process.send_signal(signal.SIGTERM)
        print(f"server ended with {process.wait(120)}")
    print(f"{load.counts['answered']} answered, {load.counts['refused']} refused as they must be")
    print(f"{len(load.errors)} errors", *load.errors[:10], sep="\n  ")
    begin = min(SETTLED, options.minutes / 2)
    growths = []
    for number, kind in enumerate(("memory", "of it, what no file backs")):
        sizes = [(at, each[number]) for at, each in held]
        first = statistics.median(size for at, size in sizes if begin <= at <= begin + SPAN)
        last = statistics.median(size for at, size in sizes if at >= options.minutes - SPAN)
        growths.append(last / first - 1)
        print(f"{kind}: {first / 1024:.0f} MiB, then {last / 1024:.0f}: {100 * growths[-1]:+.1f} %")
    sys.exit(bool(load.errors) or growths[0] > GROWTH)


def watched(process, load: Load, models: pathlib.Path, options) -> list[tuple[float, tuple]]:
    """Swaps versions and notes the memory every half minute. Returns (minutes, `memory`)."""
    begun = last = time.monotonic()
    names = sorted(load.requests)
    held = []
    number = 0
    while (now := time.monotonic()) < begun + 60 * options.minutes:
        if now - last > options.swap:
            swap(models, names[number // 2 % len(names)])
            number += 1
            last = now
        if not held or now - begun > 60 * held[-1][0] + 30:
            held.append(((now - begun) / 60, memory(process)))
            total = sum(load.counts.values())
            resident, anonymous = (size / 1024 for size in held[-1][1])
            print(
                f"{held[-1][0]:5.1f} min {resident:8.0f} MiB, {anonymous:.0f} without files, "
                f"{total} requests",
                flush=True,
            )
        time.sleep(0.2)
    held.append((options.minutes, memory(process)))
    return held


if __name__ == "__main__":
    main()
