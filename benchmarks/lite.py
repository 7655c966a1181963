"""Every released .tflite file: size, time to load, time of an answer, memory.

    python benchmarks/lite.py [--models saved_models] [--rounds 200]

Each in a process of its own that has ai-edge-litert and numpy alone, on one thread, from a request
to its answer as examples/on_device makes it (tokenizer, resampling and the loop over subwords
included), and a stream step by itself. Memory is what loading and answering add to the process's
peak.
"""

import argparse
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent
REVIEW = (
    "I went in expecting little, and the first half hour gave me less; then the story found its "
    "feet. " * 12
)
CHILD = """
import json, pathlib, resource, sys, time
script, folder, file, rounds = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
sys.path.insert(0, str(script.parent))
import numpy as np
import ai_edge_litert.interpreter
program = __import__(script.stem)
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
sys.path.insert(0, folder)
rng = np.random.default_rng(0)
if script.stem == "sentiment":
    request = sys.argv[5]
elif script.stem == "translation":
    request = "A group of people are standing in front of a large building with a red roof."
elif script.stem == "captioning":
    request = rng.integers(0, 256, (256, 256, 3)).astype(np.uint8)
else:
    import sound
    request = sound.write(rng.normal(0, 0.1, 16000))
before, started = peak(), time.perf_counter()
answer = program.load(folder, file)
loaded, times = time.perf_counter() - started, []
if sys.argv[6] == "stream":
    def blocks():
        for block in rng.normal(0, 0.1, (rounds + 10, 320)).astype(np.float32):
            started = time.perf_counter()
            yield block
            times.append(time.perf_counter() - started)
    list(program.follow(folder, blocks(), file))
else:
    for _ in range(rounds + 10):
        started = time.perf_counter()
        answer(request)
        times.append(time.perf_counter() - started)
times = 1000 * np.array(times[10:])
p50, p95 = np.percentile(times, [50, 95])
print(json.dumps({"load": 1000 * loaded, "p50": p50, "p95": p95, "memory": peak() - before}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--models", type=pathlib.Path, default=ROOT / "saved_models")
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    print(
        "| model | file | request | KB | load, ms | p50, ms | p95, ms | memory, MiB |\n"
        + "|---" * 8
        + "|"
    )
    requests = {
        "sentiment": "a review of 228 words",
        "speech_commands": "one second",
        "translation": "17 words",
        "captioning": "256 x 256 pixels",
    }
    for path in sorted(options.models.absolute().glob("*/lite/*/*.tflite")):
        name = path.parents[2].name
        ways = [requests[name], "stream"] if name == "speech_commands" else [requests[name]]
        for way in ways:
            found = min(
                (measure(path, name, way, options.rounds) for _ in range(3)),
                key=lambda each: each["p50"],
            )
            told = "20 ms of a stream" if way == "stream" else way
            print(
                f"| {name} | {path.stem} | {told} | {path.stat().st_size / 1000:.0f} | "
                f"{found['load']:.1f} | "
                f"{found['p50']:.2f} | {found['p95']:.2f} | {found['memory']:.1f} |",
                flush=True,
            )


def measure(path: pathlib.Path, name: str, way: str, rounds: int) -> dict[str, float]:
    script = ROOT / "examples" / "on_device" / f"{name}.py"
    words = [script, path.parent, path.name, rounds, REVIEW, way]
    done = subprocess.run(
        [sys.executable, "-I", "-c", CHILD, *map(str, words)], capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return json.loads(done.stdout)


if __name__ == "__main__":
    main()
