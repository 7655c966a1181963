"""A model that can be asked, and the graph behind one."""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from rnnsuite.app import Signature
from rnnsuite.core.errors import Refused, UserError, nearest
from rnnsuite.core.fields import Record, group_by_shape
from rnnsuite.core.progress import bar
from rnnsuite.core.text import graph_message
from rnnsuite.pipeline.inference.rows import Answers, gather

BATCH = 64
"""Records in a run of a graph."""
DEFAULT = "serving_default"
REFUSED = 200
"""Characters of what a graph says."""


@dataclasses.dataclass(frozen=True)
class Predictor:
    """A trained model, whatever form it has.

    Args:
        kind: "run", "SavedModel" or "tflite".
        ask: `ask(records, signature, options)` gives the answers.
        signatures: what may be asked for, each with the default values of its optional inputs.
    """

    kind: str
    ask: Callable[[Sequence[Record], str, Mapping[str, Any]], Answers]
    signatures: Mapping[str, Mapping[str, Any]]

    def answer(
        self,
        records: Sequence[Record],
        signature: str = DEFAULT,
        options: Mapping[str, Any] | None = None,
    ) -> Answers:
        """Answers to records, in their order.

        Args:
            records: values by the names of the signature's inputs; their shapes may differ.
            signature: one of `signatures`.
            options: values for its optional inputs.

        Returns:
            An array a name, with one row a record.

        Raises:
            UserError: on an unknown signature or option, or a refused one.
            Refused: for a record that the graph refuses.
        """
        if signature not in self.signatures:
            names = ", ".join(self.signatures)
            raise UserError(f"This {self.kind} has no signature {signature!r}; it has {names}.")
        defaults = self.signatures[signature]
        for name in options or ():
            if name not in defaults:
                raise UserError(
                    f"{signature} has no optional input {name!r}.{nearest(name, defaults)}"
                )
        if not options:
            try:
                return self.ask(records, signature, defaults)
            except tf.errors.InvalidArgumentError as error:
                raise Refused(graph_message(error.message, REFUSED)) from error
        try:
            changed = {name: _cast(name, value, defaults[name]) for name, value in options.items()}
            return self.ask(records, signature, {**defaults, **changed})
        except (ValueError, tf.errors.InvalidArgumentError) as error:
            raise UserError(f"{signature} with {dict(options)}: {graph_message(error)}") from error


def _cast(name: str, value: Any, default: np.ndarray) -> np.ndarray:
    if default.dtype.kind in "OS":
        return np.array(str(value).encode(), object)
    if isinstance(value, str):
        raise ValueError(f"{name} must be a number")
    cast = np.asarray(value, default.dtype)
    if cast.dtype.kind == "i" and cast != value:
        raise ValueError(f"{name} must be a whole number")
    return cast


def graph_predictor(kind: str, signatures: Mapping[str, Signature]) -> Predictor:
    """A predictor that asks signatures as they are; each is traced once."""

    @functools.cache
    def function(name):
        signature = signatures[name]
        traced = tf.function(signature.function, autograph=False)
        return traced.get_concrete_function(**signature.inputs)

    required = {
        name: {key: spec for key, spec in signature.inputs.items() if key not in signature.defaults}
        for name, signature in signatures.items()
    }
    defaults = {name: signature.defaults for name, signature in signatures.items()}
    return batched_predictor(kind, function, required, defaults)


def batched_predictor(
    kind: str,
    function: Callable[[str], Callable],
    required: Mapping[str, Mapping[str, tf.TensorSpec]],
    defaults: Mapping[str, Mapping[str, Any]],
) -> Predictor:
    """A predictor that asks a graph in batches of records of equal shapes.

    Args:
        kind: see `Predictor`.
        function: `function(signature)` takes tensors by name and gives tensors by name.
        required: the inputs that every record must have, by signature.
        defaults: the values of the others, by signature.

    Returns:
        The predictor.
    """

    def ask(records, signature, options):
        specs = required[signature]
        names = list(specs)
        missing = [name for name in names if records and name not in records[0]]
        if missing:
            lacking = ", ".join(missing)
            raise UserError(f"The records lack {lacking}, which signature {signature!r} asks for.")
        rows: list[Any] = [None] * len(records)
        call = function(signature)
        settings = as_tensors(options)
        groups = group_by_shape(records, names, BATCH)
        for indices in bar(groups, desc="answers", unit="batch", disable=len(records) <= BATCH):
            inputs = {name: _batch([records[i][name] for i in indices]) for name in names}
            _check_shapes(inputs, specs)
            outputs = call(**inputs, **settings)
            columns = {name: value.numpy() for name, value in outputs.items()}
            for row, i in enumerate(indices):
                rows[i] = {name: column[row] for name, column in columns.items()}
        return gather(rows)

    return Predictor(kind, ask, defaults)


def _check_shapes(inputs: Mapping[str, tf.Tensor], specs: Mapping[str, tf.TensorSpec]) -> None:
    """Raises InvalidArgumentError, as the graph itself would, but in words."""
    for name, value in inputs.items():
        if not specs[name].shape.is_compatible_with(value.shape):
            wanted = str(specs[name].shape.as_list()[1:]).replace("None", "?")
            shape = value.shape.as_list()[1:]
            raise tf.errors.InvalidArgumentError(
                None, None, f"{name}: an array of shape {wanted} expected, not {shape}"
            )


def _batch(values: Sequence[Any]) -> tf.Tensor:
    """Values of several records; arrays keep their type, which is int64 of times."""
    return tf.constant(np.stack(values) if isinstance(values[0], np.ndarray) else values)


def as_tensors(values: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    """Arrays by name as tensors."""
    return {name: tf.constant(value) for name, value in values.items()}
