"""rnnsuite: recurrent layers and finished recurrent applications on Keras 3 and TensorFlow.

`rnnsuite.load`, `train`, `tune` and `export` do what the commands of the shell do; they are in
`rnnsuite.api`, which imports TensorFlow when one of them is used for the first time.
"""

import importlib
from typing import Any

__version__ = "0.2.0"
_API = ("Model", "Trained", "export", "load", "train", "tune")


def __getattr__(name: str) -> Any:
    if name not in _API:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.api"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_API])
