"""Converts layers to .tflite files in a child process and looks at them; a program for the tests.

python -m tests.layers.lite FOLDER CASE... writes for each case a folder of its name, with
`<kind>.tflite` and `expected.npz`.
"""

import pathlib
import sys

import keras
import numpy as np
import tensorflow as tf

from rnnsuite.app import Signature
from rnnsuite.layers import CELLS, LSTM, Stack, Streaming, exporting
from rnnsuite.pipeline.export import lite

FEATURES, UNITS, TIME = 5, 8, 7


def stack(cell: str, depth: int, both: bool) -> Stack:
    keras.utils.set_random_seed(1)
    layer = Stack(cell, UNITS, depth=depth, bidirectional=both)
    layer.build((1, None, FEATURES))
    if (
        cell == "lstm"
    ):  # as large as trained: the int8 kernel has no scale for cell states that stay under 1/2
        layer.set_weights([2 * weight for weight in layer.get_weights()])
    return layer


def counter() -> tuple[LSTM, np.ndarray]:
    """An LSTM whose cell counts x up and down, and an x that it counts to 30."""
    layer = LSTM(2, return_sequences=True)
    layer.build((1, None, 1))
    kernel, recurrent, bias = np.zeros([1, 8]), np.zeros([2, 8]), np.full([8], 8.0)
    kernel[:, 4:6], bias[4:6] = 5.0, 0.0
    layer.set_weights([kernel, recurrent, bias])
    return layer, np.repeat([1.0, -1.0], [30, 27]).astype("float32")[None, :, None]


def whole(layer, last: bool) -> dict[str, Signature]:
    def run(x):
        y = layer(x)
        return {"y": y[:, -1] if last else y}

    spec = tf.TensorSpec([None, None, layer.get_build_config()["input_shape"][-1]], name="x")
    return {"run": Signature(run, {"x": spec}, {}, lite=True)}


def streamed(layer) -> dict[str, Signature]:
    signatures = Streaming(layer).signatures()
    return {
        name: Signature(function, specs, {}, lite=True)
        for name, (function, specs) in signatures.items()
    }


def calibration(rng, layer, streaming: bool) -> list[dict]:
    requests = []
    for _ in range(6):
        x = rng.normal(size=[1, TIME, FEATURES]).astype("float32")
        if not streaming:
            requests.append({"x": x})
            continue
        stream = Streaming(layer)
        states = {name: value.numpy() for name, value in stream.zeros(1).items()}
        for t in range(TIME):
            requests.append({"x": x[:, t], **states})
            answer = stream.step(x[:, t], **states)
            states = {name: answer[name].numpy() for name in states}
    return requests


def main(folder: str, *cases: str) -> None:
    for case in cases:
        place = pathlib.Path(folder) / case
        place.mkdir()
        convert(place, *case.split(","))


def convert(place: pathlib.Path, cell: str, depth: str, both: str, form: str, *kinds: str) -> None:
    if cell == "counter":
        layer, x = counter()
    else:
        layer = stack(cell, int(depth), both == "both")
        x = np.random.default_rng(2).normal(size=[1, TIME, FEATURES]).astype("float32")
    np.savez(place / "expected.npz", x=x, y=layer(x))
    requests = []
    if "int8" in kinds:
        requests = calibration(np.random.default_rng(3), layer, form == "stream")
    signatures = streamed(layer) if form == "stream" else whole(layer, form == "last")
    if "int8" in kinds and form == "stream":
        signatures = {"step": signatures["step"]}
    with exporting("lite"):
        for kind, content in lite.converted(signatures, kinds, requests).items():
            (place / f"{kind}.tflite").write_bytes(content)


def operations(path: pathlib.Path) -> list[str]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path))
    return [each["op_name"] for each in interpreter._get_ops_details()]


def results(path: pathlib.Path) -> set[tuple[str, str]]:
    """(operation, type of its result) of the first signature."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path))
    types = {each["index"]: each["dtype"].__name__ for each in interpreter.get_tensor_details()}
    return {
        (each["op_name"], types.get(each["outputs"][0], ""))
        for each in interpreter._get_ops_details()
    }


if __name__ == "__main__":
    assert CELLS
    main(*sys.argv[1:])
