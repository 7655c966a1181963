"""Windows a second in training and forecasts a second served, beside the same model in plain Keras.

    python benchmarks/forecasting.py [-c sample] [--set KEY=VALUE ...] [--rounds 3]

Both train on the same scaled windows, by Adam with the same clipping, on squared errors and the
quantile loss; Keras's model is two keras.layers.GRU, trained by `fit` as Keras compiles it, and
with XLA, the better of which counts. Served are SavedModels from raw values and times, whose
windows are scaled by the same operations. They take turns; the least time of several rounds counts.
"""

import argparse
import json
import pathlib
import tempfile
import time

import keras
import numpy as np
import tensorflow as tf

from rnnsuite import catalog
from rnnsuite.app import Signature, Trained
from rnnsuite.core.context import exporting
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.export import saved_model
from rnnsuite.pipeline.train.step import Trainer

APP = catalog.find("forecasting")
STEPS = 30
REQUESTS = 50


def least(functions, rounds):
    """The least seconds of each of several functions, which take turns, after one call each."""
    for function in functions.values():
        function()
    seconds = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            started = time.perf_counter()
            function()
            seconds[name].append(time.perf_counter() - started)
    return {name: min(values) for name, values in seconds.items()}


def plain(config, fitted):
    """The network of `model.kind: steps` with one layer, in keras.layers alone."""
    lookback = fitted.lookback
    horizon = fitted.horizon
    names = {"values": [lookback], "observed": [lookback]}
    if fitted.features():
        names["features"] = [lookback + horizon, fitted.features()]
    network_inputs = {name: keras.Input(shape, name=name) for name, shape in names.items()}
    past = keras.ops.stack([network_inputs["values"], network_inputs["observed"]], axis=-1)
    place = keras.ops.arange(1, horizon + 1, dtype="float32") / horizon
    ahead = keras.ops.zeros_like(past[:, :1, :1]) + place[None, :, None]
    if "features" in network_inputs:
        features = network_inputs["features"]
        past = keras.ops.concatenate([past, features[:, :lookback]], axis=-1)
        ahead = keras.ops.concatenate([ahead, features[:, lookback:]], axis=-1)
    _, state = keras.layers.GRU(config.units, return_state=True)(past)
    h = keras.layers.GRU(config.units, return_sequences=True)(ahead, initial_state=state)
    h = keras.layers.Dropout(config.dropout)(h)
    numbers = keras.layers.Dense(1 + len(config.levels))(h)
    outputs = {"mean": numbers[..., 0], "quantiles": keras.ops.sort(numbers[..., 1:], axis=-1)}
    return keras.Model(network_inputs, outputs)


class Fitted(keras.Model):
    """Keras's model with our loss, trained by `fit`."""

    def __init__(self, network, config):
        super().__init__()
        self.network = network
        self.settings = config

    def call(self, values, training=False):
        return self.network(values, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return tf.reduce_mean(APP.model.loss(self.settings, y, y_pred)["loss"])


def training(config, fitted, batches, rounds):
    """Windows a second of ours and Keras's."""
    keras.utils.set_random_seed(0)
    settings = config.train
    spec = tf.nest.map_structure(lambda t: tf.TensorSpec(t.shape, t.dtype), batches[0])
    trainer = Trainer(APP, APP.model.build(config.model, fitted), config, 10_000, spec)

    def ours():
        for number in range(STEPS):
            trainer.train_step(*batches[number % len(batches)])[1].numpy()

    functions = {"rnnsuite": ours}
    names = [name for name in batches[0][0] if name != "ahead"]
    chosen = [({name: x[name] for name in names}, y) for x, y in batches]
    stacked = tf.nest.map_structure(lambda *parts: tf.stack(parts), *chosen)
    data = tf.data.Dataset.from_tensor_slices(stacked).repeat().take(STEPS).prefetch(2)
    for name, jit in {"keras": False, "keras, XLA": True}.items():
        model = Fitted(plain(config.model, fitted), config.model)
        optimizer = keras.optimizers.Adam(
            settings.learning_rate, global_clipnorm=settings.clip_norm
        )
        model.compile(optimizer, jit_compile=jit)
        functions[name] = lambda model=model: model.fit(data, verbose=0)
    windows = STEPS * settings.batch_size
    return {name: windows / least_ for name, least_ in least(functions, rounds).items()}


def served(config, fitted, batch, rounds):
    """Forecasts a second of two SavedModels, asked by TensorFlow."""
    trained = Trained(config=config, fitted=fitted, model=APP.model.build(config.model, fitted))
    network = plain(config.model, fitted)
    ours = APP.serving.signatures(trained)["serving_default"]

    def ask(values, times, covariates=None):
        window = fitted.windowed()(values, times, covariates)
        inputs = {name: getattr(window, name) for name in network.input}
        answer = network(inputs, training=False)
        return {
            "mean": window.center + window.scale * answer["mean"],
            "quantiles": window.center[..., None] + window.scale[..., None] * answer["quantiles"],
        }

    theirs = Signature(ask, ours.inputs, ours.example)
    count = fitted.lookback
    request = {
        "values": tf.random.stateless_normal([batch, count], [0, 0]) + 10,
        "times": tf.tile(tf.range(count, dtype=tf.int64)[None] * fitted.step, [batch, 1]),
    }
    if fitted.covariates:
        shape = [batch, count + fitted.horizon, len(fitted.covariates)]
        request["covariates"] = tf.zeros(shape)
    functions = {}
    with tempfile.TemporaryDirectory() as place:
        for name, signature in {"rnnsuite": ours, "keras": theirs}.items():
            folder = pathlib.Path(place) / name
            with exporting("served"):
                saved_model.write({"serving_default": signature}, folder)
            loaded = tf.saved_model.load(str(folder))

            def answers(loaded=loaded):
                for _ in range(REQUESTS):
                    loaded.signatures["serving_default"](**request)["mean"].numpy()

            functions[name] = answers
        seconds = least(functions, rounds)
    return {name: REQUESTS * batch / value for name, value in seconds.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-c", "--config", default="sample")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", dest="settings")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    config = configuration.load(APP, arguments.config, arguments.settings)
    records = APP.data.load(config.data, "train")
    fitted = APP.data.fit(config.data, records)
    examples = APP.data.examples(config.data, fitted, records)
    batches = list(examples.batch(config.train.batch_size, drop_remainder=True).take(10))
    result = {"training, windows/s": training(config, fitted, batches, arguments.rounds)}
    for batch in (1, 32):
        rates = served(config, fitted, batch, arguments.rounds)
        result[f"served, batch {batch}, forecasts/s"] = rates
    rounded = {
        name: {key: round(float(np.float32(value)), 1) for key, value in rates.items()}
        for name, rates in result.items()
    }
    print(json.dumps(rounded, indent=1))


if __name__ == "__main__":
    main()
