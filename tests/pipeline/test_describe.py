"""What `rnnsuite config` prints: every key, default, bounds and meaning."""

import json
from typing import Annotated, Literal

import pydantic
import pytest
from click.testing import CliRunner

from rnnsuite import catalog
from rnnsuite.cli.main import main
from rnnsuite.core.section import Fraction, Positive, section
from rnnsuite.pipeline.config import Schema
from rnnsuite.pipeline.describe import bounds, describe

APPS = sorted(catalog.summaries())


@section
class Inner:
    """A section within one."""

    rate: Fraction = 0.1
    """Share of something."""


@section
class Outer:
    """A section."""

    units: Positive = 3
    """Units of a layer."""
    kind: Literal["a", "b"] = "a"
    """Which of two."""
    names: tuple[str, ...] = ()
    """Some names."""
    limit: Annotated[float, pydantic.Field(gt=0, lt=1)] = 0.5
    """A limit."""
    inner: Inner = Inner()
    """What is within."""


def schema():
    return Schema("x", {"data": Outer, "model": Inner}, {})


@pytest.mark.parametrize("app", APPS)
def test_every_key_of_every_application(app):
    keys = describe(Schema.of(app))
    assert len({key.name for key in keys}) == len(keys)
    for key in keys:
        json.loads(key.default)
        assert len(key.meaning.split()) > 1, key.name


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        (Literal["a", "b"], "a | b"),
        (Annotated[int, pydantic.Field(ge=1, le=9)], "at least 1, at most 9"),
        (Annotated[float, pydantic.Field(gt=0, lt=1)], "above 0, below 1"),
        (tuple[int, ...], "list"),
        (tuple[Literal["x"], ...], "list of x"),
        (str, ""),
    ],
)
def test_bounds_in_words(hint, expected):
    assert bounds(hint) == expected


@pytest.mark.parametrize("app", APPS)
def test_from_the_shell(app):
    text = CliRunner().invoke(main, ["config", app])
    assert text.exit_code == 0
    values = json.loads(CliRunner().invoke(main, ["config", app, "--json"]).stdout)
    listed = values.get("keys", values)
    assert "train.epochs" in json.dumps(listed)
    assert all(key in text.stdout for key in ("train.epochs", "data.source", "export.weights"))


def test_an_unknown_application_is_named():
    done = CliRunner().invoke(main, ["config", "sentimant"])
    assert done.exit_code == 2
    assert "Did you mean sentiment" in done.output
