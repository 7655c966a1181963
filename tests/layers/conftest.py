"""Recurrent loops are compiled here."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def _compiled(compiled):
    """As users have them."""
