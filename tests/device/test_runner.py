"""Files of static shapes, in both of LiteRT's runtimes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from rnnsuite.device import runner
from rnnsuite.device.runner import LiteFile, LiteModel

KIND = "portable_dynamic.tflite"
LONGEST = 64


@pytest.fixture(scope="module")
def files(sentiment):
    """The file with one size of everything in each runtime, and the one that takes any length."""
    portable = str(sentiment.lite / KIND)
    fused = LiteFile(str(sentiment.lite / "dynamic.tflite"))
    return fused, {name: LiteFile(portable, runtime=name) for name in runner.RUNTIMES}


def test_signatures_of_several_lengths_are_one(files):
    fused, portable = files
    for file in portable.values():
        assert file.names == fused.names == ["classify_ids"]
        assert list(file.lengths("classify_ids")) == [32, LONGEST]
        assert len(file.signatures) == 2
        assert file.inputs("classify_ids") == ["ids"]


@settings(max_examples=25, deadline=None)
@given(ids=some.lists(some.integers(1, 100), min_size=1, max_size=LONGEST))
def test_zeros_behind_change_no_answer(files, ids):
    """And a call changes no answer of the next one."""
    fused, portable = files
    fused.reset()
    inputs = {"ids": np.array([ids], np.int32)}
    expected = fused.run("classify_ids", **inputs)
    for file in portable.values():
        outputs = file.run("classify_ids", **inputs)
        assert outputs.keys() == expected.keys()
        for name, value in expected.items():
            assert outputs[name].dtype == value.dtype
            np.testing.assert_allclose(outputs[name], value, atol=1e-5)
        assert outputs["weights"].shape == (1, len(ids))


@pytest.mark.parametrize("runtime", runner.RUNTIMES)
def test_what_is_too_long_is_refused(files, runtime):
    with pytest.raises(ValueError, match=r"classify_ids takes at most 64 steps, not 65"):
        files[1][runtime].run("classify_ids", ids=np.ones([1, LONGEST + 1], np.int32))


def test_a_model_says_what_it_takes(sentiment):
    path = str(sentiment.lite / KIND)
    for runtime in runner.RUNTIMES:
        model = LiteModel(path, runtime=runtime)
        assert model.signature == "classify_ids"
        with pytest.raises(ValueError, match="inputs must be ids, not texts"):
            model(texts=np.ones([1, 3], np.int32))
        with pytest.raises(ValueError, match=r"no signature 'none'; it has classify_ids"):
            LiteModel(path, "none", runtime=runtime)


def test_one_of_the_lengths_by_its_name(sentiment):
    model = LiteModel(str(sentiment.lite / KIND), "classify_ids_32", runtime="compiled")
    assert model(ids=np.ones([1, 32], np.int32))["weights"].shape == (1, 32)
    with pytest.raises(ValueError, match=r"ids must have the shape \(1, 32\), not \(1, 5\)"):
        model(ids=np.ones([1, 5], np.int32))


def test_unknown_runtime(sentiment):
    with pytest.raises(ValueError, match="must be one of interpreter, compiled, not 'gpu'"):
        LiteFile(str(sentiment.lite / KIND), runtime="gpu")


def test_the_second_runtime_refuses_a_fused_file(sentiment):
    with pytest.raises(RuntimeError):
        LiteFile(str(sentiment.lite / "dynamic.tflite"), runtime="compiled")


def test_zeros_have_the_shapes_of_a_signature(files):
    for file in files[1].values():
        zeros = file.zeros("classify_ids_64")
        assert {name: (v.shape, v.dtype.name) for name, v in zeros.items()} == {
            "ids": ((1, LONGEST), "int32")
        }


@pytest.mark.parametrize("runtime", runner.RUNTIMES)
def test_of_one_shape_a_file_is_asked_by_its_only_name(forecasting, runtime):
    model = LiteModel(str(forecasting.lite / "dynamic.tflite"), runtime=runtime)
    assert model.file.names == [model.signature]
    outputs = model(**model.file.zeros(model.signature))
    assert all(np.isfinite(value).all() for value in outputs.values())


def test_xnnpack_computes_no_file_that_takes_any_length(sentiment):
    """An input longer than all before it was answered wrongly now and then (decision 74)."""
    found = {}
    for name in ("dynamic.tflite", KIND):
        file = LiteFile(str(sentiment.lite / name))
        file.run("classify_ids", ids=np.ones([1, 5], np.int32))
        operations = file.engine.interpreter._get_ops_details()
        found[name] = "DELEGATE" in {each["op_name"] for each in operations}
    assert found == {"dynamic.tflite": False, KIND: True}
