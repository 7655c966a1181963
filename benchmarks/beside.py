"""How long every other model takes while two clients ask sentiment to read 60,000 ids.

    python benchmarks/beside.py [--seconds 5] [--ids 60000] [--long 2]

Starts `rnnsuite serve` on all models of saved_models/ in a process of its own and asks each one,
one request after the other, what it is warmed up with: first alone, then beside the long requests,
which follow one another without a pause.
"""

import argparse
import pathlib
import signal
import threading
import time

import httpx
import numpy as np
import tensorflow as tf
from serving import ROOT, start
from tensorflow_serving.apis import prediction_log_pb2

from rnnsuite.client import Client

WARMUP = pathlib.Path("assets.extra") / "tf_serving_warmup_requests"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--ids", type=int, default=60_000)
    parser.add_argument("--long", type=int, default=2)
    options = parser.parse_args()
    process, port = start(ROOT / "saved_models", 64)
    url = f"http://127.0.0.1:{port}"
    try:
        asked = {folder.name: usual(folder) for folder in (ROOT / "saved_models").iterdir()}
        quiet = {name: times(url, name, asked[name], options.seconds) for name in sorted(asked)}
        over = threading.Event()
        clients = [
            threading.Thread(target=long_requests, args=(url, options.ids, over))
            for _ in range(options.long)
        ]
        for client in clients:
            client.start()
        time.sleep(0.5)
        loud = {name: times(url, name, asked[name], options.seconds) for name in sorted(asked)}
        over.set()
        for client in clients:
            client.join()
    finally:
        process.send_signal(signal.SIGTERM)
        print(f"server ended with {process.wait(120)}")
    print("| model | quiet p50, p99 (ms) | beside p50, p99 (ms) | p99, times |")
    print("|---|---|---|---|")
    for name in sorted(asked):
        cells = [1e3 * np.quantile(found[name], [0.5, 0.99]) for found in (quiet, loud)]
        shown = " | ".join(f"{half:.1f}, {most:.1f}" for half, most in cells)
        print(f"| {name} | {shown} | {cells[1][1] / cells[0][1]:.1f} |")


def usual(folder: pathlib.Path) -> dict[str, np.ndarray]:
    """What a model's default signature is warmed up with."""
    newest = max(folder.glob("[0-9]*"), key=lambda path: int(path.name))
    for raw in tf.compat.v1.io.tf_record_iterator(str(newest / WARMUP)):
        request = prediction_log_pb2.PredictionLog.FromString(raw).predict_log.request
        if request.model_spec.signature_name in ("", "serving_default"):
            return {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
    raise SystemExit(f"{newest} has no request to be warmed up with")


def times(url: str, name: str, inputs: dict[str, np.ndarray], seconds: float) -> list[float]:
    """How long each answer took (s)."""
    found = []
    with Client(url) as client:
        client.predict(name, inputs)
        until = time.perf_counter() + seconds
        while (started := time.perf_counter()) < until:
            client.predict(name, inputs)
            found.append(time.perf_counter() - started)
    return found


def long_requests(url: str, ids: int, over: threading.Event) -> None:
    body = {"signature_name": "classify_ids", "instances": [[5] * ids]}
    while not over.is_set():
        httpx.post(f"{url}/v1/models/sentiment:predict", json=body, timeout=300)


if __name__ == "__main__":
    main()
