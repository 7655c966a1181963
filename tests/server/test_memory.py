"""A version that has gone takes its memory along."""

import asyncio
import gc
import platform
import shutil
import subprocess
import sys
import weakref

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import ops

from rnnsuite.server import library, memory
from rnnsuite.server.library import Library
from rnnsuite.server.servable import Servable
from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def _as_before():
    yield
    gc.unfreeze()


class Cycle:
    """Something that only a collection frees."""

    def __init__(self):
        self.itself = self


ARENAS = """
import ctypes, sys, threading
import numpy  # as the command has done by then
from rnnsuite.server import memory
if sys.argv[1] == "few":
    memory.few_arenas()
together = threading.Barrier(8)
def allocate():
    together.wait()
    kept = [bytearray(2000) for _ in range(2000)]
    together.wait()
threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc = ctypes.CDLL("libc.so.6")
libc.fopen.restype = ctypes.c_void_p
stream = ctypes.c_void_p(libc.fopen(sys.argv[2].encode(), b"w"))
libc.malloc_info(0, stream)
libc.fclose(stream)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of glibc")
def test_threads_share_few_arenas(tmp_path):
    counts = {}
    for number in ("few", "many"):
        told = tmp_path / f"{number}.xml"
        subprocess.run([sys.executable, "-c", ARENAS, number, str(told)], check=True)
        counts[number] = told.read_text().count("<heap ")
    assert counts["few"] <= memory.ARENAS < counts["many"]


def test_that_is_said_before_tensorflow_has_threads():
    program = (
        "import sys\n"
        "from rnnsuite.server import memory\n"
        "memory.few_arenas = lambda: print('tensorflow' in sys.modules)\n"
        "from rnnsuite.cli.main import main\n"
        "main(['serve', '--models', 'nowhere'])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr


def test_what_nobody_holds_is_collected_though_old_objects_are_not_looked_at():
    memory.settle()
    assert gc.get_freeze_count() > 1000
    gone = weakref.ref(Cycle())
    memory.give_back()
    assert gone() is None


@pytest.mark.parametrize("is_dismantled", [True, False])
def test_python_keeps_nothing_of_a_graph_where_tensorflow_can_let_go(is_dismantled, monkeypatch):
    if not is_dismantled:
        monkeypatch.delattr(ops, "dismantle_graph")
    memory.settle()
    servable = Servable("sentiment", 1, ROOT / "saved_models" / "sentiment" / "1")
    gc.collect()
    operations = sum(isinstance(thing, tf.Operation) for thing in gc.get_objects())
    assert (operations < 10) == is_dismantled
    answer = servable.run("serving_default", {"text": np.array([b"a good film"])})
    assert answer["label"] == [b"pos"]
    servable.close()


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


def test_what_the_first_requests_leave_is_given_back(tmp_path, monkeypatch):
    """Those of a version that is loaded optimise its graphs, which takes memory for a moment."""
    given = []
    monkeypatch.setattr(library, "WARM", 0.01)
    monkeypatch.setattr(library.memory, "give_back", lambda: given.append(True))
    monkeypatch.setattr(library, "Servable", lambda *arguments: object())
    (tmp_path / "sentiment" / "1").mkdir(parents=True)

    async def loaded():
        served = Library(tmp_path, (), {}, 1, lambda servable: {})
        await served.start()
        for _ in range(500):
            if given:
                break
            await asyncio.sleep(0.01)

    asyncio.run(loaded())
    assert given == [True]
