"""Video captions on a device: features of frames to a sentence, with ai-edge-litert and numpy
alone.

    python video_captioning.py FOLDER FEATURES.npy ... [--file dynamic.tflite]

FEATURES.npy holds numbers [frames, features], as the network that the model was trained behind
gives them; frames of zeros are none. FOLDER is what `rnnsuite export` wrote:
saved_models/video_captioning/lite/1.
"""

import argparse
import json
import pathlib
import sys

import numpy as np


def load(folder, file="dynamic.tflite"):
    """A function from features [frames, features] to a caption."""
    sys.path.insert(0, str(folder))
    from tokenizer import Tokenizer
    from writer import LiteWriter

    folder = pathlib.Path(folder)
    settings = json.loads((folder / "decode.json").read_text(encoding="utf-8"))
    tokenizer = Tokenizer.load(folder / settings["target"], settings["max_tokens"])
    write = LiteWriter(str(folder / file))

    def answer(features):
        frames = np.asarray(features, np.float32)
        present = frames[np.any(frames != 0, axis=1)][None]
        return tokenizer.text(write(features=present)["ids"][0].tolist())

    return answer


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("videos", nargs="+")
    parser.add_argument("--file", default="dynamic.tflite")
    arguments = parser.parse_args()
    answer = load(arguments.folder, arguments.file)
    for path in arguments.videos:
        print(f"{path}: {answer(np.load(path, allow_pickle=False))}")


if __name__ == "__main__":
    main()
