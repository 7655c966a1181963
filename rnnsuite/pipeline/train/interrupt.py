"""Ctrl-C and SIGTERM in a training: the step under way ends and its state is saved."""

import contextlib
import signal
import threading
from collections.abc import Iterator

from rnnsuite.core.errors import Interrupted
from rnnsuite.pipeline.run import Run

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Whether this process has been told to stop.

    Attributes:
        signal: the number of the signal that came, or None.
        is_waited_for: whether somebody looks at `signal` soon; otherwise the signal interrupts at
            once, and so does a second one.
    """

    def __init__(self):
        self.signal: int | None = None
        self.is_waited_for = False

    def receive(self, number: int, frame: object = None) -> None:
        """Handles a signal."""
        again = self.signal is not None
        self.signal = number
        if again or not self.is_waited_for:
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def waited_for(self) -> Iterator[None]:
        """Within, the first signal is only noted."""
        self.is_waited_for = True
        try:
            yield
        finally:
            self.is_waited_for = False


@contextlib.contextmanager
def stoppable(run: Run) -> Iterator[Stop]:
    """Within, SIGINT and SIGTERM end the training with what is true about it.

    Args:
        run: that is trained.

    Yields:
        What tells of a signal.

    Raises:
        Interrupted: in place of KeyboardInterrupt.
    """
    stop = Stop()
    is_main = threading.current_thread() is threading.main_thread()
    before = {number: signal.signal(number, stop.receive) for number in SIGNALS if is_main}
    try:
        yield stop
    except Interrupted:
        raise
    except KeyboardInterrupt as error:
        kept = (
            "the same command goes on from the last checkpoint"
            if run.has_progress
            else "there was no checkpoint yet, and nothing is left"
        )
        raise Interrupted(f"interrupted; {kept}.", stop.signal or signal.SIGINT) from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
