"""A run as .tflite files. The converter can kill its process, so it runs in a child."""

import json
import pathlib
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnsuite import catalog
from rnnsuite.app import Signature
from rnnsuite.core.context import PRECISE, exporting
from rnnsuite.pipeline.export import child, saved_model
from rnnsuite.pipeline.run import Run

KINDS = ("float32", "dynamic", "float16", "int8")
"""dynamic: int8 weights. float16: float16 weights. int8: everything, after calibration."""
Request = Mapping[str, np.ndarray]


def convert(
    run: Run,
    folder: pathlib.Path,
    kinds: Sequence[str],
    calibration: Sequence[Request] = (),
) -> None:
    """Writes `<kind>.tflite` for every kind.

    The files hold the application's lite signatures, for a batch of one and any length.

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
    with tempfile.TemporaryDirectory() as place:
        inputs = pathlib.Path(place) / "calibration.npz"
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
    run = Run(app, pathlib.Path(folder_of_run), tuple(json.loads(overrides)))
    with exporting("lite"):
        signatures = saved_model.open_run(run).signatures
        chosen = {key: signature for key, signature in signatures.items() if signature.lite}
        files = converted(chosen, kinds, _stored(calibration))
    for kind, content in files.items():
        (pathlib.Path(folder) / f"{kind}.tflite").write_bytes(content)


def _stored(path: str) -> list[Request]:
    requests: dict[int, dict[str, np.ndarray]] = {}
    with np.load(path, allow_pickle=False) as stored:
        for key in stored.files:
            number, name = key.split("/")
            requests.setdefault(int(number), {})[name] = stored[key]
    return list(requests.values())


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
    with tempfile.TemporaryDirectory() as place:
        saved_model.write(signatures, pathlib.Path(place), batch=1)
        return {kind: _converted(place, signatures, kind, calibration) for kind in kinds}


def _converted(
    place: str, signatures: Mapping[str, Signature], kind: str, calibration: Sequence[Request]
) -> bytes:
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(place, signature_keys=list(signatures))
    # Loops become plain WHILE operations; otherwise they would need TensorFlow's own (Flex).
    converter._experimental_lower_tensor_list_ops = True
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
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
        return _without_cell_clip(_quantised(converter.convert()))
    return _without_cell_clip(converter.convert())


def _quantised(calibrated: bytes) -> bytes:
    """int8 wherever there is a kernel for it.

    What is marked `PRECISE` stays in float32, and so do sums that are outputs, which are states.
    """
    from tensorflow.lite.python import schema_py_generated as schema
    from tensorflow.lite.python.convert import mlir_quantize
    from tensorflow.lite.tools import flatbuffer_utils

    model: Any = flatbuffer_utils.convert_bytearray_to_object(calibrated)
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


def _without_cell_clip(content: bytes) -> bytes:
    """The file without the bound of 10 that the converter sets on the cell of every fused LSTM."""
    from tensorflow.lite.python import schema_py_generated as schema
    from tensorflow.lite.tools import flatbuffer_utils

    model: Any = flatbuffer_utils.convert_bytearray_to_object(content)
    for graph in model.subgraphs:
        for operation in graph.operators:
            if (
                operation.builtinOptionsType
                == schema.BuiltinOptions.UnidirectionalSequenceLSTMOptions
            ):
                operation.builtinOptions.cellClip = 0.0
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


if __name__ == "__main__":
    _main(*sys.argv[1:])
