"""Object recognition on a device: a picture to its class, with ai-edge-litert and numpy alone.

    python object_recognition.py FOLDER PICTURE ... [--file dynamic.tflite]

FOLDER is what `rnnsuite export` wrote: saved_models/object_recognition/lite/1. A device decodes
pictures by itself; here .ppm (binary) and .npy are read by numpy, everything else by Pillow where
that is installed.
"""

import argparse
import json
import pathlib
import sys


def load(folder, file="dynamic.tflite"):
    """A function from pixels [height, width, 3], 0 to 255, to the probability of every class."""
    sys.path.insert(0, str(folder))
    from resize import resize
    from runner import LiteModel

    folder = pathlib.Path(folder)
    size = json.loads((folder / "picture.json").read_text(encoding="utf-8"))["size"]
    labels = (folder / "labels.txt").read_text(encoding="utf-8").splitlines()
    model = LiteModel(str(folder / file))

    def answer(pixels):
        shares = model(image=resize(pixels, size))["probabilities"][0]
        return dict(zip(labels, shares.tolist(), strict=True))

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
        shares = answer(pixels(path))
        name = max(shares, key=shares.get)
        print(f"{name} {shares[name]:.3f}  {path}")


if __name__ == "__main__":
    main()
