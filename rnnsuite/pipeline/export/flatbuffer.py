"""What is read in a .tflite file and changed in it, which is a FlatBuffer."""

from typing import Any

import numpy as np

_CELL_CLIP = 6
"""Where a fused LSTM's options say what bounds its cell: the second field of the schema's table."""


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


def finished(content: bytes, is_portable: bool) -> bytes:
    """The file without what the converter adds of its own.

    A portable one goes without names of tensors, of which unrolled steps have thousands; the others
    without the bound of 10 that is set on the cell of every fused LSTM.

    Args:
        content: of the file, as it was converted.
        is_portable: whether it is for all runtimes.

    Returns:
        The content to write.
    """
    return _nameless(content) if is_portable else _unbounded(content)


def _nameless(content: bytes) -> bytes:
    from tensorflow.lite.tools import flatbuffer_utils

    model: Any = flatbuffer_utils.convert_bytearray_to_object(content)
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            tensor.name = None
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _unbounded(content: bytes) -> bytes:
    """Zero, which is no bound, written where the bound stands."""
    from flatbuffers import number_types, table
    from tensorflow.lite.python import schema_py_generated as schema

    fused = schema.BuiltinOptions.UnidirectionalSequenceLSTMOptions
    changed = bytearray(content)
    model: Any = schema.Model.GetRootAsModel(changed, 0)
    for graph in map(model.Subgraphs, range(model.SubgraphsLength())):
        for operation in map(graph.Operators, range(graph.OperatorsLength())):
            if operation.BuiltinOptionsType() == fused:
                found = operation.BuiltinOptions()
                options = table.Table(found.Bytes, found.Pos)
                place = options.Offset(_CELL_CLIP)
                if place:
                    start = options.Pos + place
                    changed[start : start + number_types.Float32Flags.bytewidth] = bytes(4)
    return bytes(changed)
