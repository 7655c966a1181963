"""What a request for a forecast holds."""

import dataclasses
import json
from typing import Any

import numpy as np

from rnnsuite.core.errors import UserError
from rnnsuite.data.frequency import seconds


@dataclasses.dataclass(frozen=True)
class Times:
    """Times of observations: ISO 8601 texts, or whole seconds since 1970.

    Args:
        meaning: what they are.
    """

    meaning: str = "times of the observations"

    def parse(self, text: str) -> np.ndarray:
        try:
            return self.accept(json.loads(text))
        except ValueError as error:
            raise UserError(f'{text[:60]!r} is not JSON: write ["2026-01-31", ...]') from error

    def accept(self, value: Any) -> np.ndarray:
        if not isinstance(value, list) or not value:
            raise UserError("a list of times is expected, one for each value")
        if all(isinstance(item, int) and not isinstance(item, bool) for item in value):
            times = np.array(value, np.int64)
        elif all(isinstance(item, str) for item in value):
            times = _read(value)
        else:
            raise UserError("times are all texts, or all whole seconds since 1970")
        if (np.diff(times) <= 0).any():
            place = int(np.flatnonzero(np.diff(times) <= 0)[0]) + 1
            raise UserError(f"times must rise; {value[place]!r} is not after {value[place - 1]!r}")
        return times

    def describe(self) -> dict[str, Any]:
        return {"type": "int64", "shape": [None], "meaning": self.meaning}


def _read(texts: list[str]) -> np.ndarray:
    try:
        return seconds(texts)
    except ValueError as error:
        message, number = error.args
        raise UserError(f"value {number + 1}: {message}") from error
