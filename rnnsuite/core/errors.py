"""Errors that a user can fix, and the nearest name to a mistyped one."""

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """An error the user can fix. The message says what is wrong and how to fix it."""


class NoSplit(UserError):
    """A split that a source does not have."""


class NotFinite(UserError):
    """Training produced a loss or gradient that is not a finite number."""


class Refused(UserError):
    """A model's graph refused a request."""


class ExportFailed(UserError):
    """An export that could not be made or does not answer as its model. Nothing was published."""


class Interrupted(KeyboardInterrupt):
    """A signal ended the work. The message says what is kept of it.

    Args:
        message: in a sentence.
        number: of the signal.
    """

    def __init__(self, message: str, number: int = 2):
        super().__init__(message)
        self.number = number


def nearest(name: str, known: Iterable[str]) -> str:
    """`" Did you mean units?"` where a known name is close to `name`, otherwise what is known."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f" Did you mean {close[0]}?" if close else f" Known: {', '.join(names) or 'none'}."
