"""A .tflite file, with the files beside it, as a model that can be asked."""

import functools
import pathlib
from typing import Any

import numpy as np

from rnnsuite.app import App
from rnnsuite.core.errors import UserError
from rnnsuite.core.fields import Record
from rnnsuite.core.progress import bar
from rnnsuite.core.text import one_line
from rnnsuite.device import runner
from rnnsuite.pipeline.inference.predictor import BATCH, DEFAULT, Predictor
from rnnsuite.pipeline.inference.rows import gather


def open_lite(app: App, path: pathlib.Path) -> Predictor:
    """The model in the file. Raises UserError where the application has no on-device form."""
    if app.serving.device is None:
        raise UserError(f"{app.name} has no on-device form.")
    try:
        device = app.serving.device.open(path.parent)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} has been moved away from the files that were exported with it "
            f"({one_line(error, 100)}), or it is of another application than {app.name}."
        ) from error
    try:
        model = (device.runner or runner).open_model(str(path), device.signature)
    except (ValueError, RuntimeError, OSError, KeyError) as error:
        raise UserError(
            f"{path} is no .tflite file of {app.name} ({one_line(error, 100)})."
        ) from error

    further = {
        name: functools.cache(functools.partial(runner.LiteModel, str(path), name))
        for name in device.signatures
    }

    def ask(records, signature, options):
        if signature != DEFAULT:
            return gather([_single(further[signature](), record) for record in records])
        shown = bar(records, desc="answers", unit="record", disable=len(records) <= BATCH)
        return gather([device.answer(model(**device.request(record))) for record in shown])

    return Predictor("tflite", ask, {DEFAULT: {}, **{name: {} for name in further}})


def _single(model: runner.LiteModel, record: Record) -> dict[str, Any]:
    """What a signature of the file gives for one record, without the batch."""
    outputs = model(**{name: np.asarray(value)[None] for name, value in record.items()})
    return {name: value[0] for name, value in outputs.items()}
