"""Log-mel energies, convolutions that shorten time, recurrent layers, a class for each symbol."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from rnnsuite.app import Direction, Model
from rnnsuite.inputs.audio import FeatureNormalization, LogMel
from rnnsuite.layers import CausalConvolution, Chain, LockedDropout, LookAhead, SpecAugment, Stack
from rnnsuite.tasks.transcription.losses import ctc_loss, framed, label_priors
from rnnsuite.tasks.transcription.steps import WithinSteps

from .config import ModelConfig
from .data import Fitted


def build(config: ModelConfig, fitted: Fitted) -> keras.Model:
    """The network.

    Args:
        config: sizes and regularisation.
        fitted: gives features, steps and symbols.

    Returns:
        A model from `samples` `[batch, steps * hop]` at 16 kHz and `steps` `[batch]`, how many are
        a row's own, to a dict of logits `[batch, steps, symbols]`, of which symbol 0 is the blank:
        `logits`, from both directions, `stream_logits`, as a stream gives them, and
        `timing_logits`, by which words are timed.
    """
    samples = keras.Input([None], dtype="float32", name="samples")
    steps = keras.Input([], dtype="int32", name="steps")
    ahead = config.look_ahead if config.stream_units else 0
    x = samples
    if ahead:  # what a stream hears of the silence behind a recording
        x = ops.pad(x, [[0, 0], [0, ahead * fitted.hop]])
    x = _front(config, fitted, x)
    own = x[:, :-ahead] if ahead else x
    mask = WithinSteps(name="within")(own, steps)
    whole = _recurrent(config, "recurrent", config.units, config.depth, True)(own, mask=mask)
    outputs = {"logits": _symbols(config, fitted, "symbols", whole)}
    if config.stream_units:
        stack = _recurrent(config, "stream", config.stream_units, config.stream_depth, False)
        h = LookAhead(ahead, name="ahead")(stack(x))
        outputs["stream_logits"] = _symbols(config, fitted, "stream_symbols", h)
    if config.timing:
        outputs["timing_logits"] = _timing(config, fitted, own, mask)
    return keras.Model({"samples": samples, "steps": steps}, outputs, name="speech_recognition")


def _recurrent(config: ModelConfig, name: str, units: int, depth: int, both: bool) -> Stack:
    return Stack(
        config.cell,
        units,
        depth,
        both,
        layer_norm=config.layer_norm,
        dropout=config.dropout,
        weight_drop=config.weight_drop,
        name=name,
    )


def _symbols(config: ModelConfig, fitted: Fitted, name: str, x):
    size = len(fitted.vocabulary().pieces)
    return keras.layers.Dense(size, dtype="float32", name=name)(LockedDropout(config.dropout)(x))


def _timing(config: ModelConfig, fitted: Fitted, x, mask):
    """Symbols by few steps, so those of the sound itself; it teaches nothing to the front."""
    own = ops.where(mask[..., None], ops.stop_gradient(x), 0.0)
    size = 2 * config.timing + 1
    options = {"padding": "same", "activation": "relu", "name": "timing"}
    h = keras.layers.Conv1D(config.projection, size, **options)(own)
    return _symbols(config, fitted, "timing_symbols", h)


def _front(config: ModelConfig, fitted: Fitted, x):
    """Samples to `[batch, steps, projection]`; no step looks ahead."""
    x = LogMel(fitted.bins, dtype="float32", name="features")(x)
    moments = (fitted.mean, fitted.deviation)
    x = FeatureNormalization("fixed", *moments, dtype="float32", name="normalised")(x)
    masks = (config.freq_masks, config.freq_width, config.time_masks, config.time_width)
    x = SpecAugment(*masks, name="masked")(x)
    x = keras.layers.Reshape((-1, fitted.bins, 1), name="planes")(x)
    reduction = fitted.reduction
    for number, filters in enumerate(config.channels):
        stride = 2 if reduction > 1 else 1
        reduction //= stride
        kernel = (3, min(5, x.shape[2]))
        x = CausalConvolution(filters, kernel, (stride, 2), name=f"convolution_{number}")(x)
    if reduction > 1:
        raise ValueError(f"{fitted.reduction} frames a step need more convolutions (channels)")
    x = keras.layers.Reshape((-1, x.shape[2] * x.shape[3]), name="flat")(x)
    x = keras.layers.Dense(config.projection, activation="relu", name="projection")(x)
    return LockedDropout(config.dropout)(x)


def stream(model: keras.Model) -> Chain | None:
    """The stream's layers, fed some steps' samples at a time; None where the model has none."""
    names = [layer.name for layer in model.layers]
    if "stream" not in names:
        return None
    convolutions = [name for name in names if name.startswith("convolution_")]
    front = ["features", "normalised", "planes", *convolutions, "flat", "projection"]
    parts = [*front, "stream", "ahead", "stream_symbols"]
    return Chain(**{name: model.get_layer(name) for name in parts})


def loss(
    config: ModelConfig, targets: Mapping[str, tf.Tensor], outputs: Mapping[str, Any]
) -> dict[str, tf.Tensor]:
    """Connectionist temporal classification of every head, in nats a symbol, and their sum.

    Args:
        config: gives the share of the label priors.
        targets: see `data.examples`.
        outputs: of the model.

    Returns:
        Values `[batch]` by the names in METRICS. Rows are weighted by their symbols, so that the
        mean over the batch is the mean over its symbols.
    """
    ids = targets["ids"]
    symbols = tf.reduce_sum(tf.cast(ids > 0, tf.float32))
    share = tf.cast(tf.shape(ids)[0], tf.float32) / tf.maximum(symbols, 1.0)
    heads = [outputs[name] for name in ("logits", "stream_logits") if name in outputs]
    steps = tf.tile(targets["steps"], [len(heads)])
    labels = tf.tile(ids, [len(heads), 1])
    nats = ctc_loss(tf.concat(heads, axis=0), steps, labels) * share
    whole, *others = tf.split(nats, len(heads))
    streamed = others[0] if others else tf.zeros_like(whole)
    timed = tf.zeros_like(whole)
    if "timing_logits" in outputs:
        logits = outputs["timing_logits"]
        discount = config.label_priors * label_priors(logits, targets["steps"])
        timed = ctc_loss(logits, targets["steps"], framed(ids), discount) * share
    total = whole + streamed + timed
    return {"loss": total, "whole_loss": whole, "stream_loss": streamed, "timing_loss": timed}


LOSSES = ("loss", "whole_loss", "stream_loss", "timing_loss")
METRICS: Mapping[str, Direction] = dict.fromkeys(LOSSES, "min")
MODEL = Model(config=ModelConfig, build=build, loss=loss, metrics=METRICS)
