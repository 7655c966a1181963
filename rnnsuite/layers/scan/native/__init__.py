"""Recurrences in C++, for training and inference on a CPU in this process.

The library is built once, where there is a compiler, and kept in the cache. Where there is none,
or where anything else stands against it, the compiled loops run as they would without it. It is
never part of an export.
"""

from rnnsuite.layers.scan.native.kernel import fits, run
from rnnsuite.layers.scan.native.shared_library import library

__all__ = ["fits", "library", "run"]
