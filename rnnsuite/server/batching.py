"""Requests that wait for the same model go through it together.

A request that finds the model idle goes at once, and those that come while it is busy make the next
batch. So one user waits for nothing, and many share the work. As many batches are under way as
there are cores. Where runs are brief, half of the cores take turns with them, as the other half has
the connections to serve; a batch whose turn does not come soon goes at once.
"""

import asyncio
import collections
import concurrent.futures
import dataclasses
import itertools
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

Arrays = Mapping[str, np.ndarray]
BRIEF = 0.005
"""Seconds of a run up to which the next ones wait for its end, and how long they do."""


class Threads:
    """The threads that run a signature's batches: one for each core, half as many for brief runs.

    Args:
        name: of the threads.
        parallel: batches under way at a time, one a core.
    """

    def __init__(self, name: str, parallel: int):
        self.parallel = parallel
        self.all = concurrent.futures.ThreadPoolExecutor(parallel, name)
        self.half = concurrent.futures.ThreadPoolExecutor(max(parallel // 2, 1), f"{name} brief")

    def shutdown(self) -> None:
        """Returns when nothing runs any more."""
        self.all.shutdown()
        self.half.shutdown()


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
        threads: of the signature; those of one model's versions are shared.
        together: whether requests may share a batch at all.
        max_rows: of a batch.
        on_batch: called with the rows of each batch.
    """

    def __init__(
        self,
        run: Callable[[Arrays], Arrays],
        threads: Threads,
        together: bool,
        max_rows: int,
        on_batch: Callable[[int], None] = lambda rows: None,
    ):
        self.run = run
        self.threads = threads
        self.on_batch = on_batch
        self.max_rows = max_rows if together else 1
        self.waiting: collections.deque[_Waiting] = collections.deque()
        self.running = 0
        self.seconds = 0.0  # of a run, lately

    def __call__(self, inputs: Arrays, rows: int) -> asyncio.Future:
        """What will be the answers to `rows` rows, or what `run` raises."""
        loop = asyncio.get_running_loop()
        waiting = _Waiting(inputs, rows, loop.create_future())
        self.waiting.append(waiting)
        self._start(loop)
        return waiting.done

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        while self.waiting and self.running < self.threads.parallel:
            batch = self._next()
            if not batch:
                continue
            self.running += 1
            rows = sum(request.rows for request in batch)
            self.on_batch(rows)
            if self.seconds <= BRIEF and rows < self.max_rows:
                work = self._begin(loop, self.threads.half, batch)
                loop.call_later(BRIEF, self._hasten, loop, batch, work)
            else:
                self._begin(loop, self.threads.all, batch)

    def _begin(
        self,
        loop: asyncio.AbstractEventLoop,
        pool: concurrent.futures.Executor,
        batch: list[_Waiting],
    ) -> concurrent.futures.Future:
        def tell(work: concurrent.futures.Future) -> None:
            if work.cancelled():
                return
            error = work.exception()
            answers = [error] * len(batch) if error else work.result()
            loop.call_soon_threadsafe(self._finish, loop, batch, answers)

        work = pool.submit(self._answers, batch)
        work.add_done_callback(tell)
        return work

    def _hasten(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: list[_Waiting],
        work: concurrent.futures.Future,
    ) -> None:
        """A batch that still stands in line goes to the other threads: a long run is before it."""
        if work.cancel():
            self._begin(loop, self.threads.all, batch)

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
        started = time.perf_counter()
        outputs = self._ask(*batch)
        self.seconds += (time.perf_counter() - started - self.seconds) / 4
        if len(batch) == 1:
            return [outputs]
        # An error may be one request's alone: the others must not suffer for it.
        if isinstance(outputs, Exception):
            return [self._ask(request) for request in batch]
        ends = itertools.accumulate((request.rows for request in batch), initial=0)
        return [
            {name: value[start:end] for name, value in outputs.items()}
            for start, end in itertools.pairwise(ends)
        ]

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
        self,
        loop: asyncio.AbstractEventLoop,
        batch: list[_Waiting],
        answers: Sequence[Arrays | BaseException],
    ) -> None:
        self.running -= 1
        for request, answer in zip(batch, answers, strict=True):
            if request.done.done():  # nobody waits for it any more
                continue
            if isinstance(answer, BaseException):
                request.done.set_exception(answer)
            else:
                request.done.set_result(answer)
        self._start(loop)
