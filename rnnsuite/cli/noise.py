"""Keeps what libraries write on standard error away from what a person reads there."""

import contextlib
import os
import re
import sys
import threading
from collections.abc import Iterator

NOISE = re.compile(
    rb"precompiled_charsmap is empty"
    rb"|Created TensorFlow Lite XNNPACK delegate"
    rb"|All log messages before absl::InitializeLog"
    rb"|oneDNN custom operations|Could not find cuda drivers|cpu_feature_guard|TF-TRT Warning"
    rb"|Unable to register cu|computation_placer|TF_ENABLE_ONEDNN_OPTS"
    rb"|To enable the following instructions|This TensorFlow binary is optimized"
    rb"|sentencepiece.*(LOG\(INFO\)|trainer_interface|unigram_model_trainer|normalizer\.cc)"
    rb"|INFO: (Initialized TensorFlow Lite runtime|Applying \d+ TensorFlow Lite delegate)"
    rb"|is STABLE: |Compiled cluster using XLA|disable MLIR crash reproducer"
)
"""Greetings and notices of libraries, which say nothing about the work at hand."""
_PATIENCE_SECONDS = 1.0


class _Filter:
    """A thread between descriptor 2 and the standard error that the process began with."""

    def __init__(self):
        sys.stderr.flush()
        self.original = os.dup(2)
        reading, writing = os.pipe()
        os.dup2(writing, 2)
        os.close(writing)
        self.python = sys.stderr
        if sys.stderr is sys.__stderr__:
            # What Python writes needs no filter, and a terminal stays a terminal.
            stream = os.fdopen(os.dup(self.original), "w", buffering=1, errors="backslashreplace")
            sys.stderr = stream
        self.thread = threading.Thread(target=self._pass_on, args=(reading,), daemon=True)
        self.thread.start()

    def _pass_on(self, reading: int) -> None:
        with open(reading, "rb") as lines:
            for line in lines:
                if not NOISE.search(line):
                    os.write(self.original, line)

    def close(self) -> None:
        """Gives descriptor 2 back."""
        sys.stderr.flush()
        os.dup2(self.original, 2)
        self.thread.join(_PATIENCE_SECONDS)
        sys.stderr = self.python


_filters: list[_Filter] = []


@contextlib.contextmanager
def filtered() -> Iterator[None]:
    """Within, the notices of libraries that are known to mean nothing are left out."""
    _filters.append(_Filter())
    try:
        yield
    finally:
        unfilter()


def unfilter() -> None:
    """Ends all filters, as before the process is replaced by another program."""
    while _filters:
        _filters.pop().close()
