"""A run as .tflite files. The converter can kill its process, so it runs in a child."""

import dataclasses
import gc
import json
import pathlib
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from rnnsuite import catalog
from rnnsuite.app import Signature
from rnnsuite.core.context import PRECISE, Target, exporting
from rnnsuite.core.errors import UserError
from rnnsuite.core.files import temporary_folder
from rnnsuite.pipeline.export import child, flatbuffer, saved_model
from rnnsuite.pipeline.run import Run

PREFIX = "portable_"
PORTABLE = (f"{PREFIX}float32", f"{PREFIX}dynamic")
"""For all of LiteRT's runtimes: static shapes, and no tensor that outlives a call."""
KINDS = ("float32", "dynamic", "float16", "int8", *PORTABLE)
"""dynamic: int8 weights. float16: float16 weights. int8: everything, after calibration."""
Request = Mapping[str, np.ndarray]


def convert(
    run: Run,
    folder: pathlib.Path,
    kinds: Sequence[str],
    calibration: Sequence[Request] = (),
) -> None:
    """Writes `<kind>.tflite` for every kind; `portable_<kind>` not where `<kind>` is portable.

    The files hold the application's lite signatures, for a batch of one; the portable ones for
    the lengths that a signature names, the others for any length.

    Args:
        run: what is converted, by a child process that finds its application by name.
        folder: where the files go.
        kinds: some of `KINDS`.
        calibration: inputs of typical requests, by name, whose ranges int8 takes over.

    Raises:
        ExportFailed: where the converter fails.
    """
    arrays: dict[str, Any] = {
        f"{number}/{name}": value
        for number, request in enumerate(calibration)
        for name, value in request.items()
    }
    with temporary_folder() as place:
        inputs = place / "calibration.npz"
        np.savez(inputs, **arrays)
        child.run_module(
            "rnnsuite.pipeline.export.lite",
            run.app.name,
            run.folder.resolve(),
            json.dumps(run.overrides),
            folder.resolve(),
            inputs,
            *kinds,
        )


def _main(
    name: str, folder_of_run: str, overrides: str, folder: str, calibration: str, *kinds: str
) -> None:
    app = catalog.find(name)
    gc.freeze()  # the converter collects garbage after each file: not among what was imported
    run = Run(app, pathlib.Path(folder_of_run), tuple(json.loads(overrides)))
    targets: dict[Target, list[str]] = {
        "lite": [kind for kind in kinds if kind not in PORTABLE],
        "portable": [kind for kind in kinds if kind in PORTABLE],
    }
    for target, chosen in targets.items():
        chosen = [kind for kind in chosen if not _has_portable(folder, kind)]
        if not chosen:
            continue
        with exporting(target):
            signatures = saved_model.open_run(run).signatures
            signatures = {key: each for key, each in signatures.items() if each.lite}
            if target == "portable":
                signatures = without_booleans(of_static_shape(signatures))
            files = converted(signatures, chosen, _stored(calibration))
        for kind, content in files.items():
            (pathlib.Path(folder) / f"{kind}.tflite").write_bytes(content)


def _has_portable(folder: str, kind: str) -> bool:
    """Whether what a portable kind would be lies in the folder by its other name."""
    other = pathlib.Path(folder) / f"{kind.removeprefix(PREFIX)}.tflite"
    return kind in PORTABLE and other.is_file() and flatbuffer.is_portable(other.read_bytes())


def _stored(path: str) -> list[Request]:
    requests: dict[int, dict[str, np.ndarray]] = {}
    with np.load(path, allow_pickle=False) as stored:
        for key in stored.files:
            number, name = key.split("/")
            requests.setdefault(int(number), {})[name] = stored[key]
    return list(requests.values())


def of_static_shape(signatures: Mapping[str, Signature]) -> dict[str, Signature]:
    """Each signature of any length as several of one length, `<name>_<length>`.

    Args:
        signatures: by name.

    Returns:
        Signatures by name; those that have one shape as they are.

    Raises:
        UserError: for one of any length that names no lengths.
    """
    static = {}
    for name, signature in signatures.items():
        shapes = {key: spec.shape.as_list() for key, spec in signature.inputs.items()}
        if not any(None in shape[1:] for shape in shapes.values()):
            static[name] = signature
            continue
        if len(signature.lengths) < 2:
            raise UserError(
                f"{name} takes inputs of any length, of which no file of static shapes can be made."
            )
        for length in signature.lengths:
            inputs = {
                key: tf.TensorSpec(
                    [*shape[:1], *(length if n is None else n for n in shape[1:])],
                    signature.inputs[key].dtype,
                    name=key,
                )
                for key, shape in shapes.items()
            }
            static[f"{name}_{length}"] = dataclasses.replace(signature, inputs=inputs)
    return static


