"""What a command prints on standard output."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click


def print_values(values: Mapping[str, Any], as_json: bool) -> None:
    """Prints one JSON object, or a line a value for people."""
    if as_json:
        print_line(json.dumps(values, ensure_ascii=False))
        return
    for name, value in values.items():
        print_line(f"{name}: {readable(value)}")


def print_line(text: str) -> None:
    """Prints a line on the standard output that the command began with."""
    click.echo(text, file=click.get_current_context().find_root().obj)


def print_text(text: str) -> None:
    """Prints a text at once, without a line end."""
    stream = click.get_current_context().find_root().obj
    click.echo(text, file=stream, nl=False)
    if stream is not None:
        stream.flush()


def readable(value: Any) -> str:
    """A value on one line, for people."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {readable(item)}" for name, item in value.items())
    if isinstance(value, list):
        return " ".join(readable(item) for item in value)
    return number(value)


def aligned(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Rows with the same names as the lines of a table, its header first."""
    cells = [list(rows[0]), *([readable(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]


def number(value: Any) -> str:
    """A number with four digits behind the point, or a small one as a power of ten."""
    if not isinstance(value, float):
        return str(value)
    return f"{value:.4f}" if value == 0 or abs(value) >= 1e-3 else f"{value:.1e}"
