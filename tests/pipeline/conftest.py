"""A run folder of an application."""

import pytest

from rnnsuite import catalog
from rnnsuite.pipeline.run import Run


@pytest.fixture(scope="module")
def app():
    return catalog.find("sentiment")


@pytest.fixture
def run(app, tmp_path):
    return Run(app, tmp_path / "run")
