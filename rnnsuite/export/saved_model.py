"""A run as a SavedModel that stock TensorFlow and TF Serving load."""

import inspect
import pathlib
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from rnnsuite.app import Signature


def write(signatures: Mapping[str, Signature], folder: pathlib.Path, batch: int | None = None) -> None:
    """Saves the signatures, and the variables and tables that they use, in `folder`.

    Nothing of Keras or of ours is saved with them, only graphs. Trace within
    `rnnsuite.layers.exporting`, so that the graph suits its place. batch: a fixed batch size
    in place of any. Raises OSError where the folder cannot be written.
    """
    module = tf.Module()
    functions = {name: _function(signature, batch) for name, signature in signatures.items()}
    traced = [getattr(each, "get_concrete_function", lambda each=each: each)() for each in functions.values()]
    module.used = _unique(variable for each in traced for variable in each.variables)
    module.tables = [each for signature in signatures.values() for each in signature.tracked]
    try:
        tf.saved_model.save(module, str(folder), signatures=functions)
    except tf.errors.OpError as error:  # a full disk, most of all, is no OSError in TensorFlow
        raise OSError(error.message) from error


def _function(signature: Signature, batch: int | None) -> Any:
    specs = {
        name: tf.TensorSpec([batch, *spec.shape[1:]] if batch and spec.shape.rank else spec.shape, spec.dtype, name)
        for name, spec in signature.inputs.items()
    }
    if not signature.defaults:
        return tf.function(signature.function, autograph=False).get_concrete_function(**specs)
    return _with_defaults(signature, specs)


def _with_defaults(signature: Signature, specs: Mapping[str, tf.TensorSpec]) -> Any:
    """A function with default values of its own, which is where tf.saved_model takes a signature's from."""
    values = {name: tf.constant(value) for name, value in signature.defaults.items()}

    def function(*inputs):
        return signature.function(**dict(zip(specs, inputs, strict=True)))

    function.__signature__ = inspect.Signature(
        inspect.Parameter(
            name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=values.get(name, inspect.Parameter.empty)
        )
        for name in specs
    )
    return tf.function(function, autograph=False, input_signature=list(specs.values()))


def _unique(variables: Any) -> list:
    return list({id(variable): variable for variable in variables}.values())
