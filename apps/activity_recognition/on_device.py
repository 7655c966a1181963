"""Activity recognition on a device: a clip to an action, or frames as they come, with
ai-edge-litert and numpy alone.

    python activity_recognition.py FOLDER CLIP.npy ... [--file dynamic.tflite]
    sensor | python activity_recognition.py FOLDER --stream

CLIP.npy holds numbers [frames, numbers], or joints [frames, joints, coordinates]. A stream is a row
of numbers between commas for each frame. FOLDER is what `rnnsuite export` wrote:
saved_models/activity_recognition/lite/1.
"""

import argparse
import pathlib
import sys

import numpy as np


def load(folder, file="dynamic.tflite"):
    """A function from frames to the probability of every action."""
    sys.path.insert(0, str(folder))
    from runner import LiteModel

    labels = (pathlib.Path(folder) / "labels.txt").read_text(encoding="utf-8").splitlines()
    model = LiteModel(str(pathlib.Path(folder) / file), "clip")

    def answer(values):
        frames = np.asarray(values, np.float32).reshape(len(values), -1)
        return dict(
            zip(labels, model(values=frames[None])["probabilities"][0].tolist(), strict=True)
        )

    return answer


def follow(folder, lines, file="dynamic.tflite"):
    """(frames, action, probability) after every step of a stream of lines of numbers."""
    sys.path.insert(0, str(folder))
    from follow import Follower, rows

    folder = pathlib.Path(folder)
    labels = (folder / "labels.txt").read_text(encoding="utf-8").splitlines()
    model = Follower(str(folder / file), "stream")
    frames = 0
    block = []
    for row in rows(lines):
        block.append(row)
        if len(block) < model.size:
            continue
        shares = model.step(values=np.array(block, np.float32)[None])["probabilities"][0, -1]
        block = []
        frames += model.size
        yield frames, labels[int(shares.argmax())], float(shares.max())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("clips", nargs="*")
    parser.add_argument("--file", default="dynamic.tflite")
    parser.add_argument("--stream", action="store_true")
    arguments = parser.parse_args()
    if arguments.stream:
        said = None
        for frames, action, share in follow(arguments.folder, sys.stdin, arguments.file):
            if action != said:
                print(f"{frames:6d} frames  {action} {share:.3f}", flush=True)
                said = action
        return
    answer = load(arguments.folder, arguments.file)
    for path in arguments.clips:
        shares = answer(np.load(path, allow_pickle=False))
        action = max(shares, key=shares.get)
        print(f"{action} {shares[action]:.3f}  {path}")


if __name__ == "__main__":
    main()
