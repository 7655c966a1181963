"""Runs a .tflite file with ai-edge-litert and numpy alone.

This file travels with every on-device export. As a program:
python runner.py MODEL.tflite REQUESTS.npz ANSWERS.npz [SIGNATURE], where the arrays are named
`<number>/<input>` and `<number>/<output>`.
"""

import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter


class LiteModel:
    """A .tflite file: `model(name=array, ...)` gives `{name: array}`.

    A fused LSTM keeps its state from one invocation to the next, so the same input would be
    answered differently the second time. Every call here starts from a reset state.

    Args:
        path: of the file.
        signature: one of the file's; by default the first.
        threads: that one call uses.

    Raises:
        ValueError: for a signature that the file does not have, or other inputs than it takes.
    """

    def __init__(self, path: str, signature: "str | None" = None, threads: int = 1):
        self.interpreter = Interpreter(model_path=path, num_threads=threads)
        signatures = self.interpreter.get_signature_list()
        self.signature = signature or next(iter(signatures))
        if self.signature not in signatures:
            names = ", ".join(signatures)
            raise ValueError(f"{path} has no signature {self.signature!r}; it has {names}")
        self.inputs = sorted(signatures[self.signature]["inputs"])
        self.runner = self.interpreter.get_signature_runner(self.signature)
        self.is_used = False

    def __call__(self, **inputs: np.ndarray) -> "dict[str, np.ndarray]":
        if sorted(inputs) != self.inputs:
            wanted = ", ".join(self.inputs)
            raise ValueError(f"inputs must be {wanted}, not {', '.join(sorted(inputs))}")
        if self.is_used:  # before the first call nothing is allocated, and states start at zero
            self._reset()
        self.is_used = True
        return {name: np.array(value) for name, value in self.runner(**inputs).items()}

    def _reset(self) -> None:
        try:
            self.interpreter.reset_all_variables()
        except RuntimeError:  # another signature's states have no memory before it has run
            for name in self.interpreter.get_signature_list():
                runner = self.interpreter.get_signature_runner(name)
                details = runner.get_input_details()
                runner(**{key: np.zeros(d["shape"], d["dtype"]) for key, d in details.items()})
            self.interpreter.reset_all_variables()


def open_model(path: str, signature: "str | None" = None) -> LiteModel:
    """The file as a function of arrays."""
    return LiteModel(path, signature)


def main(model: str, requests: str, answers: str, signature: "str | None" = None) -> None:
    """Answers every request in a file."""
    lite = open_model(model, signature)
    grouped: dict[str, dict[str, np.ndarray]] = {}
    with np.load(requests, allow_pickle=False) as stored:
        for name in sorted(stored.files, key=lambda name: int(name.split("/")[0])):
            number, key = name.split("/")
            grouped.setdefault(number, {})[key] = stored[name]
    outputs = {}
    for number, inputs in grouped.items():
        for name, value in lite(**inputs).items():
            outputs[f"{number}/{name}"] = value
    np.savez(answers, **outputs)


if __name__ == "__main__":
    main(*sys.argv[1:])
