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

import numpy as np


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


def pixels(path):
    """The pixels of a picture's file."""
    path = pathlib.Path(path)
    if path.suffix == ".npy":
        return np.load(path, allow_pickle=False)
    if path.suffix == ".ppm":
        head, width, height, most, content = path.read_bytes().split(maxsplit=4)
        if (head, most) != (b"P6", b"255"):
            raise SystemExit(f"{path}: only binary .ppm with 8 bits is read here")
        return np.frombuffer(content, np.uint8).reshape(int(height), int(width), 3)
    try:
        from PIL import Image, ImageOps
    except ModuleNotFoundError:
        raise SystemExit(f"{path}: pip install pillow, or give .ppm or .npy") from None
    return np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("pictures", nargs="+")
    parser.add_argument("--file", default="dynamic.tflite")
    arguments = parser.parse_args()
    answer = load(arguments.folder, arguments.file)
    for path in arguments.pictures:
        print(f"{path}: {answer(pixels(path))}")


if __name__ == "__main__":
    main()
