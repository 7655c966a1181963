"""Training steps of every cell beside an LSTM's.

    python benchmarks/cells.py [--rounds 15] [--features 128] [--units 256] [--same weights]

A layer over `[batch, time, features]` with all outputs, the mean of their squares and the gradients
of inputs and weights, compiled as in training. The cells take turns in every round; the least of
all rounds counts. `--same weights` makes a cell as wide as has the weights of the LSTM.
"""

import argparse
import time

import numpy as np
import tensorflow as tf

from rnnsuite.layers import CELLS

SHAPES = ((64, 200), (32, 100), (128, 50), (16, 400))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--features", type=int, default=128)
    parser.add_argument("--units", type=int, default=256)
    parser.add_argument("--shapes", nargs="+", type=int, default=range(len(SHAPES)), help="numbers")
    parser.add_argument("--same", choices=("units", "weights"), default="units")
    options = parser.parse_args()
    columns = ("batch x time", "cell", "units", "weights", "ms", "LSTM's time over it")
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    for batch, steps in (SHAPES[number] for number in options.shapes):
        x = np.random.default_rng(0).normal(size=[batch, steps, options.features])
        x = tf.constant(x, tf.float32)
        widths = {cell: width(cell, options) for cell in CELLS}
        runs = {cell: training_step(cell, units, x) for cell, units in widths.items()}
        least = dict.fromkeys(runs, np.inf)
        for _ in range(options.rounds):
            for cell, (run, _) in runs.items():
                started = time.perf_counter()
                run(x)
                least[cell] = min(least[cell], time.perf_counter() - started)
        for cell, seconds in least.items():
            print(
                f"| {batch} x {steps} | {cell} | {widths[cell]} | {runs[cell][1]:,} | "
                f"{1000 * seconds:.2f} | {least['lstm'] / seconds:.2f} |",
                flush=True,
            )


def width(cell: str, options: argparse.Namespace) -> int:
    """Units; with `--same weights` as many as have about the weights of the LSTM."""
    if options.same == "units" or cell == "lstm":
        return options.units
    wanted = weights("lstm", options.units, options.features)
    return min(range(8, 4097, 8), key=lambda n: abs(weights(cell, n, options.features) - wanted))


def weights(cell: str, units: int, features: int) -> int:
    """Numbers of a layer: matrices of the input and of the state, and vectors."""
    gates, states = {"simple": (1, 1), "gru": (3, 3), "lstm": (4, 4), "min_gru": (2, 0)}.get(
        cell,
        {
            "layernorm_gru": (3, 3),
            "layernorm_lstm": (4, 4),
            "ind_rnn": (1, 0),
            "sru": (4, 0),
            "slstm": (4, 1),
            "mogrifier_lstm": (9, 4),
        }.get(cell, (3, 0)),
    )
    return units * (gates * features + states * units)


def training_step(cell: str, units: int, x: tf.Tensor):
    """A compiled step that has been run, and its layer's weights."""
    layer = CELLS[cell](units, return_sequences=True)
    layer.build(x.shape)

    @tf.function(autograph=False)
    def run(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = tf.reduce_mean(layer(x, training=True) ** 2)
        gradients = tape.gradient(value, [x, *(weight.value for weight in layer.trainable_weights)])
        return [tf.reduce_sum(gradient) for gradient in gradients]

    run(x)
    return run, layer.count_params()


if __name__ == "__main__":
    main()
