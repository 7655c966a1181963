"""Strings as records have them."""

from typing import Any


def as_text(value: Any) -> str:
    """The string in a record, which may be bytes; undecodable bytes become U+FFFD."""
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)


def one_line(error: object, length: int = 300) -> str:
    """A message on one line, cut to `length` characters."""
    return " ".join(str(error).split())[:length]


def graph_message(error: object, length: int = 300) -> str:
    """What an assertion in a TensorFlow graph says, without where in the graph it stands."""
    message = str(error).split("\n\t [[")[0].split("\n\nOriginal stack trace")[0]
    message = message.replace("Graph execution error:", "").split("assertion failed: ")[-1]
    return one_line(message.split(" [[")[0], length)
