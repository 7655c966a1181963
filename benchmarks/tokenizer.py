"""Compares the reference tokenizer's ids with the graph's on real texts, and times both.

python benchmarks/tokenizer.py FOLDER_OF_TXT_FILES [LITE_FOLDER] [--number 10000]
"""

import argparse
import json
import pathlib
import time

import tensorflow as tf

from rnnsuite.device.wordpiece import Tokenizer
from rnnsuite.inputs.text import TextToIds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("texts", type=pathlib.Path)
    parser.add_argument(
        "lite", nargs="?", type=pathlib.Path, default=pathlib.Path("saved_models/sentiment/lite/1")
    )
    parser.add_argument("--number", type=int, default=10_000)
    options = parser.parse_args()
    reference = Tokenizer.load(options.lite)
    graph = TextToIds(reference.vocabulary, reference.lower, reference.max_tokens)
    texts = [path.read_bytes() for path in sorted(options.texts.rglob("*.txt"))[: options.number]]
    started = time.perf_counter()
    in_graph = [
        ids
        for i in range(0, len(texts), 256)
        for ids in graph(tf.constant(texts[i : i + 256])).to_list()
    ]
    between = time.perf_counter()
    in_python = [reference(text) for text in texts]
    ended = time.perf_counter()
    unequal = sum(a != b for a, b in zip(in_graph, in_python, strict=True))
    print(
        json.dumps(
            {
                "texts": len(texts),
                "ids": sum(map(len, in_graph)),
                "unequal_texts": unequal,
                "graph_s": round(between - started, 2),
                "python_s": round(ended - between, 2),
            }
        )
    )


if __name__ == "__main__":
    main()
