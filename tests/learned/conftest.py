"""Recurrent layers run here as they do for users."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def _as_for_users():
    patch = pytest.MonkeyPatch()
    patch.delenv("RNNSUITE_SCAN", raising=False)
    yield
    patch.undo()
