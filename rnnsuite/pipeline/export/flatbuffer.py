"""What is read in a .tflite file and changed in it, which is a FlatBuffer."""

import hashlib
from typing import Any

import numpy as np


def is_portable(content: bytes) -> bool:
    """Whether all of LiteRT's runtimes take a file.

    They take static shapes, no tensor that outlives a call, and none that is given or answered as
    a boolean, which LiteRT.js has no arrays for.
    """
    from tensorflow.lite.python import schema_py_generated as schema

    model: Any = schema.Model.GetRootAsModel(content, 0)
    for graph in map(model.Subgraphs, range(model.SubgraphsLength())):
        inputs = [graph.Tensors(number) for number in graph.InputsAsNumpy()]
        if any(-1 in np.atleast_1d(tensor.ShapeSignatureAsNumpy()) for tensor in inputs):
            return False
        if any(graph.Tensors(number).IsVariable() for number in range(graph.TensorsLength())):
            return False
    for number in range(model.SignatureDefsLength()):
        graph = model.Subgraphs(model.SignatureDefs(number).SubgraphIndex())
        ends = [*graph.InputsAsNumpy(), *graph.OutputsAsNumpy()]
        if any(graph.Tensors(end).Type() == schema.TensorType.BOOL for end in ends):
            return False
    return True


def unpacked(content: bytes) -> Any:
    """What a file holds, as objects of the schema."""
    from tensorflow.lite.tools import flatbuffer_utils

    return flatbuffer_utils.convert_bytearray_to_object(content)


def finished(content: bytes, is_portable: bool) -> bytes:
    """The file without what the converter adds of its own, and with every constant once.

    A portable one goes without names of tensors, of which unrolled steps have thousands; the others
    without the bound of 10 that is set on the cell of every fused LSTM.

    Args:
        content: of the file, as it was converted.
        is_portable: whether it is for all runtimes.

    Returns:
        The content to write.
    """
    from tensorflow.lite.tools import flatbuffer_utils

    model = unpacked(content)
    if is_portable:
        _leave_names_out(model)
    else:
        _leave_bounds_out(model)
    _share_constants(model)
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _leave_names_out(model: Any) -> None:
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            tensor.name = None


def _leave_bounds_out(model: Any) -> None:
    """Zero is no bound."""
    from tensorflow.lite.python import schema_py_generated as schema

    for graph in model.subgraphs:
        for operation in graph.operators or ():
            if isinstance(operation.builtinOptions, schema.UnidirectionalSequenceLSTMOptionsT):
                operation.builtinOptions.cellClip = 0.0


def _share_constants(model: Any) -> None:
    """Tensors with the same constant name one buffer; signatures have their weights in common.

    The converter can do this, too. It reads the whole file twice for it, which takes half as long
    as the conversion.
    """
    tensors = [tensor for graph in model.subgraphs for tensor in graph.tensors]
    variables = {tensor.buffer for tensor in tensors if tensor.isVariable}
    first: dict[bytes, int] = {}
    shared: dict[int, int] = {}
    for number, buffer in enumerate(model.buffers):
        if number in variables or buffer.data is None or not len(buffer.data):
            continue
        digest = hashlib.sha256(np.asarray(buffer.data, np.uint8).tobytes()).digest()
        shared[number] = first.setdefault(digest, number)
    for tensor in tensors:
        tensor.buffer = shared.get(tensor.buffer, tensor.buffer)
    for number, other in shared.items():
        if other != number:
            model.buffers[number].data = None
