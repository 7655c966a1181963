"""Times what a person waits for: `rnnsuite --help` and a cold `predict`; the minimum of several
runs.

python benchmarks/startup.py [MODEL] [--runs 5]
"""

import argparse
import json
import subprocess
import sys
import time

TEXT = "Not only is it well acted, it is also the funniest film of the year."


def seconds(words: list[str], runs: int) -> float:
    """The least wall time of `runs` fresh processes."""
    taken = []
    for _ in range(runs):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "rnnsuite", *words], check=True, capture_output=True)
        taken.append(time.perf_counter() - started)
    return min(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", default="saved_models/sentiment/1")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    predict = ["predict", "sentiment", "--model", options.model, TEXT]
    print(
        json.dumps(
            {
                "help_s": seconds(["--help"], options.runs),
                "predict_s": seconds(predict, options.runs),
            }
        )
    )


if __name__ == "__main__":
    main()
