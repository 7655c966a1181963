"""What people import is explained, and stands in the reference."""

import importlib
import inspect
import re

import pytest

import rnnsuite
from tests.conftest import ROOT

MODULES = ("app", "client", "decoding", "layers", "layers.scan", "tasks.generation")
NAMES = [("rnnsuite", name) for name in rnnsuite._API]
for _module in MODULES:
    _place = f"rnnsuite.{_module}"
    NAMES += [(_place, name) for name in importlib.import_module(_place).__all__]
REFERENCE = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")


def parameters(thing):
    """Names of what it takes, but for what goes on to others."""
    kinds = {inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL}
    try:
        taken = inspect.signature(thing).parameters.values()
    except (TypeError, ValueError):
        return []
    return [each.name for each in taken if each.kind not in kinds]


def classes_and_functions():
    for place, name in NAMES:
        thing = getattr(importlib.import_module(place), name)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            yield place, name, thing


def test_each_says_what_it_takes():
    bare = []
    for place, name, thing in classes_and_functions():
        said = inspect.getdoc(thing) or ""
        if not said or (parameters(thing) and not re.search(r"^(Args|Attributes):", said, re.M)):
            bare.append(f"{place}.{name}")
    assert bare == []


@pytest.mark.parametrize("module", [m for m in MODULES if m != "layers.scan"])
def test_each_is_in_the_reference(module):
    """The scan is what the layers are made of; people call the layers."""
    entries = re.findall(r"^::: (\S+)", REFERENCE, re.M)
    missing = []
    for place, name, thing in classes_and_functions():
        home = thing.__module__
        listed = name in REFERENCE if place == "rnnsuite.layers" else place in entries
        if place == f"rnnsuite.{module}" and not listed and home not in entries:
            missing.append(f"{place}.{name} of {home}")
    assert missing == []
