"""A run as a SavedModel that stock TensorFlow and TF Serving load."""

import dataclasses
import inspect
import pathlib
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from rnnsuite.app import Signature, Trained
from rnnsuite.core.files import write_json
from rnnsuite.pipeline.export.stored_weights import Kind, round_weights, store
from rnnsuite.pipeline.inference.saved_model import WEIGHTS
from rnnsuite.pipeline.run import Run

_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"


@dataclasses.dataclass(frozen=True)
class Exported:
    """A trained model as every form of its export has it.

    Args:
        trained: the model, with rounded weights where its configuration says so.
        signatures: the ways to ask it.
    """

    trained: Trained
    signatures: Mapping[str, Signature]


def open_run(run: Run) -> Exported:
    """The run's model and signatures for exporting. Raises UserError."""
    trained = run.trained()
    kind = trained.config.export.weights
    if kind != "float32":
        round_weights(trained.model, kind)
    return Exported(trained, run.app.serving.signatures(trained))


def write(
    signatures: Mapping[str, Signature],
    folder: pathlib.Path,
    batch: int | None = None,
    stored_as: Kind | None = None,
    paths: Mapping[int, str] | None = None,
) -> None:
    """Saves the signatures, and the variables and tables that they use.

    Nothing of Keras or of ours is saved with them, only graphs. Call it within
    `rnnsuite.core.context.exporting`, so that the graph suits its target.

    Args:
        signatures: by name.
        folder: the SavedModel's folder.
        batch: a fixed batch size in place of any.
        stored_as: how weights are stored; None for what they are.
        paths: names of the weights by the `id` of their variable, kept in `WEIGHTS`.

    Raises:
        OSError: where the folder cannot be written.
    """
    specs = {name: _specs(signature, batch) for name, signature in signatures.items()}
    traced = {
        name: tf.function(signature.function, autograph=False).get_concrete_function(**specs[name])
        for name, signature in signatures.items()
    }
    module, keys = _module(traced, signatures, stored_as)
    functions = {
        name: _with_defaults(function, specs[name], signatures[name].defaults)
        for name, function in traced.items()
    }
    try:
        tf.saved_model.save(module, str(folder), signatures=functions)
    except tf.errors.OpError as error:  # a full disk, most of all, is no OSError in TensorFlow
        raise OSError(error.message) from error
    if paths:
        named = {paths[key]: stored for key, stored in keys.items() if key in paths}
        write_json(folder / WEIGHTS, named)


def _module(
    traced: Mapping[str, Any], signatures: Mapping[str, Signature], stored_as: Kind | None
) -> tuple[tf.Module, dict[int, Any]]:
    """What is saved, and the checkpoint's key of every variable by its `id`: one of its values, or
    those of its codes and its scale.
    """
    module: Any = tf.Module()
    variables = {id(v): v for function in traced.values() for v in function.variables}
    stored = store(traced.values(), stored_as) if stored_as else {}
    plain = {key: variable for key, variable in variables.items() if key not in stored}
    module.resources = list(stored.values())
    module.stored = [resource.stored for resource in stored.values()]
    module.scales = [resource.scale for resource in stored.values()]
    module.used = list(plain.values())
    module.tables = [table for signature in signatures.values() for table in signature.tracked]
    keys: dict[int, Any] = {key: f"used/{number}{_VALUE}" for number, key in enumerate(plain)}
    keys |= {
        key: [f"{part}/{number}{_VALUE}" for part in ("stored", "scales")]
        for number, key in enumerate(stored)
    }
    return module, keys


def _specs(signature: Signature, batch: int | None) -> dict[str, tf.TensorSpec]:
    def shape(spec):
        return [batch, *spec.shape[1:]] if batch and spec.shape.rank else spec.shape

    return {
        name: tf.TensorSpec(shape(spec), spec.dtype, name)
        for name, spec in signature.inputs.items()
    }


def _with_defaults(
    function: Any, specs: Mapping[str, tf.TensorSpec], defaults: Mapping[str, Any]
) -> Any:
    """A function with default values of its own: tf.saved_model takes a signature's from there."""
    if not defaults:
        return function
    values = {name: tf.constant(value) for name, value in defaults.items()}
    # Those without a default come first, as in any function of Python's.
    names = sorted(specs, key=lambda name: name in values)

    def call(*inputs):
        return function(**dict(zip(names, inputs, strict=True)))

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [
        inspect.Parameter(name, kind, default=values.get(name, inspect.Parameter.empty))
        for name in names
    ]
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return tf.function(call, autograph=False, input_signature=[specs[name] for name in names])
