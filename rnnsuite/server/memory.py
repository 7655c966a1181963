"""Memory of models that have gone, back to the operating system.

TensorFlow's graphs are in cycles that Python's collector reaches late in a server, whose other
objects are many and old; and glibc keeps what was freed in pieces, for each thread's arena anew.
"""

import contextlib
import ctypes
import gc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tensorflow as tf

_ARENA_MAX = -8
"""`M_ARENA_MAX` of glibc's malloc.h."""
ARENAS = 2


def few_arenas() -> None:
    """Has glibc divide its memory among few arenas; before any other thread allocates anything.

    Else a version that is loaded by one thread and asked by others leaves holes in eight arenas a
    processor, which the next version does not fill: every change of a version would take some
    megabytes for good.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").mallopt(_ARENA_MAX, ARENAS)


def dismantle(graph: "tf.Graph") -> None:
    """Lets go of what Python keeps of a graph that a session has: a description of each operation.

    They are megabytes a model, which only the collector would free, and which it would look at each
    time. Where TensorFlow has no such function, they stay.

    Args:
        graph: nothing of it can be asked afterwards but its session.
    """
    with contextlib.suppress(ImportError, AttributeError):
        from tensorflow.python.framework import ops

        ops.dismantle_graph(graph)


def settle() -> None:
    """What is there now stays for good: later collections need not look at it, and are short."""
    gc.collect()
    gc.freeze()


def give_back() -> None:
    """Collects what nobody holds any more, and gives free pages back where the C library can."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
