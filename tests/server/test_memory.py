"""A version that has gone takes its memory along."""

import asyncio
import gc
import shutil
import weakref

import pytest

from rnnsuite.server import library, memory
from rnnsuite.server.library import Library
from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def _as_before():
    yield
    gc.unfreeze()


class Cycle:
    """Something that only a collection frees."""

    def __init__(self):
        self.itself = self


def test_what_nobody_holds_is_collected_though_old_objects_are_not_looked_at():
    memory.settle()
    assert gc.get_freeze_count() > 1000
    gone = weakref.ref(Cycle())
    memory.give_back()
    assert gone() is None


def test_a_version_that_is_unloaded_leaves_no_graph(tmp_path, monkeypatch):
    """Its graph is in cycles, and automatic collections may be far away."""
    monkeypatch.setattr(library, "RELEASE", 0.05)
    models = tmp_path / "models" / "sentiment"
    shutil.copytree(ROOT / "saved_models" / "sentiment" / "1", models / "1")

    async def swapped():
        served = Library(tmp_path / "models", (), {}, 1, lambda servable: {})
        await served.start()
        graph = weakref.ref(served.models["sentiment"][1].servable.session.graph)
        shutil.copytree(models / "1", models / "2")
        gc.disable()
        try:
            await served.refresh(settled=True)
            assert list(served.models["sentiment"]) == [2]
            for _ in range(100):
                if graph() is None:
                    break
                await asyncio.sleep(0.05)
        finally:
            gc.enable()
        served.close()
        return graph()

    assert asyncio.run(swapped()) is None
