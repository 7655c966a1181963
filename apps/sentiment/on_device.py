"""Sentiment on a device: a text to a label, with ai-edge-litert and numpy alone.

    python sentiment.py FOLDER TEXT ... [--file dynamic.tflite]

FOLDER is what `rnnsuite export` wrote: saved_models/sentiment/lite/2.
"""

import argparse
import json
import pathlib
import sys

import numpy as np


def load(folder, file="dynamic.tflite"):
    """A function from a text to the probability of every label."""
    sys.path.insert(0, str(folder))
    from runner import LiteModel
    from tokenizer import Tokenizer

    labels = (pathlib.Path(folder) / "labels.txt").read_text(encoding="utf-8").splitlines()
    tokenizer = load_tokenizer(Tokenizer, pathlib.Path(folder))
    model = LiteModel(str(pathlib.Path(folder) / file))

    def answer(text):
        ids = np.array([tokenizer(text) or [0]], np.int32)  # no text is one padding id
        return dict(zip(labels, model(ids=ids)["probabilities"][0].tolist(), strict=True))

    return answer


def load_tokenizer(kind, folder):
    """The tokenizer of words and their pieces, or of a language model's subwords."""
    subwords = folder / "vocabulary.tsv"
    if not subwords.is_file():
        return kind.load(folder)
    settings = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    options = {"lower": settings["lower"], "keep": settings["keep"]}
    return kind.load(subwords, settings["max_tokens"], **options)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("texts", nargs="+")
    parser.add_argument("--file", default="dynamic.tflite")
    arguments = parser.parse_args()
    answer = load(arguments.folder, arguments.file)
    for text in arguments.texts:
        probabilities = answer(text)
        label = max(probabilities, key=probabilities.get)
        print(f"{label} {probabilities[label]:.3f}  {text}")


if __name__ == "__main__":
    main()
