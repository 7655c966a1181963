"""Writes a sentence with a .tflite file's signatures encode and step, by ai-edge-litert alone.

This file travels with on-device exports as the reference decode loop. As a program:
python writer.py MODEL.tflite REQUESTS.npz ANSWERS.npz, as runner.py beside it takes them.
"""

import json
import pathlib

import numpy as np

try:
    from .runner import LiteFile, main
except ImportError:  # on a device both files lie side by side
    from runner import LiteFile, main


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
        runtime: see `runner.LiteFile`.
    """

    def __init__(self, path: str, threads: int = 1, runtime: "str | type" = "interpreter"):
        settings = pathlib.Path(path).parent / "decode.json"
        self.settings = json.loads(settings.read_text(encoding="utf-8"))
        self.max_length = self.settings.get("max_length") or self.settings["most"]
        self.file = LiteFile(path, threads, runtime)
        self.file.check("encode")
        self.file.check("step")

    def __call__(self, **inputs: np.ndarray) -> "dict[str, np.ndarray]":
        if not inputs.get("ids", np.ones(1)).any():
            positions = inputs["ids"].shape[1]
            return {
                "ids": np.zeros([1, 0], np.int32),
                "weights": np.zeros([1, 0, positions], np.float32),
            }
        self.file.reset()
        state = self.file.run("encode", **inputs)
        token = self.settings["start"]
        ids = []
        weights = []
        while len(ids) < self.max_length and token != self.settings["end"]:
            outputs = self.file.run("step", token=np.array([token], np.int32), **state)
            token = int(outputs["logits"][0].argmax())
            ids.append(token)
            weights.append(outputs["weights"][0])
            state.update({name: outputs[name] for name in outputs if name in state})
        return {"ids": np.array([ids], np.int32), "weights": np.array([weights])}


def open_model(
    path: str,
    signature: "str | None" = None,
    runtime: "str | type" = "interpreter",
) -> LiteWriter:
    """The file as a function of arrays; it has one way to be asked."""
    return LiteWriter(path, runtime=runtime)


if __name__ == "__main__":
    main(open_model)
