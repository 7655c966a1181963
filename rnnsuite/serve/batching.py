"""Requests that wait for the same model go through it together.

There is no timer: a request that finds the model idle goes at once, and those that come while it
is busy make the next batch. So one user waits for nothing, and many share the work.
"""

import asyncio
import collections
import concurrent.futures
import dataclasses
from collections.abc import Callable, Mapping

import numpy as np

Arrays = Mapping[str, np.ndarray]


@dataclasses.dataclass
class _Waiting:
    inputs: Arrays
    rows: int
    done: asyncio.Future

    @property
    def kind(self) -> tuple:
        """What requests must have in common to share a batch."""
        return tuple((name, value.shape[1:]) for name, value in sorted(self.inputs.items()))


class Batcher:
    """Runs one signature of one model in `pool`'s threads, `most` rows at a time; a request is never divided.

    together: whether requests may share a batch at all. parallel: batches that may be under way
    at once. noted(rows) is told the size of each. To be used from one event loop.
    """

    def __init__(
        self,
        run: Callable[[Arrays], Arrays],
        pool: concurrent.futures.Executor,
        together: bool,
        most: int,
        parallel: int,
        noted: Callable[[int], None] = lambda rows: None,
    ):
        self.run, self.pool, self.noted = run, pool, noted
        self.most, self.parallel = most if together else 1, parallel
        self.waiting: collections.deque[_Waiting] = collections.deque()
        self.running = 0

    def __call__(self, inputs: Arrays, rows: int) -> asyncio.Future:
        """What will be the answers to `rows` rows, or what `run` raises."""
        loop = asyncio.get_running_loop()
        asked = _Waiting(inputs, rows, loop.create_future())
        self.waiting.append(asked)
        self._start(loop)
        return asked.done

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        while self.waiting and self.running < self.parallel:
            batch = self._next()
            if batch:
                self.running += 1
                self.noted(sum(each.rows for each in batch))
                work = loop.run_in_executor(self.pool, self._answers, batch)
                work.add_done_callback(lambda done, batch=batch: self._finish(loop, batch, done))

    def _next(self) -> list[_Waiting]:
        """The requests at the head of the queue that may go together; whoever has gone away is left out."""
        batch: list[_Waiting] = []
        rows = 0
        while self.waiting:
            first = self.waiting[0]
            if first.done.done():
                self.waiting.popleft()
                continue
            if batch and (rows + first.rows > self.most or first.kind != batch[0].kind):
                break
            batch.append(self.waiting.popleft())
            rows += first.rows
        return batch

    def _answers(self, batch: list[_Waiting]) -> list[Arrays | Exception]:
        if len(batch) == 1:
            return [self._one(batch[0].inputs)]
        joined = {name: np.concatenate([each.inputs[name] for each in batch]) for name in batch[0].inputs}
        outputs = self._one(joined)
        if isinstance(outputs, Exception):  # of one of them, perhaps: the others must not suffer for it
            return [self._one(each.inputs) for each in batch]
        ends = np.cumsum([each.rows for each in batch])[:-1]
        parts = {name: np.split(value, ends) for name, value in outputs.items()}
        return [{name: parts[name][number] for name in parts} for number in range(len(batch))]

    def _one(self, inputs: Arrays) -> Arrays | Exception:
        try:
            return self.run(inputs)
        except Exception as error:  # told to whoever asked
            return error

    def _finish(self, loop: asyncio.AbstractEventLoop, batch: list[_Waiting], work: asyncio.Future) -> None:
        self.running -= 1
        for each, answer in zip(batch, work.result(), strict=True):
            if each.done.done():  # nobody waits for it any more
                continue
            if isinstance(answer, Exception):
                each.done.set_exception(answer)
            else:
                each.done.set_result(answer)
        self._start(loop)
