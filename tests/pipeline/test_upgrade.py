"""Configurations of version 0.1.0, with the words of then."""

import pytest

from rnnsuite import catalog
from rnnsuite.core.errors import UserError
from rnnsuite.core.nested import get, put, remove
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.config import RETIRED, Schema

APPS = sorted(catalog.summaries())
RENAMED = [
    (app, section, old, new)
    for app in APPS
    for section, kind in catalog.sections(app).items()
    for old, new in getattr(kind, "RENAMED", {}).items()
]


def plain(app):
    return configuration.plain(configuration.load(catalog.find(app), "tiny"))


@pytest.mark.parametrize(("app", "section", "old", "new"), RENAMED)
def test_a_key_of_then_is_read_as_that_of_today(app, section, old, new):
    values = plain(app)
    wanted = get(values, f"{section}.{new}")
    then = put(remove(values, f"{section}.{new}"), f"{section}.{old}", wanted)
    schema = Schema.of(app)
    assert schema.build(schema.upgrade(then)) == schema.build(values)


@pytest.mark.parametrize(("app", "section", "old", "new"), RENAMED)
def test_today_a_key_of_then_is_a_mistake(app, section, old, new):
    with pytest.raises(UserError, match="unknown key"):
        configuration.load(catalog.find(app), "tiny", [f"{section}.{old}=1"])


@pytest.mark.parametrize("key", RETIRED)
def test_what_has_no_successor_is_left_out(key):
    values = put(plain("sentiment"), key, 0.01)
    schema = Schema.of("sentiment")
    assert schema.build(schema.upgrade(values)) == schema.build(plain("sentiment"))


@pytest.mark.parametrize("app", APPS)
def test_todays_configurations_stay_as_they_are(app):
    values = plain(app)
    assert Schema.of(app).upgrade(values) == values


def test_nested_values():
    values = {"a": {"b": {"c": 1}}, "d": 2}
    assert get(values, "a.b.c") == 1
    assert get(values, "a.x.c") is None
    assert get(values, "d.b") is None
    assert put(values, "a.b.e", 3)["a"]["b"] == {"c": 1, "e": 3}
    assert put(values, "n.m", 3)["n"] == {"m": 3}
    assert remove(values, "a.b.c")["a"]["b"] == {}
    assert remove(values, "x.y") == values
    assert values == {"a": {"b": {"c": 1}}, "d": 2}
