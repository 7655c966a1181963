"""The batcher alone: who goes together, who waits, and whose error is whose."""

import asyncio
import concurrent.futures
import threading

import numpy as np
import pytest

from rnnsuite.server.batching import Batcher


class Model:
    """Doubles its inputs; refuses negative ones; counts the rows of its runs."""

    def __init__(self):
        self.runs = []
        self.open = threading.Event()
        self.open.set()

    def __call__(self, inputs):
        assert self.open.wait(10)
        self.runs.append(len(inputs["x"]))
        if np.any(inputs["x"] < 0):
            raise ValueError("negative")
        return {"y": 2 * inputs["x"]}


@pytest.fixture
def pool():
    with concurrent.futures.ThreadPoolExecutor(4) as executor:
        yield executor


def row(*values, width=1):
    return {"x": np.repeat(np.array(values, np.float32)[:, None], width, axis=1)}


def answered(model, pool, requests, together=True, most=8, parallel=1):
    """Results or errors of requests that come while the model is busy with the first."""

    async def ask():
        batcher = Batcher(model, pool, together, most, parallel)
        model.open.clear()
        futures = [batcher(request, len(request["x"])) for request in requests]
        await asyncio.sleep(0.05)
        model.open.set()
        return await asyncio.wait_for(asyncio.gather(*futures, return_exceptions=True), 20)

    return asyncio.run(ask())


def test_those_that_come_meanwhile_go_together(pool):
    model = Model()
    requests = [row(number) for number in range(6)]
    found = answered(model, pool, requests)
    assert [float(answer["y"][0, 0]) for answer in found] == [0, 2, 4, 6, 8, 10]
    assert model.runs == [1, 5]


def test_a_request_is_never_divided_and_the_bound_holds(pool):
    model = Model()
    requests = [row(1), row(2, 3, 4), row(5, 6), row(7), row(*range(20))]
    found = answered(model, pool, requests, most=4)
    for request, answer in zip(requests, found, strict=True):
        np.testing.assert_array_equal(answer["y"], 2 * request["x"])
    assert model.runs == [1, 3, 3, 20]


def test_what_may_not_go_together_goes_alone(pool):
    model = Model()
    found = answered(model, pool, [row(number) for number in range(4)], together=False)
    assert [float(answer["y"][0, 0]) for answer in found] == [0, 2, 4, 6]
    assert model.runs == [1, 1, 1, 1]


def test_other_shapes_share_no_batch(pool):
    model = Model()
    requests = [row(0), row(1), row(2, width=3), row(3, width=3), row(4)]
    found = answered(model, pool, requests)
    assert [answer["y"].shape for answer in found] == [(1, 1), (1, 1), (1, 3), (1, 3), (1, 1)]
    assert model.runs == [1, 1, 2, 1]


def test_an_error_is_only_its_own(pool):
    """Together they fail; asked alone, only the bad one does."""
    model = Model()
    found = answered(model, pool, [row(0), row(1), row(-1), row(3)])
    assert isinstance(found[2], ValueError)
    assert [float(found[number]["y"][0, 0]) for number in (0, 1, 3)] == [0, 2, 6]


def test_those_for_whom_there_is_no_memory_together_are_asked_alone(pool, monkeypatch):
    def no_memory(arrays):
        raise MemoryError

    monkeypatch.setattr(np, "concatenate", no_memory)
    found = answered(Model(), pool, [row(1), row(2), row(-1), row(3)])
    assert [float(answer["y"][0, 0]) for answer in (*found[:2], found[3])] == [2, 4, 6]
    assert isinstance(found[2], ValueError)


def test_who_has_gone_away_is_left_out(pool):
    model = Model()

    async def ask():
        batcher = Batcher(model, pool, True, 8, 1)
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


def test_so_many_batches_at_a_time(pool):
    model = Model()
    answered(model, pool, [row(number) for number in range(5)], parallel=2)
    assert sorted(model.runs) == [1, 1, 3]


def test_an_idle_model_is_asked_at_once(pool):
    model = Model()

    async def ask():
        batcher = Batcher(model, pool, True, 8, 1)
        return [float((await batcher(row(n), 1))["y"][0, 0]) for n in range(3)]

    assert asyncio.run(ask()) == [0, 2, 4]
    assert model.runs == [1, 1, 1]
