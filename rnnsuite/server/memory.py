"""Memory of models that have gone, back to the operating system.

TensorFlow's graphs are in cycles that Python's collector reaches late in a server, whose other
objects are many and old; and glibc keeps what was freed in pieces, for each thread's arena anew.
"""

import contextlib
import ctypes
import gc

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


def settle() -> None:
    """What is there now stays for good: later collections need not look at it, and are short."""
    gc.collect()
    gc.freeze()


def give_back() -> None:
    """Collects what nobody holds any more, and gives free pages back where the C library can."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
