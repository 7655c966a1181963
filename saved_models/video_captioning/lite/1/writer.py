"""Writes a sentence with a .tflite file's signatures encode and step, by ai-edge-litert alone.

This file travels with on-device exports as the reference decode loop. As a program:
python writer.py MODEL.tflite REQUESTS.npz ANSWERS.npz, where the arrays are named
`<number>/<input>` and `<number>/<output>`.
"""

import json
import pathlib
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter


class LiteWriter:
    """A .tflite file that writes: `writer(**inputs of encode)` gives `ids` and `weights`.

    `ids` `[1, n]` are the most probable token at every step, `weights` `[1, n, positions]` the
    attention of each. decode.json beside the file holds the tokens `start` and `end` and the
    largest number of tokens, `max_length` (`most` in files of version 0.1.0). All that encode gives
    goes into every step; what a step gives under the same name takes its place. For `ids` that are
    all padding (0), which is no text, nothing is written.

    Args:
        path: of the file.
        threads: that one call uses.
    """

    def __init__(self, path: str, threads: int = 1):
        settings = pathlib.Path(path).parent / "decode.json"
        self.settings = json.loads(settings.read_text(encoding="utf-8"))
        self.max_length = self.settings.get("max_length") or self.settings["most"]
        self.interpreter = Interpreter(model_path=path, num_threads=threads)
        self.encode = self.interpreter.get_signature_runner("encode")
        self.step = self.interpreter.get_signature_runner("step")
        self.is_used = False

    def __call__(self, **inputs: np.ndarray) -> "dict[str, np.ndarray]":
        if not inputs.get("ids", np.ones(1)).any():
            positions = inputs["ids"].shape[1]
            return {
                "ids": np.zeros([1, 0], np.int32),
                "weights": np.zeros([1, 0, positions], np.float32),
            }
        if self.is_used:  # a fused LSTM keeps its state from one invocation to the next
            self.interpreter.reset_all_variables()
        self.is_used = True
        state = {name: np.array(value) for name, value in self.encode(**inputs).items()}
        token = self.settings["start"]
        ids = []
        weights = []
        while len(ids) < self.max_length and token != self.settings["end"]:
            outputs = self.step(token=np.array([token], np.int32), **state)
            token = int(outputs["logits"][0].argmax())
            ids.append(token)
            weights.append(np.array(outputs["weights"][0]))
            state.update({name: np.array(outputs[name]) for name in outputs if name in state})
        return {"ids": np.array([ids], np.int32), "weights": np.array([weights])}


def open_model(path: str, signature: "str | None" = None) -> LiteWriter:
    """The file as a function of arrays; it has one way to be asked."""
    return LiteWriter(path)


def main(model: str, requests: str, answers: str) -> None:
    """Answers every request in a file."""
    writer = open_model(model)
    grouped: dict[str, dict[str, np.ndarray]] = {}
    with np.load(requests, allow_pickle=False) as stored:
        for name in stored.files:
            number, key = name.split("/")
            grouped.setdefault(number, {})[key] = stored[name]
    outputs = {}
    for number, inputs in grouped.items():
        for name, value in writer(**inputs).items():
            outputs[f"{number}/{name}"] = value
    np.savez(answers, **outputs)


if __name__ == "__main__":
    main(*sys.argv[1:])
