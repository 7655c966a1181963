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
    """Runs one signature of one model; a request is never divided. For one event loop.

    Args:
        run: answers arrays.
        pool: its threads.
        together: whether requests may share a batch at all.
        max_rows: of a batch.
        parallel: batches under way at a time.
        on_batch: called with the rows of each batch.
    """

    def __init__(
        self,
        run: Callable[[Arrays], Arrays],
        pool: concurrent.futures.Executor,
        together: bool,
        max_rows: int,
        parallel: int,
        on_batch: Callable[[int], None] = lambda rows: None,
    ):
        self.run = run
        self.pool = pool
        self.on_batch = on_batch
        self.max_rows = max_rows if together else 1
        self.parallel = parallel
        self.waiting: collections.deque[_Waiting] = collections.deque()
        self.running = 0

    def __call__(self, inputs: Arrays, rows: int) -> asyncio.Future:
        """What will be the answers to `rows` rows, or what `run` raises."""
        loop = asyncio.get_running_loop()
        waiting = _Waiting(inputs, rows, loop.create_future())
        self.waiting.append(waiting)
        self._start(loop)
        return waiting.done

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        while self.waiting and self.running < self.parallel:
            batch = self._next()
            if batch:
                self.running += 1
                self.on_batch(sum(request.rows for request in batch))
                work = loop.run_in_executor(self.pool, self._answers, batch)
                work.add_done_callback(lambda done, batch=batch: self._finish(loop, batch, done))

    def _next(self) -> list[_Waiting]:
        """The requests at the head of the queue that may go together; whoever has gone away is left
        out.
        """
        batch: list[_Waiting] = []
        rows = 0
        while self.waiting:
            first = self.waiting[0]
            if first.done.done():
                self.waiting.popleft()
                continue
            if batch and (rows + first.rows > self.max_rows or first.kind != batch[0].kind):
                break
            batch.append(self.waiting.popleft())
            rows += first.rows
        return batch

    def _answers(self, batch: list[_Waiting]) -> list[Arrays | Exception]:
        outputs = self._ask(*batch)
        if len(batch) == 1:
            return [outputs]
        # An error may be one request's alone: the others must not suffer for it.
        if isinstance(outputs, Exception):
            return [self._ask(request) for request in batch]
        ends = np.cumsum([request.rows for request in batch])[:-1]
        parts = {name: np.split(value, ends) for name, value in outputs.items()}
        return [{name: parts[name][number] for name in parts} for number in range(len(batch))]

    def _ask(self, *batch: _Waiting) -> Arrays | Exception:
        """Answers to requests together. An error is given back: told to whoever asked."""
        first, *others = batch
        try:
            if not others:
                return self.run(first.inputs)
            joined = {
                name: np.concatenate([request.inputs[name] for request in batch])
                for name in first.inputs
            }
            return self.run(joined)
        except Exception as error:
            return error

    def _finish(
        self, loop: asyncio.AbstractEventLoop, batch: list[_Waiting], work: asyncio.Future
    ) -> None:
        self.running -= 1
        for request, answer in zip(batch, work.result(), strict=True):
            if request.done.done():  # nobody waits for it any more
                continue
            if isinstance(answer, Exception):
                request.done.set_exception(answer)
            else:
                request.done.set_result(answer)
        self._start(loop)
