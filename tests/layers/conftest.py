"""Recurrent loops are compiled here."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def _compiled(compiled):
    """The native kernel is tested by itself."""
