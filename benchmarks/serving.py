"""Load on `rnnsuite serve`: requests a second and their times, and against a bare loop over the
same SavedModel.

    python benchmarks/serving.py [--seconds 60] [--connections 32] [--batch 64] [--reload]

Starts the server in a process of its own, on all models of saved_models/, and asks sentiment for
one sentence a request from this process, over kept connections. The bare loop runs alone, after the
server has ended: tf.saved_model.load's signature and a session of TensorFlow's C++ loader with one
thread and with all, the fastest of the three counts, with as many sentences in a call as the
server's runs had on average. --reload puts a second version of the model in while the load is on.
"""

import argparse
import asyncio
import json
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import numpy as np

ROOT = pathlib.Path(__file__).parent.parent
SENTENCES = [
    "What a film.",
    "The plot was dull, but the acting was superb.",
    "I would not see it again for money.",
    "A moving story, quietly told, with a last scene to remember.",
    "Two hours of my life that nobody gives back.",
    "Funny where it wants to be and sad where it has to be.",
    "Nothing in it works.",
    "The best of its year.",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--models", type=pathlib.Path, default=ROOT / "saved_models")
    parser.add_argument("--reload", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        models = pathlib.Path(folder) / "models"
        shutil.copytree(options.models, models)
        process, port = start(models, options.batch)
        try:
            load(port, options.connections, 3)  # warm
            before = rows(port)
            dropped = (models, options.seconds / 3) if options.reload else None
            found = asyncio.run(run(port, options.connections, options.seconds, dropped))
            after = rows(port)
        finally:
            process.send_signal(signal.SIGTERM)
            print(f"server ended with {process.wait(60)}")
        batch = (after[0] - before[0]) / (after[1] - before[1])
        tell(found, options, batch)
        bare = max(bare_loops(models, [max(1, round(batch))])[max(1, round(batch))].values())
        rate = len(found["times"]) / options.seconds
        print(
            f"bare loop, {round(batch)} a call: {bare:.0f} sentences/s; the server gives "
            f"{rate / bare:.2f} of it"
        )


def start(models: pathlib.Path, batch: int) -> tuple[subprocess.Popen, int]:
    command = [
        sys.executable,
        "-m",
        "rnnsuite",
        "serve",
        "--models",
        models,
        "--port",
        "0",
        "--batch",
        str(batch),
    ]
    process = subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, text=True, cwd=ROOT)
    for line in process.stderr:
        found = re.search(r"Serving on http://127.0.0.1:(\d+)", line)
        if found:
            return process, int(found[1])
    raise SystemExit("the server did not start")


def load(port: int, connections: int, seconds: float) -> None:
    asyncio.run(run(port, connections, seconds))


async def run(port: int, connections: int, seconds: float, dropped=None) -> dict:
    """Every connection sends its next request as soon as it has the answer to the last."""
    found = {"times": [], "errors": 0, "versions": None}
    until = time.perf_counter() + seconds
    asking = [asyncio.create_task(ask(port, number, until, found)) for number in range(connections)]
    if dropped:
        found["versions"] = await asyncio.to_thread(drop, port, *dropped)
    await asyncio.gather(*asking)
    return found


async def ask(port: int, number: int, until: float, found: dict) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (started := time.perf_counter()) < until:
        number += 1
        body = json.dumps({"instances": [SENTENCES[number % len(SENTENCES)]]}).encode()
        head = (
            f"POST /v1/models/sentiment:predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
            f"{len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        size = int(re.search(rb"content-length: (\d+)", answer.lower())[1])
        content = await reader.readexactly(size)
        if answer.startswith(b"HTTP/1.1 200") and b"predictions" in content:
            found["times"].append(time.perf_counter() - started)
        else:
            found["errors"] += 1
    writer.close()


def newest(models: pathlib.Path) -> pathlib.Path:
    """The version that the server answers by."""
    folders = (path for path in (models / "sentiment").iterdir() if path.name.isdecimal())
    return max(folders, key=lambda path: int(path.name))


def drop(port: int, models: pathlib.Path, wait: float) -> float:
    """Seconds from a new version's folder to the first answer of that version."""
    time.sleep(wait)
    last = newest(models)
    coming = models / "sentiment" / ".coming"
    shutil.copytree(last, coming)
    number = int(last.name) + 1
    coming.rename(last.with_name(str(number)))
    started = time.perf_counter()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/models/sentiment/versions/{number}:predict",
        b'{"instances": ["What a film."]}',
    )
    while True:
        try:
            urllib.request.urlopen(request, timeout=30).read()
            return time.perf_counter() - started
        except urllib.error.HTTPError:
            time.sleep(0.05)


def rows(port: int) -> tuple[float, float]:
    """Sentences and runs so far, by the server's own count."""
    page = (
        urllib.request.urlopen(f"http://127.0.0.1:{port}/monitoring/prometheus/metrics")
        .read()
        .decode()
    )
    values = dict(re.findall(r'rnnsuite_batch_rows_(sum|count)\{model="sentiment"\} (\S+)', page))
    return float(values["sum"]), float(values["count"])


def tell(found: dict, options: argparse.Namespace, batch: float) -> None:
    times = 1000 * np.array(found["times"])
    points = ", ".join(f"p{point} {np.percentile(times, point):.1f} ms" for point in (50, 95, 99))
    print(
        f"{options.connections} connections, --batch {options.batch}, {options.seconds:.0f} s: "
        f"{len(times) / options.seconds:.0f} requests/s, {points}, longest {times.max():.0f} ms, "
        f"{found['errors']} errors, {batch:.1f} sentences a run"
    )
    if found["versions"] is not None:
        print(f"a new version answered {found['versions']:.1f} s after its folder was there")


def bare_loops(models: pathlib.Path, batches: list[int]) -> dict[int, dict[str, float]]:
    """Sentences a second of loops that do nothing but call the model, the best of five stretches of
    two seconds.
    """
    import tensorflow as tf

    from rnnsuite.server.servable import Servable

    folder = newest(models)
    function = tf.saved_model.load(str(folder)).signatures["serving_default"]
    servables = {
        threads: Servable("sentiment", int(folder.name), folder, threads) for threads in (1, 0)
    }

    def session(threads):
        return lambda texts: servables[threads].run(
            "serving_default", {"text": np.array(texts, object)}
        )

    ways = {
        "tf.saved_model.load": lambda texts: function(text=tf.constant(texts))[
            "probabilities"
        ].numpy(),
        "C++ loader": session(0),
        "C++ loader, one thread": session(1),
    }
    found: dict[int, dict[str, float]] = {}
    for batch in batches:
        for name, call in ways.items():
            texts = [
                (SENTENCES * batch)[number : number + batch] for number in range(len(SENTENCES))
            ]
            found.setdefault(batch, {})[name] = max(rate(call, texts, batch) for _ in range(5))
        print(
            f"bare, {batch} a call: "
            + ", ".join(f"{name} {value:.0f}/s" for name, value in found[batch].items())
        )
    return found


def rate(call, texts, batch: int) -> float:
    started, calls = time.perf_counter(), 0
    while (taken := time.perf_counter() - started) < 2:
        call(texts[calls % len(texts)])
        calls += 1
    return calls * batch / taken


if __name__ == "__main__":
    main()
