"""What is printed: JSON for programs, lines for people."""

import json

import click
import pytest
from click.testing import CliRunner

from rnnsuite.cli import output


def printed(*arguments):
    @click.command()
    @click.pass_context
    def command(context):
        context.obj = None
        output.print_values(*arguments)

    return CliRunner().invoke(command, catch_exceptions=False).output


VALUES = {"label": "é", "loss": 0.00001234, "scores": [0.5, 2], "by": {"a": 0.25, "b": None}}


def test_one_json_object():
    assert json.loads(printed(VALUES, True)) == VALUES


def test_a_line_a_value():
    assert printed(VALUES, False).splitlines() == [
        "label: é",
        "loss: 1.2e-05",
        "scores: 0.5000 2",
        "by: a 0.2500, b None",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.0000"), (1.0, "1.0000"), (-0.5, "-0.5000"), (1e-4, "1.0e-04"), (7, "7"), ("x", "x")],
)
def test_numbers(value, text):
    assert output.number(value) == text
