"""Writes a sentence with a .tflite file's `encode` and `step` signatures, by ai-edge-litert and
numpy alone.

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
    """`writer(**inputs of encode)` gives `ids` `[1, n]`, the most probable token after the other,
    and `weights`.

    decode.json beside the file holds the tokens `start` and `end` and how many there may be at
    `most`. `weights` `[1, n, positions]` is the attention of each token. All that `encode` gives
    goes into every step; what a step gives under the same name takes its place. For `ids` that
    are all padding (0), which is no text, nothing is written.
    """

    def __init__(self, path: str, threads: int = 1):
        self.settings = json.loads(
            (pathlib.Path(path).parent / "decode.json").read_text(encoding="utf-8")
        )
        self.interpreter = Interpreter(model_path=path, num_threads=threads)
        self.encode, self.step = (
            self.interpreter.get_signature_runner(name) for name in ("encode", "step")
        )
        self.used = False

    def __call__(self, **inputs: np.ndarray) -> "dict[str, np.ndarray]":
        if not inputs.get("ids", np.ones(1)).any():
            return {
                "ids": np.zeros([1, 0], np.int32),
                "weights": np.zeros([1, 0, inputs["ids"].shape[1]], np.float32),
            }
        if self.used:  # a fused LSTM keeps its state from one invocation to the next
            self.interpreter.reset_all_variables()
        self.used = True
        state = {name: np.array(value) for name, value in self.encode(**inputs).items()}
        token, ids, weights = self.settings["start"], [], []
        while len(ids) < self.settings["most"] and token != self.settings["end"]:
            outputs = self.step(token=np.array([token], np.int32), **state)
            token = int(outputs["logits"][0].argmax())
            ids.append(token)
            weights.append(np.array(outputs["weights"][0]))
            state |= {name: np.array(value) for name, value in outputs.items() if name in state}
        return {"ids": np.array([ids], np.int32), "weights": np.array([weights])}


def open_model(path: str, signature: "str | None" = None) -> LiteWriter:
    return LiteWriter(path)


def main(model: str, requests: str, answers: str) -> None:
    writer, found = LiteWriter(model), {}
    with np.load(requests, allow_pickle=False) as stored:
        grouped: dict = {}
        for name in stored.files:
            number, key = name.split("/")
            grouped.setdefault(number, {})[key] = stored[name]
    for number, inputs in grouped.items():
        for name, value in writer(**inputs).items():
            found[f"{number}/{name}"] = value
    np.savez(answers, **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
