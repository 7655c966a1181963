"""A SavedModel folder as a model that can be asked, or started from."""

import json
import math
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from rnnsuite.app import Start
from rnnsuite.core.errors import UserError
from rnnsuite.core.files import read_json
from rnnsuite.core.text import one_line
from rnnsuite.pipeline.inference.predictor import Predictor, batched_predictor

WEIGHTS = pathlib.Path("assets.extra") / "weights.json"
"""The key in the SavedModel's checkpoint of each weight, by its name."""


def is_saved_model(path: pathlib.Path) -> bool:
    """True for the folder of a SavedModel."""
    return (path / "saved_model.pb").is_file()


def open_saved_model(path: pathlib.Path) -> Predictor:
    """The model in the folder. Raises UserError where it is damaged."""
    loaded = load(path)
    defaults = _defaults(path)
    required = {
        name: _required(function, defaults.get(name, {}))
        for name, function in loaded.signatures.items()
    }
    return batched_predictor(
        "SavedModel",
        lambda name: loaded.signatures[name],
        required,
        {name: defaults.get(name, {}) for name in loaded.signatures},
    )


def load(path: pathlib.Path) -> Any:
    """The SavedModel as TensorFlow loads it. Raises UserError where it is damaged."""
    import tensorflow_text  # noqa: F401  registers the text operations

    try:
        return tf.saved_model.load(str(path))
    except (OSError, ValueError, LookupError, tf.errors.OpError) as error:
        raise UserError(f"{path} is damaged: {one_line(error)}") from error


def required_inputs(folder: pathlib.Path, signature: str = "serving_default") -> Sequence[str]:
    """The names of inputs that a signature must be given, without loading the model."""
    definition = _definitions(folder)[signature]
    return [name for name in sorted(definition.inputs) if name not in definition.defaults]


def _required(function: Any, defaults: Mapping[str, Any]) -> dict[str, tf.TensorSpec]:
    specs = function.structured_input_signature[1]
    return {name: spec for name, spec in specs.items() if name not in defaults}


def _defaults(path: pathlib.Path) -> dict[str, dict[str, np.ndarray]]:
    """Default values of inputs by signature, which tf.saved_model.load does not look at."""
    return {
        name: {key: tf.make_ndarray(value) for key, value in signature.defaults.items()}
        for name, signature in _definitions(path).items()
    }


def _definitions(path: pathlib.Path) -> Mapping[str, Any]:
    """The signatures in a SavedModel's graph."""
    content = (path / "saved_model.pb").read_bytes()
    return saved_model_pb2.SavedModel.FromString(content).meta_graphs[0].signature_def


def exported_start(folder: pathlib.Path) -> Start:
    """An export of any application as something to start from.

    Raises:
        UserError: for an export without the names of its weights, as version 0.1.0 wrote them.
    """
    if not (folder / WEIGHTS).is_file():
        raise UserError(
            f"train.start: {folder} does not name its weights: export it anew, or give the run."
        )
    card = read_json(folder / "assets.extra" / "model_card.json")
    fitted = read_json(folder / "assets.extra" / "fitted.json")
    keys: Mapping[str, str | list[str]] = read_json(folder / WEIGHTS)
    reader = tf.train.load_checkpoint(str(folder / "variables" / "variables"))

    def value(key):
        """Of a variable, or of the product of two."""
        parts = [key] if isinstance(key, str) else key
        return math.prod(np.asarray(reader.get_tensor(part), np.float32) for part in parts)

    try:
        weights = {name: value(key) for name, key in keys.items()}
    except (tf.errors.OpError, json.JSONDecodeError) as error:
        raise UserError(f"{folder} is damaged: {one_line(error)}") from error
    return Start(app=card["name"], config=card["config"], fitted=fitted, weights=weights)
