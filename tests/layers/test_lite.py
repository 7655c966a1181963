"""Layers as .tflite files: converted in a child process, run by ai-edge-litert."""

import numpy as np
import pytest

from rnnsuite.device.runner import LiteModel
from tests.layers import EVERY_FAMILY, FAMILIES, OFTEN, lite
from tests.processes import python_forked
from tests.thorough import thorough

PLUMBING = {
    "ADD",
    "CONCATENATION",
    "DELEGATE",
    "GATHER",
    "PACK",
    "RESHAPE",
    "SUB",
    "RANGE",
    "REVERSE_V2",
    "SHAPE",
    "STRIDED_SLICE",
    "TRANSPOSE",
}


ALL = ("float32", "dynamic", "float16", "int8")
FUSED = [(1, "one", "sequence"), (2, "both", "last")]
COUNTER = ("counter", 1, "one", "sequence", "float32")


def fused(depth, direction, form):
    return ("lstm", depth, direction, form, *ALL)


def other(cell):
    return (cell, 1, "both", "sequence", "float32", "dynamic")


def stream(cell, kind):
    return (cell, 2, "one", "stream", kind)


CASES = [
    COUNTER,
    *(fused(*shape) for shape in FUSED),
    *map(other, FAMILIES),
    *(stream(cell, "float32") for cell in (*FAMILIES, "lstm")),
    *(stream(cell, "int8") for cell in ("simple", "gru", "lstm")),
]


def name(case):
    return ",".join(map(str, case))


@pytest.fixture(scope="module")
def converted(tmp_path_factory, request):
    """The folder of a case, and the input and output of its layer; one child converts them all."""
    folder = tmp_path_factory.mktemp("lite")
    rare = set() if request.config.getoption("-m") else {*FAMILIES} - {*OFTEN}
    cases = [name(case) for case in CASES if case[0] not in rare]
    status, said = python_forked(["-m", "tests.layers.lite", str(folder), *cases])
    assert status == 0, said[-2000:]

    def read(case):
        with np.load(folder / name(case) / "expected.npz") as stored:
            return folder / name(case), stored["x"], stored["y"]

    return read


@pytest.mark.parametrize(("depth", "direction", "form"), FUSED)
def test_lstm_is_one_fused_operation_a_layer_and_direction(converted, depth, direction, form):
    folder, x, y = converted(fused(depth, direction, form))
    layers = depth * (2 if direction == "both" else 1)
    expected = y if form == "sequence" else y[:, -1]
    for kind, bound in {"float32": 1e-5, "dynamic": 0.05, "float16": 2e-3, "int8": 0.02}.items():
        model = LiteModel(str(folder / f"{kind}.tflite"))
        for _ in range(2):  # a second call must not see the first one's states
            error = np.abs(model(x=x)["y"] - expected)
            # A quantised state that is one unit off moves those after it: of int8 the mean counts.
            assert (error.mean() if kind == "int8" else error.max()) < bound, kind
        found = lite.operations(folder / f"{kind}.tflite")
        assert found.count("UNIDIRECTIONAL_SEQUENCE_LSTM") == layers
        if kind == "float32":
            assert set(found) - PLUMBING == {"UNIDIRECTIONAL_SEQUENCE_LSTM"}
    # The number of steps is free.
    shorter = LiteModel(str(folder / "float32.tflite"))(x=x[:, :3])["y"]
    if form == "sequence" and direction == "one":
        np.testing.assert_allclose(shorter, y[:, :3], atol=1e-5)


def test_a_fused_cell_counts_beyond_ten(converted):
    folder, x, y = converted(COUNTER)
    assert y[0, -1, 0] > 0.9
    np.testing.assert_allclose(LiteModel(str(folder / "float32.tflite"))(x=x)["y"], y, atol=1e-5)


@pytest.mark.parametrize("cell", EVERY_FAMILY)
def test_other_cells_need_builtin_operations_only(converted, cell):
    folder, x, y = converted(other(cell))
    np.testing.assert_allclose(LiteModel(str(folder / "float32.tflite"))(x=x)["y"], y, atol=1e-5)
    np.testing.assert_allclose(LiteModel(str(folder / "dynamic.tflite"))(x=x)["y"], y, atol=0.05)
    assert not [
        name for name in lite.operations(folder / "float32.tflite") if name.startswith("Flex")
    ]


@pytest.mark.parametrize("cell", [*EVERY_FAMILY, "lstm"])
def test_streams_equal_the_whole_sequence(converted, cell):
    folder, x, y = converted(stream(cell, "float32"))
    step = LiteModel(str(folder / "float32.tflite"), "step")
    np.testing.assert_allclose(stepped(step, x), y, atol=1e-5)
    chunk = LiteModel(str(folder / "float32.tflite"), "chunk")
    states = {name: np.zeros([1, lite.UNITS], "float32") for name in chunk.inputs if name != "x"}
    pieces = []
    for start, end in ((0, 3), (3, 7)):
        answer = chunk(x=x[:, start:end], **states)
        states = {name: answer[name] for name in states}
        pieces.append(answer["output"])
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), y, atol=1e-5)


@pytest.mark.parametrize("cell", ["gru", "lstm", *thorough("simple")])
def test_streams_in_int8(converted, cell):
    folder, x, y = converted(stream(cell, "int8"))
    step = LiteModel(str(folder / "int8.tflite"), "step")
    assert np.abs(stepped(step, x) - y).mean() < 0.05
    found = lite.results(folder / "int8.tflite")
    assert ("FULLY_CONNECTED", "int8") in found
    if cell != "simple":  # what adds up over the steps does so in float32
        assert {("ADD", "float32"), ("MUL", "float32")} <= found
        assert ("MUL", "int8") not in found or cell == "gru"


def stepped(model, x):
    states = {name: np.zeros([1, lite.UNITS], "float32") for name in model.inputs if name != "x"}
    outputs = []
    for t in range(x.shape[1]):
        answer = model(x=x[:, t], **states)
        states = {name: answer[name] for name in states}
        outputs.append(answer["output"])
    return np.stack(outputs, axis=1)
