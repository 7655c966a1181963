"""How long a well-behaved client waits beside each kind of hostile request of tests/attack.

    PYTHONPATH=. python benchmarks/attacked.py [--seconds 2] [--only million]

Serves all models of saved_models/ in a process of its own. A client asks sentiment for one short
review after the other: first alone, then beside one attacker who repeats one request without a
pause. The unit is the quiet 99th percentile.
"""

import argparse
import contextlib
import signal
import socket
import threading
import time

import httpx
import numpy as np
from serving import ROOT, start

from tests.attack.test_server import BESIDE, BODIES, ODD, RAW, SENTIMENT


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--only", default="", help="kinds with this in their names")
    options = parser.parse_args()
    process, port = start(ROOT / "saved_models", 64)
    url = f"http://127.0.0.1:{port}"
    attacks = {
        **{kind: lambda posted=posted: post(url, *posted) for kind, posted in BODIES.items()},
        **{kind: lambda posted=posted: post(url, *posted) for kind, posted in ODD.items()},
        **{kind: lambda raw=raw: send(port, raw) for kind, (raw, _) in RAW.items()},
    }
    attacks = {kind: attack for kind, attack in attacks.items() if options.only in kind}
    try:
        waits(url, 3)
        quiet = np.quantile(waits(url, 5 * options.seconds), [0.5, 0.99])
        rows = []
        for kind, attack in attacks.items():
            with beside(attack) as counted:
                loud = np.quantile(waits(url, options.seconds), [0.5, 0.99])
            rows.append((loud[1] / quiet[1], kind, loud, len(counted)))
    finally:
        process.send_signal(signal.SIGTERM)
        print(f"server ended with {process.wait(120)}")
    print(f"quiet: p50 {1e3 * quiet[0]:.1f} ms, p99 {1e3 * quiet[1]:.1f} ms")
    print("| beside | requests | p50, p99 (ms) | p99, times the quiet one |")
    print("|---|---|---|---|")
    for ratio, kind, loud, count in sorted(rows, reverse=True):
        times = f"{1e3 * loud[0]:.1f}, {1e3 * loud[1]:.1f}"
        print(f"| {kind} | {count} | {times} | {ratio:.1f} |")


def waits(url, seconds):
    """Seconds that each of many requests takes, one behind the other."""
    taken = []
    until = time.perf_counter() + seconds
    with httpx.Client(base_url=url, timeout=60) as client:
        while time.perf_counter() < until:
            begun = time.perf_counter()
            client.post(SENTIMENT, json=BESIDE).raise_for_status()
            taken.append(time.perf_counter() - begun)
    return taken


def post(url, path, body):
    httpx.post(url + path, content=body, timeout=60)


def send(port, content):
    """Bytes, and what is answered within a fifth of a second."""
    with (
        contextlib.suppress(OSError),
        socket.create_connection(("127.0.0.1", port), timeout=0.2) as raw,
    ):
        raw.sendall(content)
        raw.recv(65536)


@contextlib.contextmanager
def beside(attack):
    """Within, an attacker repeats a request; yields a list with an entry for each."""
    over = threading.Event()
    counted = []

    def repeat():
        while not over.is_set():
            attack()
            counted.append(1)

    thread = threading.Thread(target=repeat)
    thread.start()
    yield counted
    over.set()
    thread.join()


if __name__ == "__main__":
    main()
