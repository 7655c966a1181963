"""What both ways to a server have in common: which model is asked, and the codes of a refusal."""

import dataclasses
from collections.abc import Mapping
from typing import Protocol

import numpy as np

Arrays = Mapping[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Which:
    """Which model is asked.

    Args:
        model: its name.
        version: a version's number; the newest without a number or label.
        label: a version's label.

    Raises:
        ValueError: where number and label are given.
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
    """A way to a server. Every method takes its time limit in seconds.

    Raises:
        Failed: from every method, for a call without an answer.
    """

    def predict(
        self, which: Which, signature: str, inputs: Arrays, timeout: float
    ) -> dict[str, np.ndarray]: ...

    def states(self, which: Which, timeout: float) -> dict[int, str]: ...

    def signatures(
        self, which: Which, timeout: float
    ) -> dict[str, tuple[list[str], list[str]]]: ...

    def close(self) -> None: ...
