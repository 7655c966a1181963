"""A run as a SavedModel that stock TensorFlow and TF Serving load."""

import dataclasses
import inspect
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from rnnsuite.app import Signature, Trained
from rnnsuite.core.files import write_json
from rnnsuite.pipeline.export.stored_weights import Kind, round_weights, shorten, store
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
    weights: Mapping[str, keras.Variable] | None = None,
) -> None:
    """Saves the signatures, and the variables and tables that they use.

    Nothing of Keras or of ours is saved with them, only graphs. Call it within
    `rnnsuite.core.context.exporting`, so that the graph suits its target.

    Args:
        signatures: by name.
        folder: the SavedModel's folder.
        batch: a fixed batch size in place of any.
        stored_as: how weights are stored; None for what they are.
        weights: those of the model by name. What no signature uses is saved, too, so that another
            training can begin with all of them; their names are kept in `WEIGHTS`.

    Raises:
        OSError: where the folder cannot be written.
    """
    specs = {name: _specs(signature, batch) for name, signature in signatures.items()}
    traced = {
        name: tf.function(signature.function, autograph=False).get_concrete_function(**specs[name])
        for name, signature in signatures.items()
    }
    names = {id(weight.value): name for name, weight in (weights or {}).items()}
    spare = [weight.value for weight in (weights or {}).values()]
    module, keys = _module(traced, signatures, stored_as, spare)
    functions = {
        name: _with_defaults(function, specs[name], signatures[name].defaults)
        for name, function in traced.items()
    }
    try:
        tf.saved_model.save(module, str(folder), signatures=functions)
    except tf.errors.OpError as error:  # a full disk, most of all, is no OSError in TensorFlow
        raise OSError(error.message) from error
    if weights:
        named = {names[key]: stored for key, stored in keys.items() if key in names}
        write_json(folder / WEIGHTS, named)


def _module(
    traced: Mapping[str, Any],
    signatures: Mapping[str, Signature],
    stored_as: Kind | None,
    weights: Sequence[tf.Variable],
) -> tuple[tf.Module, dict[int, Any]]:
    """What is saved, and the checkpoint's key of every variable by its `id`: one of its values, or
    those of its codes and its scale.
    """
    module: Any = tf.Module()
    variables = {id(v): v for function in traced.values() for v in function.variables}
    used = store(traced.values(), stored_as) if stored_as else {}
    spare = {id(v): v for v in weights if id(v) not in variables}
    stored = {**used, **(shorten(spare.values(), stored_as) if stored_as else {})}
    plain = [v for key, v in {**variables, **spare}.items() if key not in stored]
    module.resources = list(used.values())
    module.stored = [variable.stored for variable in stored.values()]
    module.scales = [variable.scale for variable in stored.values()]
    module.used = plain
    module.tables = [table for signature in signatures.values() for table in signature.tracked]
    keys: dict[int, Any] = {id(v): f"used/{number}{_VALUE}" for number, v in enumerate(plain)}
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
