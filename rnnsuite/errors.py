"""Errors that are the user's to mend, and the nearest name to a mistyped one."""

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """A mistake in what was asked for. Its text names the thing and the mend, in one or two lines."""


class NotFinite(UserError):
    """Training produced a loss or gradient that is not a finite number."""


def nearest(name: str, known: Iterable[str]) -> str:
    """`" Did you mean units?"` where a known name is close to `name`, otherwise what is known."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f" Did you mean {close[0]}?" if close else f" Known: {', '.join(known) or 'none'}."