def without_booleans(signatures: Mapping[str, Signature]) -> dict[str, Signature]:
    """The signatures with int32, 0 or 1, wherever they take or give booleans."""

    def numeric(signature: Signature) -> Signature:
        specs = signature.inputs
        booleans = [key for key, spec in specs.items() if spec.dtype == tf.bool]

        def function(**inputs):
            arguments = {
                key: tf.cast(v, tf.bool) if key in booleans else v for key, v in inputs.items()
            }
            answers = signature.function(**arguments)
            return {
                key: tf.cast(v, tf.int32) if v.dtype == tf.bool else v for key, v in answers.items()
            }

        inputs = {
            key: tf.TensorSpec(spec.shape, tf.int32, key) if key in booleans else spec
            for key, spec in specs.items()
        }
        return dataclasses.replace(signature, function=function, inputs=inputs)

    return {name: numeric(signature) for name, signature in signatures.items()}


def converted(
    signatures: Mapping[str, Signature], kinds: Sequence[str], calibration: Sequence[Request] = ()
) -> dict[str, bytes]:
    """The .tflite file of every kind, for a batch of one.

    Call it within `exporting("lite")`, in a child process.

    Args:
        signatures: by name.
        kinds: some of `KINDS`.
        calibration: requests; each signature is calibrated with those that have its inputs.

    Returns:
        The content of each file.
    """
    with temporary_folder() as place:
        saved_model.write(signatures, place, batch=1)
        files = {kind: _converted(str(place), signatures, kind, calibration) for kind in kinds}
    return {kind: flatbuffer.finished(content, kind in PORTABLE) for kind, content in files.items()}


def _converted(
    place: str, signatures: Mapping[str, Signature], kind: str, calibration: Sequence[Request]
) -> bytes:
    converter = tf.lite.TFLiteConverter.from_saved_model(place, signature_keys=list(signatures))
    # Loops become plain WHILE operations; otherwise they would need TensorFlow's own (Flex).
    converter._experimental_lower_tensor_list_ops = True
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    # To note its own version and, below, to look for equal constants, the converter would unpack
    # and pack the whole file three times more; `flatbuffer.finished` does it once.
    converter.exclude_conversion_metadata = True
    kind = kind.removeprefix(PREFIX)
    if kind != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if kind == "int8":
        # What has no int8 kernel (a normalisation, say) stays in float32 between the others.
        converter.target_spec.supported_ops.insert(0, tf.lite.OpsSet.TFLITE_BUILTINS_INT8)
        converter.representative_dataset = lambda: (
            (key, dict(request))
            for key, signature in signatures.items()
            for request in calibration
            if set(request) == set(signature.inputs)
        )
        converter._experimental_calibrate_only = True
        return _quantised(converter.convert())
    converter._optimize_tflite_model = lambda content, *_, **__: content
    return converter.convert()


def _quantised(calibrated: bytes) -> bytes:
    """int8 wherever there is a kernel for it.

    What is marked `PRECISE` stays in float32, and so do sums that are outputs, which are states.
    """
    from tensorflow.lite.python import schema_py_generated as schema
    from tensorflow.lite.python.convert import mlir_quantize

    model = flatbuffer.unpacked(calibrated)
    sums = {schema.BuiltinOperator.ADD, schema.BuiltinOperator.MUL}
    marked = re.compile(rf"(^|/){PRECISE}(_\d+)?/")
    float_nodes = set()
    for graph in model.subgraphs:
        # An operation whose result is an output has lost its name for the output's.
        outputs = set(graph.outputs)
        for operation in graph.operators:
            code = model.operatorCodes[operation.opcodeIndex].builtinCode
            for number in operation.outputs:
                name = graph.tensors[number].name.decode()
                if marked.search(name) or (number in outputs and code in sums):
                    float_nodes.add(name)
    quantised: Any = mlir_quantize(calibrated, denylisted_nodes=sorted(float_nodes))
    return quantised


if __name__ == "__main__":
    _main(*sys.argv[1:])
