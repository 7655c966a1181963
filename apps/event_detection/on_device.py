"""Event detection on a device: samples as they come to events, with ai-edge-litert and numpy alone.

    python event_detection.py FOLDER RECORDING.csv [--file dynamic.tflite]
    sensor | python event_detection.py FOLDER -

RECORDING.csv holds a row of numbers between commas for each sample, at the model's rate; lines that
are no numbers, such as a header, are left out. FOLDER is what `rnnsuite export` wrote:
saved_models/event_detection/lite/1.
"""

import argparse
import contextlib
import json
import pathlib
import sys

import numpy as np


def follow(folder, lines, file="dynamic.tflite"):
    """The events in lines of numbers, as they end."""
    sys.path.insert(0, str(folder))
    from events import Detector
    from follow import Follower, rows

    folder = pathlib.Path(folder)
    settings = json.loads((folder / "detect.json").read_text(encoding="utf-8"))
    rules = settings["rules"]
    step = settings["hop"] / settings["rate"]
    late = settings["look_ahead"] * step

    def detector(labels):
        return Detector(
            ["", *labels],
            [""],
            step,
            smoothing=1e9,
            threshold=rules["threshold"],
            pause=rules["pause"] * step,
            shortest=rules["shortest"] * step,
            longest=1e9,
            refractory=0.0,
            lead=late,
            tail=late,
        )

    def parts(shares):
        """What each detector is fed: all classes, or each where several can be at once."""
        if rules["exclusive"]:
            return [shares]
        return [np.stack([1 - column, column], axis=1) for column in shares[:, 1:].T]

    groups = [settings["labels"]] if rules["exclusive"] else [[x] for x in settings["labels"]]
    detectors = [detector(group) for group in groups]
    model = Follower(str(folder / file), "stream")
    block = []
    for row in rows(lines):
        block.append(row)
        if len(block) == settings["hop"]:
            outputs = model.step(values=np.array(block, np.float32)[None])
            block = []
            fed = parts(outputs["probabilities"][0])
            for rule, shares in zip(detectors, fed, strict=True):
                yield from rule.feed(shares)
    for rule in detectors:
        yield from rule.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder")
    parser.add_argument("recording")
    parser.add_argument("--file", default="dynamic.tflite")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        stream = sys.stdin
        if options.recording != "-":
            stream = stack.enter_context(open(options.recording, encoding="utf-8"))
        for event in follow(options.folder, stream, options.file):
            print(
                f"{event.start:8.2f} to {event.end:.2f} s  {event.label} {event.confidence:.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
