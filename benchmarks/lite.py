"""Every released .tflite file in every runtime that takes it: size, loading, an answer, memory.

    python benchmarks/lite.py [NAME ...] [--models saved_models] [--rounds 50]

Each file, signature and runtime in a process of its own that has ai-edge-litert and numpy alone, on
one thread; LiteRT.js where there is node. An answer is one call of a signature, with
random numbers: signatures of any length get the one below, and what goes in between requests and
tensors (tokenizers, resampling) is not in it. Memory is what loading and answering add to the
process's peak. The least of three processes by its median.
"""

import argparse
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent
LENGTHS = {"classify_ids": 300, "encode": 20, "step": 20, "sound": 48_000, "clip": 320}
"""Of signatures of any length: 300 subwords, 20 of a sentence or frames, 3 s, 320 frames."""
RUNTIMES = ("interpreter", "compiled", "litert.js")
PROCESSES = 3
CHILD = """
import json, resource, sys, time
folder, path, signature, runtime, rounds, lengths = sys.argv[1:]
rounds = int(rounds)
length = json.loads(lengths).get(signature)
sys.path.insert(0, folder)
import numpy as np
import ai_edge_litert.interpreter
import ai_edge_litert.compiled_model
from runner import LiteFile
if runtime == "litert.js":
    from rnnsuite.pipeline.export.litertjs import NodeEngine as runtime
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before = peak()
started = time.perf_counter()
file = LiteFile(path, runtime=runtime)
loaded = time.perf_counter() - started
rng = np.random.default_rng(0)
parts = file.lengths(signature)
key = signature if signature in file.signatures else next(iter(parts.values()))
takes, gives = file.signatures[key]
exact = dict(takes)
if parts:
    other = file.signatures[list(parts.values())[1]][0]
    own = next(iter(parts))
    resized = {name for name in takes if takes[name] != other[name]}
else:
    ranked = {name for name, (shape, _) in takes.items() if len(shape) > 1 and shape[1] == 1}
    resized = ranked if length else set()
inputs = {}
for name, (shape, kind) in takes.items():
    if name == "length":
        continue
    shape = [shape[0], length, *shape[2:]] if name in resized else shape
    drawn = rng.normal(0, 0.1, shape).astype(kind)
    inputs[name] = np.ones(shape, kind) if kind == np.int32 else drawn
times = []
for _ in range(rounds + 5):
    started = time.perf_counter()
    file.run(signature, **inputs)
    ended = time.perf_counter()
    times.append(getattr(file.engine, "seconds", ended - started))
p50, p95 = np.percentile(1000 * np.array(times[5:]), [50, 95])
print(json.dumps({"load": 1000 * loaded, "p50": p50, "p95": p95, "memory": peak() - before}))
"""
SIGNATURES = """
import sys
sys.path.insert(0, sys.argv[1])
from runner import LiteFile
print(*LiteFile(sys.argv[2]).names)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--models", type=pathlib.Path, default=ROOT / "saved_models")
    parser.add_argument("--rounds", type=int, default=50)
    options = parser.parse_args()
    columns = (
        "model",
        "file",
        "signature",
        "runtime",
        "KB",
        "load, ms",
        "p50, ms",
        "p95, ms",
        "MiB",
    )
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    for path in sorted(options.models.absolute().glob("*/lite/*/*.tflite")):
        name = path.parents[2].name
        if options.names and name not in options.names:
            continue
        for signature in run(SIGNATURES, path.parent, path).stdout.split():
            for runtime in RUNTIMES:
                row(path, name, signature, runtime, options.rounds)


def row(path: pathlib.Path, name: str, signature: str, runtime: str, rounds: int) -> None:
    """Prints what was measured, or that the runtime refuses the file."""
    words = [path.parent, path, signature, runtime, rounds, json.dumps(LENGTHS)]
    done = [run(CHILD, *words) for _ in range(PROCESSES)]
    start = f"| {name} | {path.stem} | {signature} | {runtime} | {path.stat().st_size / 1000:.0f} |"
    if any(each.returncode for each in done):
        print(f"{start} refused | | | |", flush=True)
        return
    best = min((json.loads(each.stdout) for each in done), key=lambda found: found["p50"])
    times = f"{best['load']:.1f} | {best['p50']:.3f} | {best['p95']:.3f}"
    print(f"{start} {times} | {best['memory']:.1f} |", flush=True)


def run(program: str, *words: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", program, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


if __name__ == "__main__":
    main()
