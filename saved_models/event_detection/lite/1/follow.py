"""Follows series with a .tflite file that takes one step at a time, by ai-edge-litert alone.

This file travels with on-device exports. As a program:
python follow.py MODEL.tflite REQUESTS.npz ANSWERS.npz [SIGNATURE], as runner.py beside it takes
them.
"""

import numpy as np

try:
    from .runner import LiteFile, main
except ImportError:  # on a device both files lie side by side
    from runner import LiteFile, main


class Follower:
    """A signature with states, fed step by step.

    What it takes and gives under the same name is a state, which begins as zeros. `follower.step`
    feeds the next step of a stream, `follower(**arrays)` a whole series from the beginning, by as
    many samples as the signature takes at once, which is `follower.size`.

    Args:
        path: of the file.
        signature: the one with states.
        threads: that one call uses.
        runtime: see `runner.LiteFile`.
    """

    def __init__(
        self,
        path: str,
        signature: "str | None" = None,
        threads: int = 1,
        runtime: "str | type" = "interpreter",
    ):
        self.file = LiteFile(path, threads, runtime)
        self.signature = signature or self.file.names[0]
        self.file.check(self.signature)
        _, gives = self.file.signatures[self.signature]
        zeros = self.file.zeros(self.signature)
        self.zeros = {name: value for name, value in zeros.items() if name in gives}
        (self.size,) = {value.shape[1] for name, value in zeros.items() if name not in gives}
        self.reset()

    def reset(self) -> None:
        """Begins another stream."""
        self.states = dict(self.zeros)

    def step(self, **inputs: np.ndarray) -> "dict[str, np.ndarray]":
        """The outputs of the next step that are no states; inputs are `[1, size, ...]`."""
        outputs = self.file.run(self.signature, **inputs, **self.states)
        self.states = {name: outputs.pop(name) for name in self.states}
        return outputs

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


def open_model(
    path: str,
    signature: "str | None" = None,
    runtime: "str | type" = "interpreter",
) -> Follower:
    """The file as a function of arrays."""
    return Follower(path, signature, runtime=runtime)


if __name__ == "__main__":
    main(open_model)
