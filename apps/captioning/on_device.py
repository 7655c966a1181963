"""Captions on a device: a picture to a sentence, with ai-edge-litert and numpy alone.

    python captioning.py FOLDER PICTURE ... [--file dynamic.tflite]

FOLDER is what `rnnsuite export` wrote: saved_models/captioning/lite/1. A device decodes pictures by
itself; here .ppm (binary) and .npy are read by numpy, everything else by Pillow where that is
installed.
"""

import argparse
import json
import pathlib
import sys


def load(folder, file="dynamic.tflite"):
    """A function from pixels [height, width, 3], 0 to 255, to a caption."""
    sys.path.insert(0, str(folder))
    from resize import resize
    from tokenizer import Tokenizer
    from writer import LiteWriter

    folder = pathlib.Path(folder)
    settings = json.loads((folder / "decode.json").read_text(encoding="utf-8"))
    tokenizer = Tokenizer.load(folder / settings["target"], settings["max_tokens"])
    write = LiteWriter(str(folder / file))

    def answer(pixels):
        return tokenizer.text(write(image=resize(pixels, settings["size"]))["ids"][0].tolist())

    return answer


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("pictures", nargs="+")
    parser.add_argument("--file", default="dynamic.tflite")
    arguments = parser.parse_args()
    answer = load(arguments.folder, arguments.file)
    from resize import pixels

    for path in arguments.pictures:
        print(f"{path}: {answer(pixels(path))}")


if __name__ == "__main__":
    main()
