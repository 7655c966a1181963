"""Memory of models that have gone, back to the operating system.

TensorFlow's graphs are in cycles that Python's collector reaches late in a server, whose other
objects are many and old; and glibc keeps what was freed in pieces.
"""

import contextlib
import ctypes
import gc


def settle() -> None:
    """What is there now stays for good: later collections need not look at it, and are short."""
    gc.collect()
    gc.freeze()


def give_back() -> None:
    """Collects what nobody holds any more, and gives free pages back where the C library can."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
