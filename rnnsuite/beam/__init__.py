"""Scoring without end on Apache Beam: whole folders of requests by any of our models.

    python -m rnnsuite.beam APP --model MODEL --input 'rows*.jsonl' --output FOLDER [Beam's options]

`score` is that command as a function; `SavedModelHandler` is for RunInference in a pipeline of your
own. Beam comes with the extra: pip install 'rnnsuite[beam]'.
"""

import importlib
from typing import Any

_PLACES = {"SavedModelHandler": "handler", "score": "pipeline"}
__all__ = ["SavedModelHandler", "score"]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
