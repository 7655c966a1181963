"""Models with Keras's recurrent layers in place of ours, and the other way round."""

from collections.abc import Mapping
from typing import Any

import keras

from rnnsuite.layers.bidirectional import Bidirectional
from rnnsuite.layers.recurrent import GRU, LSTM, SimpleRNN

OURS = {kind.__name__: kind for kind in (SimpleRNN, GRU, LSTM, Bidirectional)}


def to_rnnsuite(model: keras.Model) -> keras.Model:
    """A copy of a model with our layers for Keras's, and the same weights.

    Args:
        model: functional or sequential.

    Returns:
        The copy.
    """
    return _copied(model, _ours)


def to_keras(model: keras.Model) -> keras.Model:
    """A copy of a model with Keras's layers for ours, and the same weights.

    Where rnnsuite is not installed, `keras.models.load_model(path, custom_objects={"rnnsuite>LSTM":
    keras.layers.LSTM})` reads a model saved with our layers as one of Keras's.

    Args:
        model: functional or sequential.

    Returns:
        The copy.

    Raises:
        ValueError: for weight drop and zoneout, which Keras does not have.
    """
    return _copied(model, _keras)


def _copied(model, change) -> keras.Model:
    config = _changed(keras.saving.serialize_keras_object(model), change)
    copy = keras.saving.deserialize_keras_object(config)
    copy.set_weights(model.get_weights())
    return copy


def _changed(config: Any, change) -> Any:
    if isinstance(config, Mapping):
        config = {key: _changed(value, change) for key, value in config.items()}
        return change(config) if config.get("class_name") in OURS else config
    return (
        [_changed(item, change) for item in config] if isinstance(config, list | tuple) else config
    )


def _ours(config: dict) -> dict:
    name = config["class_name"]
    return {**config, "module": OURS[name].__module__, "registered_name": f"rnnsuite>{name}"}


def _keras(config: dict) -> dict:
    for option in ("weight_drop", "zoneout"):
        if option in config.get("config", {}):
            raise ValueError(f"{config['class_name']} of Keras has no {option}")
    return {**config, "module": "keras.layers", "registered_name": None}
