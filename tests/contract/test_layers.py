"""A row for every name of `rnnsuite.layers`; one without a row fails."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnsuite import layers
from rnnsuite.inputs.audio import FeatureNormalization, LogMel
from rnnsuite.layers.frames import Frames
from rnnsuite.layers.missing import FillMissing
from rnnsuite.layers.skeleton import Skeleton
from rnnsuite.layers.spectrum import Spectrum
from tests.contract.layer import verify

pytestmark = pytest.mark.usefixtures("compiled")
RANDOM = np.random.default_rng(0)


def random(*shape):
    return RANDOM.normal(size=shape).astype("float32")


MASK = np.arange(6)[None] < np.array([6, 3, 1])[:, None]
SEQUENCE = (random(3, 6, 4),)
MEMORY = random(3, 5, 4)
IMAGES = (random(2, 8, 8, 3),)
IDS = RANDOM.integers(1, 9, size=[3, 6]).astype("int32")


@dataclasses.dataclass(frozen=True)
class Row:
    """A layer with inputs: `options` are those of its calls; float32 whatever its policy or not."""

    make: Callable[[], keras.layers.Layer]
    inputs: tuple
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    is_float32: bool = False


def masked(make, inputs=SEQUENCE):
    return Row(make, inputs, {"mask": MASK})


LAYERS = {
    "SimpleRNN": [masked(lambda: layers.SimpleRNN(5, zoneout=0.1, return_sequences=True))],
    "GRU": [
        masked(lambda: layers.GRU(5, return_sequences=True)),
        Row(lambda: layers.GRU(5, reset_after=False, weight_drop=0.2), SEQUENCE),
    ],
    "LSTM": [
        masked(lambda: layers.LSTM(5, zoneout=(0.1, 0.2), return_state=True)),
        Row(lambda: layers.LSTM(5, return_sequences=True, go_backwards=True), SEQUENCE),
    ],
    "LayerNormGRU": [masked(lambda: layers.LayerNormGRU(5, return_sequences=True))],
    "LayerNormLSTM": [masked(lambda: layers.LayerNormLSTM(5, weight_drop=0.1))],
    "MinGRU": [masked(lambda: layers.MinGRU(5, zoneout=0.1, return_sequences=True))],
    "MinLSTM": [masked(lambda: layers.MinLSTM(5, return_state=True))],
    "RGLRU": [
        masked(lambda: layers.RGLRU(5, return_sequences=True, kernel_initializer="ones")),
    ],
    "IndRNN": [Row(lambda: layers.IndRNN(5, return_sequences=True, go_backwards=True), SEQUENCE)],
    "SRU": [
        masked(lambda: layers.SRU(5, return_sequences=True)),
        Row(lambda: layers.SRU(4, use_bias=False), SEQUENCE),
    ],
    "RGLRUBlock": [
        masked(lambda: layers.RGLRUBlock(5)),
        Row(lambda: layers.RGLRUBlock(6, width=1), SEQUENCE),
    ],
    "SLSTM": [
        masked(lambda: layers.SLSTM(6, heads=2, weight_drop=0.1, return_sequences=True)),
        Row(lambda: layers.SLSTM(5, use_bias=False, zoneout=0.1), SEQUENCE),
    ],
    "MogrifierLSTM": [
        masked(lambda: layers.MogrifierLSTM(5, rounds=3, zoneout=0.1, return_sequences=True)),
        Row(lambda: layers.MogrifierLSTM(4, use_bias=False, go_backwards=True), SEQUENCE),
    ],
    "Bidirectional": [
        masked(lambda: layers.Bidirectional(layers.LSTM(5, return_sequences=True))),
        Row(lambda: layers.Bidirectional(layers.SimpleRNN(5), merge_mode="sum"), SEQUENCE),
    ],
    "Stack": [
        masked(lambda: layers.Stack("gru", 4, 2, bidirectional=True, dropout=0.2)),
        Row(lambda: layers.Stack("lstm", 4, 2, residual=True, zoneout=0.1), SEQUENCE),
    ],
    "Attention": [
        Row(lambda kind=kind: layers.Attention(kind, 6), (random(3, 6, 4), MEMORY))
        for kind in ("additive", "dot", "general", "scaled_dot", "uniform")
    ],
    "Bridge": [Row(lambda: layers.Bridge("lstm", 5, 2), (random(3, 7),))],
    "AttendingDecoder": [
        Row(
            lambda feeding=feeding: layers.AttendingDecoder("gru", 5, 2, feeding=feeding),
            (random(3, 6, 4), MEMORY),
        )
        for feeding in (False, True)
    ],
    "TokenDecoder": [
        Row(
            lambda: layers.TokenDecoder(9, 4, "gru", 5, dropout=0.1, token_dropout=0.1),
            (IDS, MEMORY, random(3, 7)),
        )
    ],
    "TokenTable": [
        Row(make, (*SEQUENCE, IDS), is_float32=True)
        for make in (
            lambda: layers.TokenTable(9, 4, dropout=0.2),
            lambda: layers.TokenTable(20, 4, cutoffs=(4, 6)),
            lambda: layers.TokenTable(9, 4, samples=5),
        )
    ],
    "Pooling": [
        masked(lambda kind=kind: layers.Pooling(kind, return_weights=True))
        for kind in ("last", "mean", "max", "attentive")
    ],
    "CumulativePooling": [Row(layers.CumulativePooling, SEQUENCE)],
    "Sweeps": [Row(lambda: layers.Sweeps("gru", 3), (random(2, 4, 5, 3),))],
    "Perturbation": [Row(layers.Perturbation, SEQUENCE)],
    "RegionEmbedding": [masked(lambda: layers.RegionEmbedding(3))],
    "CausalConvolution": [
        Row(lambda: layers.CausalConvolution(3, (3, 3), (1, 2)), (random(2, 6, 5, 2),))
    ],
    "LookAhead": [Row(lambda: layers.LookAhead(2), (abs(random(2, 6, 4)) + 0.5,))],  # over its bend
    "ResidualBlock": [Row(lambda: layers.ResidualBlock(4, 2, drop=0.3), IMAGES)],
    "Positions": [Row(lambda: layers.Positions(), SEQUENCE)],
    "Dropout": [Row(lambda: layers.Dropout(0.4), SEQUENCE)],
    "LockedDropout": [Row(lambda: layers.LockedDropout(0.4), SEQUENCE)],
    "TokenDropout": [Row(lambda: layers.TokenDropout(0.4), SEQUENCE)],
    "SpecAugment": [Row(lambda: layers.SpecAugment(1, 2, 1, 2), SEQUENCE)],
}
FEATURES = {
    "LogMel": Row(lambda: LogMel(20), (random(2, 3200),)),
    "Frames": Row(lambda: Frames(1, 2, [0.5] * 4, [2.0] * 4), SEQUENCE, is_float32=True),
    "Frames with memory": Row(
        lambda: Frames(1, 0, [0.5] * 4, [2.0] * 4, memory=3), SEQUENCE, is_float32=True
    ),
    "Skeleton": Row(lambda: Skeleton(2, 0, [(0, 1)]), SEQUENCE),
    "FillMissing": Row(lambda: FillMissing([0.5] * 4), SEQUENCE),
    "Spectrum": Row(lambda: Spectrum(4, 1), SEQUENCE),
    "FeatureNormalization": Row(
        lambda: FeatureNormalization("running", [0.5] * 4, [2.0] * 4, steps=5.0), SEQUENCE
    ),
}
NO_LAYERS = {
    "CELLS": "test_recurrent.py and test_stack names them",
    "Cell": "their names",
    "Chain": "test_streaming.py",
    "Parallel": "test_extremes.py",
    "StateSpec": "test_streaming.py",
    "Streamable": "test_streaming.py",
    "Streaming": "test_streaming.py",
    "exporting": "test_lite.py",
    "residual_network": "test_residual.py",
    "to_keras": "test_interop.py",
    "to_rnnsuite": "test_interop.py",
}
ROWS = [
    pytest.param(row, id=f"{name}-{number}", marks=[pytest.mark.thorough] * bool(number))
    for name, rows in LAYERS.items()
    for number, row in enumerate(rows)
]


@pytest.mark.parametrize("row", ROWS)
def test_layer(row, tmp_path):
    verify(row.make, row.inputs, tmp_path, row.options, row.is_float32)


@pytest.mark.parametrize("name", FEATURES)
def test_layer_of_features(name, tmp_path):
    row = FEATURES[name]
    verify(row.make, row.inputs, tmp_path, is_float32=True)


def test_every_public_name_has_a_row():
    assert sorted([*LAYERS, *NO_LAYERS]) == sorted(layers.__all__)
    kinds = {name for name in layers.__all__ if isinstance(getattr(layers, name), type)}
    classes = {name for name in kinds if issubclass(getattr(layers, name), keras.layers.Layer)}
    assert classes == set(LAYERS)


def test_keras_and_ours_cast_integers_alike():
    """As in Keras's own bidirectional_test.py::test_output_shape."""
    x = np.array([[[101, 202], [303, 404]]])
    for merge in ("ave", "concat", "mul"):
        both = [
            kind(inner(3), merge_mode=merge)
            for kind, inner in (
                (keras.layers.Bidirectional, keras.layers.LSTM),
                (layers.Bidirectional, layers.LSTM),
                (keras.layers.Bidirectional, layers.LSTM),
            )
        ]
        outputs = [layer(x) for layer in both]
        assert len({tuple(output.shape) for output in outputs}) == 1
        for layer in both[1:]:
            layer.set_weights(both[0].get_weights())
            np.testing.assert_allclose(layer(x), both[0](x), atol=1e-6)


@keras.saving.register_keras_serializable("tests")
class Broken(keras.layers.Layer):
    """A layer with one fault: it forgets its factor, counts calls, or takes no integers."""

    def __init__(self, fault="", factor=1.0, **options):
        super().__init__(**options)
        self.fault = fault
        self.factor = factor

    def call(self, x):
        self.factor += self.fault == "counts"
        return self.factor * (x if self.fault == "integers" else tf.cast(x, self.compute_dtype))

    def compute_output_shape(self, shape):
        return shape

    def get_config(self):
        known = {} if self.fault == "forgets" else {"factor": self.factor}
        return {**super().get_config(), "fault": self.fault, **known}


@pytest.mark.parametrize(
    ("fault", "where"),
    [
        ("forgets", "is_made_again_from_its_config"),
        ("counts", "repeats_itself"),
        ("integers", "casts_integers"),
    ],
)
def test_a_layer_that_breaks_a_promise_is_caught(tmp_path, fault, where):
    with pytest.raises((AssertionError, TypeError, ValueError)) as caught:
        verify(lambda: Broken(fault, 2.5), SEQUENCE, tmp_path)
    assert where in {entry.name for entry in caught.traceback}
