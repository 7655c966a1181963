"""Signatures of any length become ones of several lengths."""

import pytest
import tensorflow as tf

from rnnsuite.app import Signature
from rnnsuite.core.errors import ExportFailed, UserError
from rnnsuite.pipeline.export import flatbuffer, lite, parity, release
from rnnsuite.pipeline.export.release import _check_kinds
from rnnsuite.pipeline.export.saved_model import Exported
from tests.conftest import ROOT


def signature(shape, lengths=()):
    spec = {"x": tf.TensorSpec(shape, tf.float32, name="x")}
    return Signature(lambda x: {"y": x}, spec, {}, lite=True, lengths=lengths)


def test_one_for_each_length():
    signatures = {"any": signature([None, None, 3], (4, 9)), "one": signature([None, 5])}
    static = lite.of_static_shape(signatures)
    shapes = {name: each.inputs["x"].shape.as_list() for name, each in static.items()}
    assert shapes == {"any_4": [None, 4, 3], "any_9": [None, 9, 3], "one": [None, 5]}


@pytest.mark.parametrize("lengths", [(), (8,)])
def test_any_length_without_lengths_is_refused(lengths):
    with pytest.raises(UserError, match="any takes inputs of any length"):
        lite.of_static_shape({"any": signature([None, None], lengths)})


def test_portable_stands_for_both(sentiment):
    assert _check_kinds(sentiment.app, ["portable"]) == lite.PORTABLE
    assert _check_kinds(sentiment.app, ["none"]) == ()
    with pytest.raises(UserError, match=r"--lite best: unknown kind\. .*portable, none"):
        _check_kinds(sentiment.app, ["best"])


def test_a_fused_file_is_not_portable(sentiment, tmp_path):
    fused = (sentiment.lite / "dynamic.tflite").read_bytes()
    assert not flatbuffer.is_portable(fused)
    assert flatbuffer.is_portable((sentiment.lite / "portable_dynamic.tflite").read_bytes())
    path = tmp_path / "portable_dynamic.tflite"
    path.write_bytes(fused)
    with pytest.raises(ExportFailed, match=r"portable_dynamic\.tflite has inputs of any length"):
        parity._runtimes(path)


def test_what_is_portable_is_written_once(forecasting):
    """It has one shape, and its loop no state of its own."""
    assert flatbuffer.is_portable((forecasting.lite / "dynamic.tflite").read_bytes())
    assert not (forecasting.lite / "portable_dynamic.tflite").exists()


def test_by_default_there_is_none_where_no_lengths_are_named():
    signatures = {"any": signature([None, None]), "served": signature([None, 3])}
    kinds = ("float32", "dynamic", "portable_dynamic")
    exported = Exported(None, signatures)
    assert release._without_portable(kinds, exported) == ("float32", "dynamic")
    static = Exported(None, {"one": signature([None, 3])})
    assert release._without_portable(kinds, static) == kinds


def test_booleans_become_numbers():
    """The anomaly detector says whether there is an alarm, which LiteRT.js could not be told."""
    folder = ROOT / "saved_models" / "anomaly_detection" / "lite" / "1"
    assert not flatbuffer.is_portable((folder / "dynamic.tflite").read_bytes())
    assert flatbuffer.is_portable((folder / "portable_dynamic.tflite").read_bytes())
    specs = {"on": tf.TensorSpec([None], tf.bool, "on"), "x": tf.TensorSpec([None], name="x")}
    signature = Signature(lambda on, x: {"off": ~on, "y": tf.where(on, x, -x)}, specs, {})
    (numeric,) = lite.without_booleans({"add": signature}).values()
    assert {name: spec.dtype for name, spec in numeric.inputs.items()} == {
        "on": tf.int32,
        "x": tf.float32,
    }
    answer = numeric.function(on=tf.constant([0, 1]), x=tf.constant([2.0, 3.0]))
    assert answer["off"].dtype == tf.int32
    assert answer["off"].numpy().tolist() == [1, 0]
    assert answer["y"].numpy().tolist() == [-2.0, 3.0]


def test_every_constant_is_written_once(sentiment):
    """The signatures of all lengths have their weights in common."""
    model = flatbuffer.unpacked((sentiment.lite / "portable_dynamic.tflite").read_bytes())
    constants = [bytes(each.data) for each in model.buffers if each.data is not None]
    constants = [each for each in constants if each]
    assert len(model.subgraphs) > 2
    assert len(constants) == len(set(constants))
