"""Rows of sentiment by Beam on this machine, killed once, beside `predict --input`.

pip install 'rnnsuite[beam]' && python benchmarks/beam.py --rows 100000 --workers 2
"""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np

from rnnsuite.beam.answers import WRITING

ROOT = pathlib.Path(__file__).parent.parent
MODEL = ROOT / "saved_models" / "sentiment" / "2"
SENTENCE = "the plot was dull but acting superb a film nobody would call moving and yet it is"


def write_rows(path, count):
    """Reviews of 5 to 100 words, most of them short."""
    rng = np.random.default_rng(0)
    words = SENTENCE.split()
    lengths = np.clip(rng.lognormal(3, 0.8, count), 5, 100).astype(int)
    with open(path, "w", encoding="utf-8") as stream:
        for length in lengths:
            stream.write(json.dumps({"text": " ".join(rng.choice(words, length))}) + "\n")


def beam(source, output, workers):
    words = ["-m", "rnnsuite.beam", "sentiment", "--model", MODEL, "--input", source]
    words += ["--output", output, "--workers", workers, "--chunk", 0.5]
    with open(f"{output}.log", "a") as log:
        return subprocess.Popen(
            [sys.executable, *map(str, words)], stdout=log, stderr=log, start_new_session=True
        )


def lines(output):
    rows = []
    for path in output.glob("*.jsonl"):
        if not path.name.endswith(WRITING):
            rows += [json.loads(line)["row"] for line in path.read_text().splitlines()]
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        source = folder / "rows.jsonl"
        write_rows(source, arguments.rows)
        words = ["predict", "sentiment", "--model", MODEL, "--input", source]
        begun = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "rnnsuite", *words, "--output", folder / "answers.jsonl"],
            check=True,
            capture_output=True,
        )
        report("predict --input", arguments.rows, time.perf_counter() - begun)
        begun = time.perf_counter()
        assert beam(source, folder / "whole", arguments.workers).wait() == 0
        report(f"Beam, {arguments.workers} processes", arguments.rows, time.perf_counter() - begun)
        killed = beam(source, folder / "killed", arguments.workers)
        while len(lines(folder / "killed")) < arguments.rows / 3:
            time.sleep(0.5)
        os.killpg(killed.pid, signal.SIGKILL)
        killed.wait()
        before = len(lines(folder / "killed"))
        assert beam(source, folder / "killed", arguments.workers).wait() == 0
        found = lines(folder / "killed")
        print(f"killed behind {before} rows: {len(found)} rows, {len(set(found))} different")
        assert sorted(found) == sorted(lines(folder / "whole"))


def report(name, rows, seconds):
    print(f"{name}: {seconds:.0f} s, {rows / seconds:.0f} rows a second", flush=True)


if __name__ == "__main__":
    main()
