"""A run as .tflite files. The converter can kill its process, so it runs in a child."""

import pathlib
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence

import numpy as np

from rnnsuite import app as apps
from rnnsuite.app import App, Signature
from rnnsuite.export import child

KINDS = ("float32", "dynamic", "float16", "int8")
"""dynamic: int8 weights, the rest in float32. float16: float16 weights. int8: everything, after calibration."""


def convert(
    app: App, run: pathlib.Path, folder: pathlib.Path, kinds: Sequence[str], calibration: Sequence[Mapping] = ()
) -> None:
    """Writes `<kind>.tflite` for every kind in `folder`. Raises ExportFailed.

    The files hold the application's lite signatures, for a batch of one and any length.
    calibration: inputs of typical requests, by name, whose ranges int8 takes over.
    """
    with tempfile.TemporaryDirectory() as place:
        inputs = pathlib.Path(place) / "calibration.npz"
        np.savez(inputs, **{f"{n}/{name}": value for n, each in enumerate(calibration) for name, value in each.items()})
        child.run("rnnsuite.export.lite", app.name, run.resolve(), folder.resolve(), inputs, *kinds, isolated=False)


def _main(name: str, run: str, folder: str, calibration: str, *kinds: str) -> None:
    from rnnsuite.export import saved_model
    from rnnsuite.layers.form import exporting
    from rnnsuite.run import Run

    app = apps.find(name)
    trained = Run(app, pathlib.Path(run))
    with exporting("lite"):
        signatures = saved_model.exported(trained)
        chosen = {key: signature for key, signature in signatures.items() if signature.lite}
        for kind, content in converted(chosen, kinds, _stored(calibration)).items():
            (pathlib.Path(folder) / f"{kind}.tflite").write_bytes(content)


def _stored(path: str) -> list[dict]:
    requests: dict = {}
    with np.load(path, allow_pickle=False) as stored:
        for key in stored.files:
            number, name = key.split("/")
            requests.setdefault(int(number), {})[name] = stored[key]
    return list(requests.values())


def converted(
    signatures: Mapping[str, Signature], kinds: Sequence[str], calibration: Sequence[Mapping] = ()
) -> dict[str, bytes]:
    """The .tflite file of every kind, for a batch of one. Call it within `exporting("lite")`, in a child process.

    calibration: requests; each signature is calibrated with those that have its inputs.
    """
    from rnnsuite.export import saved_model

    with tempfile.TemporaryDirectory() as place:
        saved_model.write(signatures, pathlib.Path(place), batch=1)
        return {kind: _converted(place, signatures, kind, calibration) for kind in kinds}


def _converted(place: str, signatures: Mapping[str, Signature], kind: str, calibration: Sequence[Mapping]) -> bytes:
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
        return _unclipped(_quantised(converter.convert()))
    return _unclipped(converter.convert())


def _quantised(calibrated: bytes) -> bytes:
    """int8 wherever there is a kernel for it, but for what is marked `PRECISE` and sums that are outputs: states."""
    from tensorflow.lite.python import schema_py_generated as schema
    from tensorflow.lite.python.convert import mlir_quantize
    from tensorflow.lite.tools import flatbuffer_utils

    from rnnsuite.layers.form import PRECISE

    model = flatbuffer_utils.convert_bytearray_to_object(calibrated)
    sums = {schema.BuiltinOperator.ADD, schema.BuiltinOperator.MUL}
    marked, kept = re.compile(rf"(^|/){PRECISE}(_\d+)?/"), set()
    for graph in model.subgraphs:
        # An operation whose result is an output has lost its name for the output's.
        outputs = set(graph.outputs)
        for operation in graph.operators:
            code = model.operatorCodes[operation.opcodeIndex].builtinCode
            for number in operation.outputs:
                name = graph.tensors[number].name.decode()
                if marked.search(name) or (number in outputs and code in sums):
                    kept.add(name)
    return mlir_quantize(calibrated, denylisted_nodes=sorted(kept))


def _unclipped(content: bytes) -> bytes:
    """The same file without the bound of 10 that the converter sets on a fused LSTM's cell, and no LSTM of ours has."""
    from tensorflow.lite.python import schema_py_generated as schema
    from tensorflow.lite.tools import flatbuffer_utils

    model = flatbuffer_utils.convert_bytearray_to_object(content)
    for graph in model.subgraphs:
        for operation in graph.operators:
            if operation.builtinOptionsType == schema.BuiltinOptions.UnidirectionalSequenceLSTMOptions:
                operation.builtinOptions.cellClip = 0.0
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


if __name__ == "__main__":
    _main(*sys.argv[1:])
