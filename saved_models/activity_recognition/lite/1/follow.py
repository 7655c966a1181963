"""Follows series with a .tflite file that takes one step at a time, by ai-edge-litert alone.

This file travels with on-device exports. As a program:
python follow.py MODEL.tflite REQUESTS.npz ANSWERS.npz [SIGNATURE], where the arrays are named
`<number>/<input>` and `<number>/<output>`.
"""

import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter


class Follower:
    """A signature with states, fed step by step.

    What it takes and gives under the same name is a state, which begins as zeros. `follower.step`
    feeds the next step of a stream, `follower(**arrays)` a whole series from the beginning, by as
    many samples as the signature takes at once, which is `follower.size`.

    Args:
        path: of the file.
        signature: the one with states.
        threads: that one call uses.
    """

    def __init__(self, path: str, signature: "str | None" = None, threads: int = 1):
        self.interpreter = Interpreter(model_path=path, num_threads=threads)
        signatures = self.interpreter.get_signature_list()
        self.signature = signature or next(iter(signatures))
        names = signatures[self.signature]
        self.runner = self.interpreter.get_signature_runner(self.signature)
        kept = set(names["inputs"]) & set(names["outputs"])
        details = self.runner.get_input_details()
        self.zeros = {name: np.zeros(details[name]["shape"], np.float32) for name in kept}
        (self.size,) = {details[name]["shape"][1] for name in set(names["inputs"]) - kept}
        self.reset()

    def reset(self) -> None:
        """Begins another stream."""
        self.states = dict(self.zeros)

    def step(self, **inputs: np.ndarray) -> "dict[str, np.ndarray]":
        """The outputs of the next step that are no states; inputs are `[1, size, ...]`."""
        outputs = self.runner(**inputs, **self.states)
        self.states = {name: np.array(outputs[name]) for name in self.states}
        return {name: np.array(value) for name, value in outputs.items() if name not in self.states}

    def __call__(self, **inputs: np.ndarray) -> "dict[str, np.ndarray]":
        """The outputs of all steps of a series `[1, time, ...]`."""
        self.reset()
        time = next(iter(inputs.values())).shape[1]
        rows = [
            self.step(
                **{name: value[:, place : place + self.size] for name, value in inputs.items()}
            )
            for place in range(0, time, self.size)
        ]
        return {name: np.concatenate([row[name] for row in rows], axis=1) for name in rows[0]}


def rows(lines):
    """The numbers between commas of each line, NaN for an empty cell; lines that are no numbers,
    such as a header, are left out.
    """
    for line in lines:
        try:
            yield [float(cell) if cell.strip() else np.nan for cell in line.split(",")]
        except ValueError:
            continue


def open_model(path: str, signature: "str | None" = None) -> Follower:
    """The file as a function of arrays."""
    return Follower(path, signature)


def main(model: str, requests: str, answers: str, signature: "str | None" = None) -> None:
    """Answers every request in a file."""
    follower = open_model(model, signature)
    grouped: dict[str, dict[str, np.ndarray]] = {}
    with np.load(requests, allow_pickle=False) as stored:
        for name in stored.files:
            number, key = name.split("/")
            grouped.setdefault(number, {})[key] = stored[name]
    outputs = {}
    for number, inputs in grouped.items():
        for name, value in follower(**inputs).items():
            outputs[f"{number}/{name}"] = value
    np.savez(answers, **outputs)


if __name__ == "__main__":
    main(*sys.argv[1:])
