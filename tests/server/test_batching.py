"""The batcher alone: who goes together, who waits, and whose error is whose."""

import asyncio
import threading

import numpy as np
import pytest

from rnnsuite.server import batching
from rnnsuite.server.batching import Batcher, Threads


class Model:
    """Doubles its inputs; refuses negative ones; counts the rows of its runs."""

    def __init__(self):
        self.runs = []
        self.begun = 0
        self.open = threading.Event()
        self.open.set()

    def __call__(self, inputs):
        self.begun += 1
        assert self.open.wait(10)
        self.runs.append(len(inputs["x"]))
        if np.any(inputs["x"] < 0):
            raise ValueError("negative")
        return {"y": 2 * inputs["x"]}


@pytest.fixture
def threads():
    made = Threads("test", 1)
    yield made
    made.shutdown()


@pytest.fixture
def two():
    made = Threads("test", 2)
    yield made
    made.shutdown()


def row(*values, width=1):
    return {"x": np.repeat(np.array(values, np.float32)[:, None], width, axis=1)}


def answered(model, threads, requests, together=True, most=8):
    """Results or errors of requests that come while the model is busy with the first."""

    async def ask():
        batcher = Batcher(model, threads, together, most)
        model.open.clear()
        futures = [batcher(request, len(request["x"])) for request in requests]
        await asyncio.sleep(0.05)
        model.open.set()
        return await asyncio.wait_for(asyncio.gather(*futures, return_exceptions=True), 20)

    return asyncio.run(ask())


def test_those_that_come_meanwhile_go_together(threads):
    model = Model()
    requests = [row(number) for number in range(6)]
    found = answered(model, threads, requests)
    assert [float(answer["y"][0, 0]) for answer in found] == [0, 2, 4, 6, 8, 10]
    assert model.runs == [1, 5]


def test_a_request_is_never_divided_and_the_bound_holds(threads):
    model = Model()
    requests = [row(1), row(2, 3, 4), row(5, 6), row(7), row(*range(20))]
    found = answered(model, threads, requests, most=4)
    for request, answer in zip(requests, found, strict=True):
        np.testing.assert_array_equal(answer["y"], 2 * request["x"])
    assert model.runs == [1, 3, 3, 20]


def test_what_may_not_go_together_goes_alone(threads):
    model = Model()
    found = answered(model, threads, [row(number) for number in range(4)], together=False)
    assert [float(answer["y"][0, 0]) for answer in found] == [0, 2, 4, 6]
    assert model.runs == [1, 1, 1, 1]


def test_other_shapes_share_no_batch(threads):
    model = Model()
    requests = [row(0), row(1), row(2, width=3), row(3, width=3), row(4)]
    found = answered(model, threads, requests)
    assert [answer["y"].shape for answer in found] == [(1, 1), (1, 1), (1, 3), (1, 3), (1, 1)]
    assert model.runs == [1, 1, 2, 1]


def test_an_error_is_only_its_own(threads):
    """Together they fail; asked alone, only the bad one does."""
    model = Model()
    found = answered(model, threads, [row(0), row(1), row(-1), row(3)])
    assert isinstance(found[2], ValueError)
    assert [float(found[number]["y"][0, 0]) for number in (0, 1, 3)] == [0, 2, 6]


def test_those_for_whom_there_is_no_memory_together_are_asked_alone(threads, monkeypatch):
    def no_memory(arrays):
        raise MemoryError

    monkeypatch.setattr(np, "concatenate", no_memory)
    found = answered(Model(), threads, [row(1), row(2), row(-1), row(3)])
    assert [float(answer["y"][0, 0]) for answer in (*found[:2], found[3])] == [2, 4, 6]
    assert isinstance(found[2], ValueError)


def test_answers_that_cannot_be_divided_are_an_error_for_all_and_hold_up_nobody(threads):
    async def ask():
        batcher = Batcher(lambda inputs: {"y": len(inputs["x"])}, threads, True, 8)
        for _ in range(3):
            futures = [batcher(row(number), 1) for number in range(3)]
            found = await asyncio.wait_for(asyncio.gather(*futures, return_exceptions=True), 20)
        return found

    first, *others = asyncio.run(ask())
    assert first == {"y": 1}
    assert all(isinstance(other, TypeError) for other in others)


def test_who_has_gone_away_is_left_out(threads):
    model = Model()

    async def ask():
        batcher = Batcher(model, threads, True, 8)
        model.open.clear()
        futures = [batcher(row(number), 1) for number in range(4)]
        await asyncio.sleep(0.05)
        futures[2].cancel()
        model.open.set()
        return await asyncio.gather(*futures, return_exceptions=True)

    found = asyncio.run(ask())
    assert isinstance(found[2], asyncio.CancelledError)
    assert [float(found[number]["y"][0, 0]) for number in (0, 1, 3)] == [0, 2, 6]
    assert model.runs == [1, 2]


def test_so_many_batches_at_a_time(two):
    model = Model()
    answered(model, two, [row(number) for number in range(5)])
    assert sorted(model.runs) == [1, 1, 3]


@pytest.mark.parametrize(
    ("seconds", "most", "waited", "begun"),
    [
        pytest.param(0.0, 8, 60.0, 1, id="brief runs take turns"),
        pytest.param(0.0, 8, 0.001, 2, id="a turn that does not come"),
        pytest.param(90.0, 8, 60.0, 2, id="long runs go at once"),
        pytest.param(0.0, 1, 60.0, 2, id="full batches go at once"),
    ],
)
def test_a_second_batch(two, monkeypatch, seconds, most, waited, begun):
    """Whether it begins while the first one runs."""
    monkeypatch.setattr(batching, "BRIEF", waited)
    model = Model()

    async def ask():
        batcher = Batcher(model, two, True, most)
        batcher.seconds = seconds
        model.open.clear()
        futures = [batcher(row(number), 1) for number in range(2)]
        while model.begun < begun:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        at_once = model.begun
        model.open.set()
        return at_once, await asyncio.wait_for(asyncio.gather(*futures), 20)

    at_once, found = asyncio.run(ask())
    assert at_once == begun
    assert [float(answer["y"][0, 0]) for answer in found] == [0, 2]
    assert model.begun == 2


def test_an_idle_model_is_asked_at_once(threads):
    model = Model()

    async def ask():
        batcher = Batcher(model, threads, True, 8)
        return [float((await batcher(row(n), 1))["y"][0, 0]) for n in range(3)]

    assert asyncio.run(ask()) == [0, 2, 4]
    assert model.runs == [1, 1, 1]
