"""What both ways to a server have in common: which model is asked, and the codes of a refusal."""

import dataclasses
from collections.abc import Mapping
from typing import Protocol

import numpy as np

Arrays = Mapping[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Which:
    """A model's name, and a version by its number or its label; the newest without either.

    Raises ValueError where both are given.
    """

    model: str
    version: int | None = None
    label: str | None = None

    def __post_init__(self):
        if self.version is not None and self.label is not None:
            raise ValueError("give a version or a label, not both")

    def __str__(self) -> str:
        version = f", version {self.version}" if self.version is not None else ""
        return self.model + (f", label {self.label}" if self.label is not None else version)


class Failed(Exception):
    """A call without an answer: one of gRPC's codes by name, and what the server said."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


class Transport(Protocol):
    """A way to a server. Every method raises Failed, and takes its time limit in seconds.

    predict: the outputs of one signature. states: those of all versions, by number.
    signatures: every signature's names of inputs and of outputs.
    """

    def predict(self, which: Which, signature: str, inputs: Arrays, timeout: float) -> dict[str, np.ndarray]: ...

    def states(self, which: Which, timeout: float) -> dict[int, str]: ...

    def signatures(self, which: Which, timeout: float) -> dict[str, tuple[list[str], list[str]]]: ...

    def close(self) -> None: ...
