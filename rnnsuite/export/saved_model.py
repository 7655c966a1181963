"""A run as a SavedModel that stock TensorFlow and TF Serving load."""

import inspect
import pathlib
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from rnnsuite.app import Signature
from rnnsuite.export.half import rounded, widen
from rnnsuite.run import Run


def exported(run: Run) -> Mapping[str, Signature]:
    """A run's signatures as every form of its export has them, with rounded weights where it says so."""
    config, model = run.config(), run.model()
    if config.export.weights == "float16":
        rounded(model)
    return run.app.asked(config, run.fitted(), model)


def write(
    signatures: Mapping[str, Signature], folder: pathlib.Path, batch: int | None = None, half: bool = False
) -> None:
    """Saves the signatures, and the variables and tables that they use, in `folder`.

    Nothing of Keras or of ours is saved with them, only graphs. Trace within
    `rnnsuite.layers.exporting`, so that the graph suits its place. batch: a fixed batch size
    in place of any. half: weights are stored as float16. Raises OSError where the folder cannot be written.
    """
    specs = {name: _specs(signature, batch) for name, signature in signatures.items()}
    traced = {
        name: tf.function(signature.function, autograph=False).get_concrete_function(**specs[name])
        for name, signature in signatures.items()
    }
    module = tf.Module()
    module.widened = widen(traced.values()) if half else []
    used = _unique(variable for function in traced.values() for variable in function.variables)
    module.used = [variable for variable in used if not half or variable.dtype != tf.float32]
    module.tables = [each for signature in signatures.values() for each in signature.tracked]
    functions = {
        name: _with_defaults(function, specs[name], signatures[name].defaults) for name, function in traced.items()
    }
    try:
        tf.saved_model.save(module, str(folder), signatures=functions)
    except tf.errors.OpError as error:  # a full disk, most of all, is no OSError in TensorFlow
        raise OSError(error.message) from error


def _specs(signature: Signature, batch: int | None) -> dict[str, tf.TensorSpec]:
    return {
        name: tf.TensorSpec([batch, *spec.shape[1:]] if batch and spec.shape.rank else spec.shape, spec.dtype, name)
        for name, spec in signature.inputs.items()
    }


def _with_defaults(function: Any, specs: Mapping[str, tf.TensorSpec], defaults: Mapping[str, Any]) -> Any:
    """A function with default values of its own, which is where tf.saved_model takes a signature's from."""
    if not defaults:
        return function
    values = {name: tf.constant(value) for name, value in defaults.items()}
    # Those without a default come first, as in any function of Python's.
    names = sorted(specs, key=lambda name: name in values)

    def called(*inputs):
        return function(**dict(zip(names, inputs, strict=True)))

    called.__signature__ = inspect.Signature(
        inspect.Parameter(
            name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=values.get(name, inspect.Parameter.empty)
        )
        for name in names
    )
    return tf.function(called, autograph=False, input_signature=[specs[name] for name in names])


def _unique(variables: Any) -> list:
    return list({id(variable): variable for variable in variables}.values())
