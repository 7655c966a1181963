"""Anomaly detection on a device: observations as they come to alarms, with ai-edge-litert and numpy
alone.

    python anomaly_detection.py FOLDER SERIES.csv [--file dynamic.tflite]
    tail -f SERIES.csv | python anomaly_detection.py FOLDER -

SERIES.csv holds a row of numbers between commas for each observation; an empty cell is missing, and
lines that are no numbers, such as a header, are left out. FOLDER is what `rnnsuite export` wrote:
saved_models/anomaly_detection/lite/1.
"""

import argparse
import contextlib
import json
import pathlib
import sys

import numpy as np


def follow(folder, lines, file="dynamic.tflite"):
    """Of every line of numbers: its number, score, and whether to say something."""
    sys.path.insert(0, str(folder))
    from follow import Follower, rows

    folder = pathlib.Path(folder)
    model = Follower(str(folder / file), "stream")
    for number, row in enumerate(rows(lines)):
        outputs = model.step(values=np.array(row, np.float32)[None, None])
        parts = outputs["channels"][0, 0]
        yield number, float(outputs["score"][0, 0]), bool(outputs["alarm"][0, 0]), parts


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder")
    parser.add_argument("series")
    parser.add_argument("--file", default="dynamic.tflite")
    options = parser.parse_args()
    settings = pathlib.Path(options.folder) / "detect.json"
    names = json.loads(settings.read_text(encoding="utf-8"))["scored"]
    with contextlib.ExitStack() as stack:
        stream = sys.stdin
        if options.series != "-":
            stream = stack.enter_context(open(options.series, encoding="utf-8"))
        for number, score, alarm, parts in follow(options.folder, stream, options.file):
            if alarm:
                name = names[int(parts.argmax())]
                print(f"observation {number}: score {score:.2f}, in {name}", flush=True)


if __name__ == "__main__":
    main()
