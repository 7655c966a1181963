"""Tokens a second of a language model: training, and generation in every form.

    python benchmarks/language_model.py RUN MODELS [--data SOURCE] [--runs 3]

RUN is a finished run, MODELS what it was exported to. The least time of several runs; all forms
write the same number of tokens from the same beginning, greedily.
"""

import argparse
import json
import pathlib
import platform
import time

import numpy as np

from rnnsuite import catalog
from rnnsuite.device.language import LiteLanguage
from rnnsuite.pipeline.inference.models import open_model
from rnnsuite.pipeline.run import Run

LENGTH = 100
WINDOWS = 20


def least(function, runs):
    """The least seconds of several calls, after one that is not counted."""
    function()
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def training(run, runs):
    """Tokens a second of training steps."""
    import tensorflow as tf

    from rnnsuite.pipeline.train.step import Trainer

    trained = run.trained()
    settings = trained.config.train
    shape = [settings.batch_size, settings.window]
    spec = tf.TensorSpec([settings.batch_size, None], tf.int32)
    names = [name for name in trained.model.input if "state" not in name and "fresh" not in name]
    fresh = [name for name in trained.model.input if "fresh" in name]
    inputs = dict.fromkeys(names, spec)
    inputs |= {name: tf.TensorSpec(spec.shape, tf.bool) for name in fresh}
    trainer = Trainer(run.app, trained.model, trained.config, 1000, (inputs, spec))
    size = len(trained.fitted.vocabulary().pieces)
    ids = tf.constant(np.random.default_rng(0).integers(4, size, shape), tf.int32)
    values = dict.fromkeys(names, ids) | {name: tf.zeros(shape, tf.bool) for name in fresh}

    def steps():
        for _ in range(WINDOWS):
            trainer.train_step(values, ids)[1].numpy()

    return WINDOWS * ids.shape.num_elements() / least(steps, runs)


def generation(model, batch, runs):
    """Tokens a second of greedy generation in the graph."""
    records = [{"text": b"the"}] * batch
    counts = []

    def write():
        answers = model.answer(records, "greedy", {"max_length": LENGTH})
        counts.append(sum(len(text.split()) + 1 for text in answers["text"]))

    seconds = least(write, runs)
    return counts[-1] / seconds


def python_loop(model, runs):
    """Tokens a second of a Python loop over the signature step."""
    states = model.answer([{"text": b"the"}], "begin")
    first = {name: column[0] for name, column in states.items() if name.startswith("state_")}
    start = states["token"][0]

    def write():
        token = start
        state = first
        for _ in range(LENGTH):
            outputs = model.answer([{"token": token, **state}], "step")
            token = np.int32(outputs["log_probabilities"][0].argmax())
            state = {name: outputs[name][0] for name in state}

    return LENGTH / least(write, runs)


def device(path, runs):
    """Tokens a second of the reference loop on one thread of LiteRT."""
    model = LiteLanguage(str(path))
    counts = []

    def write():
        counts.append(len(list(model.tokens([5], temperature=0.0, max_length=LENGTH))))

    seconds = least(write, runs)
    return counts[-1] / seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("models", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    app = catalog.find("language_model")
    folder = arguments.models / "language_model"
    version = max(
        (path for path in folder.iterdir() if path.name.isdecimal()), key=lambda p: p.name
    )
    model = open_model(app, version)
    runs = arguments.runs
    rates = {
        "training": training(Run(app, arguments.run), runs),
        "SavedModel, batch 1": generation(model, 1, runs),
        "SavedModel, batch 32": generation(model, 32, runs),
        "Python loop over step": python_loop(model, runs),
    }
    for path in sorted((folder / "lite" / version.name).glob("*.tflite")):
        rates[path.name] = device(path, runs)
    rounded = {name: round(value, 1) for name, value in rates.items()}
    print(json.dumps({"machine": platform.processor() or platform.machine(), **rounded}, indent=2))


if __name__ == "__main__":
    main()
