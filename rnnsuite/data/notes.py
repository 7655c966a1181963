"""What reading a source leaves to say: records that were left out, and how its files were read.

A training reads a source several times, once a split; within `collected` each is said once.
"""

import contextlib
import contextvars
import logging
from collections.abc import Iterator
from typing import Any

from rnnsuite.core.errors import UserError

log = logging.getLogger(__name__)
SHOWN = 3
"""Bad records of a source that are shown; all of them are in the notes."""


class Notes:
    """What has been said.

    Attributes:
        skipped: what is wrong with each record that was left out, with its file and line.
        said: all messages, also those of notes around these.
    """

    def __init__(self, outer: "Notes | None" = None):
        self.skipped: dict[str, None] = {}
        self.said: set[str] = outer.said if outer else set()


_collected: contextvars.ContextVar[Notes | None] = contextvars.ContextVar("notes", default=None)


@contextlib.contextmanager
def collected() -> Iterator[Notes]:
    """Within, messages are collected and each is said once. Yields the notes."""
    notes = Notes(_collected.get())
    token = _collected.set(notes)
    try:
        yield notes
    finally:
        _collected.reset(token)


def say(message: str, level: int = logging.INFO) -> None:
    """Logs a message about a source, once."""
    notes = _collected.get()
    if notes is not None and message in notes.said:
        return
    if notes is not None:
        notes.said.add(message)
    log.log(level, "%s", message)


class Skips:
    """What to do with bad records: raise UserError, or leave them out and go on.

    Args:
        on_error: "error" or "skip".
    """

    def __init__(self, on_error: str):
        self.on_error = on_error
        self.messages: list[str] = []

    @property
    def count(self) -> int:
        return len(self.messages)

    def __call__(self, message: str) -> None:
        """Tells of a bad record. Raises UserError, with `message`, where none may be left out."""
        if self.on_error == "error":
            raise UserError(
                f"{message} Mend it, or leave such records out with --set data.on_error=skip."
            )
        self.leave_out(message)

    def leave_out(self, message: str) -> None:
        """Tells of what is no record at all and is left out in any case."""
        self.messages.append(message)

    def report(self, origin: Any) -> None:
        """Says how many were left out, and shows the first few that have not been shown before."""
        notes = _collected.get()
        said = notes.said if notes is not None else set()
        messages = [message for message in self.messages if message not in said]
        if notes is not None:
            notes.skipped.update(dict.fromkeys(self.messages))
            notes.said.update(messages)
        if not messages:
            return
        further = len(messages) - SHOWN
        lines = [*messages[:SHOWN], *([f"... and {further} more."] if further > 0 else [])]
        log.warning(
            "%s: %d bad records skipped.\n%s",
            origin,
            len(messages),
            "\n".join(f"  {line}" for line in lines),
        )
