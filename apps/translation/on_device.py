"""Translation on a device: a sentence to its translation, with ai-edge-litert and numpy alone.

    python translation.py FOLDER TEXT ... [--file dynamic.tflite]

FOLDER is what `rnnsuite export` wrote: saved_models/translation/lite/1.
"""

import argparse
import json
import pathlib
import sys

import numpy as np


def load(folder, file="dynamic.tflite"):
    """A function from a sentence to its translation, the most probable subword after the other."""
    sys.path.insert(0, str(folder))
    from tokenizer import Tokenizer
    from writer import LiteWriter

    folder = pathlib.Path(folder)
    settings = json.loads((folder / "decode.json").read_text(encoding="utf-8"))
    source, target = (
        Tokenizer.load(folder / settings[name], settings["max_tokens"])
        for name in ("source", "target")
    )
    write = LiteWriter(str(folder / file))

    def answer(text):
        ids = np.array(
            [source(text) or [0]], np.int32
        )  # no text is one padding id, to which nothing is written
        return target.text(write(ids=ids)["ids"][0].tolist())

    return answer


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("texts", nargs="+")
    parser.add_argument("--file", default="dynamic.tflite")
    arguments = parser.parse_args()
    answer = load(arguments.folder, arguments.file)
    for text in arguments.texts:
        print(answer(text))


if __name__ == "__main__":
    main()
