"""A text piece by piece, as it is made, from a run or an exported model."""

import pathlib
from collections.abc import Iterator, Sequence

from rnnsuite.app import App
from rnnsuite.core.errors import UserError
from rnnsuite.core.fields import Record
from rnnsuite.core.text import as_text
from rnnsuite.pipeline.inference.card import training_config
from rnnsuite.pipeline.inference.models import open_model
from rnnsuite.pipeline.inference.predictor import Predictor

BEGIN = "begin"
PROCEED = "proceed"


class Live:
    """A model that writes piece by piece: signatures begin and proceed; see `Serving.live`.

    Args:
        app: the application.
        path: its model, but no .tflite file.
        overrides: `key=value` of sections that bind no training.

    Raises:
        UserError: where the application or this form of it does not write piece by piece.
    """

    def __init__(self, app: App, path: str | pathlib.Path, overrides: Sequence[str] = ()):
        if app.serving.live is None:
            raise UserError(f"{app.name} does not write piece by piece.")
        self.model: Predictor = open_model(app, path, overrides)
        if PROCEED not in self.model.signatures:
            raise UserError(
                f"{path} does not write piece by piece: give the run or the SavedModel."
            )
        config = training_config(app, pathlib.Path(path), overrides)
        self.settings = config.sections[app.serving.live]

    def pieces(self, record: Record) -> Iterator[str]:
        """The pieces of the answer to a record, which end before a stop.

        What could be the beginning of a stop is held back until it is known to be none.
        """
        begun = self.model.answer([record], BEGIN, {"seed": self.settings.seed})
        states = {name: column[0] for name, column in begun.items()}
        options = {name: getattr(self.settings, name) for name in self.model.signatures[PROCEED]}
        text = ""
        shown = 0
        for _ in range(self.settings.max_length):
            outputs = self.model.answer([states], PROCEED, options)
            states = {name: outputs[name][0] for name in states}
            if outputs["is_last"][0]:
                break
            text += as_text(outputs["text"][0])
            end = _stop(text, self.settings.stop)
            if end is not None:
                text = text[:end]
                break
            safe = len(text) - _begun(text, self.settings.stop)
            if safe > shown:
                yield text[shown:safe]
                shown = safe
        if len(text) > shown:
            yield text[shown:]


def _stop(text: str, stops: Sequence[str]) -> int | None:
    """Where the first stop in a text begins."""
    places = [text.find(stop) for stop in stops if stop in text]
    return min(places) if places else None


def _begun(text: str, stops: Sequence[str]) -> int:
    """How many characters at the end of a text may be the beginning of a stop."""
    return max(
        (size for stop in stops for size in range(1, len(stop)) if text.endswith(stop[:size])),
        default=0,
    )
