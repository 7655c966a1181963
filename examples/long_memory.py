"""The adding problem: which recurrence remembers over a hundred steps, and what its gradient does
meanwhile.

    python examples/long_memory.py --lengths 100 400 --out runs/long_memory

Each input is a sequence of numbers in [0, 1] with two of them marked, one in either half;
the target is their sum (Hochreiter & Schmidhuber 1997, section 5.4, in the form of arXiv
1504.00941). Who always answers 1 has a mean squared error of 0.167. Writes a figure, the
curves as JSON and a table: the error, and how much of the gradient with respect to the
state at the last steps is left at the first.
"""

import argparse
import itertools
import json
import pathlib
import time

import keras
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from rnnsuite.core.progress import bar
from rnnsuite.layers import GRU, LSTM, SimpleRNN
from rnnsuite.pipeline.train import health

FREE = ", not clipped"
NAMES = [
    "tanh",
    f"tanh{FREE}",
    "tanh, orthogonal start",
    "ReLU, identity start",
    f"ReLU, identity start{FREE}",
    "GRU",
    f"GRU{FREE}",
    "LSTM",
    f"LSTM{FREE}",
]
SOLVED = 0.01
CHANCE = 0.167


def recurrence(name: str, units: int) -> tuple[keras.layers.Layer, float | None]:
    """(layer, bound on the gradient's norm or None)."""
    kinds = {
        "tanh": lambda: SimpleRNN(units, recurrent_initializer="glorot_uniform"),
        "tanh, orthogonal start": lambda: SimpleRNN(units, recurrent_initializer="orthogonal"),
        "ReLU, identity start": lambda: SimpleRNN(
            units, activation="relu", recurrent_initializer="identity"
        ),
        "GRU": lambda: GRU(units),
        "LSTM": lambda: LSTM(units),
    }
    return kinds[name.removesuffix(FREE)](), None if name.endswith(FREE) else 1.0


def batch(rng: np.random.Generator, rows: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs `[rows, length, 2]` (number, mark) and targets `[rows, 1]`."""
    numbers, marks = rng.random([rows, length], np.float32), np.zeros([rows, length], np.float32)
    places = np.stack(
        [rng.integers(0, length // 2, rows), rng.integers(length // 2, length, rows)], axis=1
    )
    np.put_along_axis(marks, places, 1.0, axis=1)
    return np.stack([numbers, marks], axis=-1), np.sum(numbers * marks, axis=1, keepdims=True)


def train(name: str, length: int, options) -> dict:
    """Trains one recurrence and gives its curve, test error and gradients before and after."""
    keras.utils.set_random_seed(options.seed)
    layer, clip = recurrence(name, options.units)
    rng = np.random.default_rng(options.seed)
    model = keras.Sequential([keras.Input([length, 2]), layer, keras.layers.Dense(1)])
    optimizer = keras.optimizers.Adam(options.learning_rate, global_clipnorm=clip)
    optimizer.build(model.trainable_variables)

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(x, training=True) - y) ** 2)
        optimizer.apply(tape.gradient(loss, [weight.value for weight in model.trainable_variables]))
        return loss

    few, test = (
        batch(np.random.default_rng(1), 8, length),
        batch(np.random.default_rng(2), 2000, length),
    )

    def gradients():
        return health.measure(model, lambda: tf.reduce_mean((model(few[0]) - few[1]) ** 2))

    before, curve, started = gradients(), [], time.monotonic()
    for number in range(options.steps):
        loss = step(*batch(rng, options.batch_size, length))
        if number % 50 == 49:
            curve.append((number + 1, float(loss)))
        if not np.isfinite(loss):
            break
    (states,) = before["states"].values()
    return {
        "curve": curve,
        "mse": float(np.mean((model.predict(test[0], batch_size=500, verbose=0) - test[1]) ** 2)),
        "states_before": states,
        "states_after": next(iter(gradients()["states"].values())),
        "warnings": health.warnings(before),
        "seconds": round(time.monotonic() - started, 1),
    }


def figure(results: dict[str, dict[str, dict]]) -> Figure:
    """A row for each length: errors while training, and the gradient's way back before and after
    it.
    """
    drawn = Figure(figsize=(16, 4.2 * len(results)), layout="constrained")
    for row, (length, found) in zip(
        drawn.subplots(len(results), 3, squeeze=False), results.items(), strict=True
    ):
        for number, (name, result) in enumerate(found.items()):
            style = {
                "label": name,
                "color": f"C{number}",
                "linestyle": "--" if name.endswith(FREE) else "-",
            }
            if result["curve"]:
                steps, errors = zip(*result["curve"], strict=True)
                smooth = (
                    np.convolve(errors, np.ones(5) / 5, mode="valid") if len(errors) > 5 else errors
                )
                row[0].semilogy(steps[-len(smooth) :], smooth, **style)
            for axes, when in ((row[1], "before"), (row[2], "after")):
                norms = np.array(result[f"states_{when}"][::-1])
                if not name.endswith(FREE) and np.isfinite(norms).all():
                    axes.semilogy(np.maximum(norms / norms[0], 1e-12), **style)
        row[0].axhline(CHANCE, color="grey", linewidth=0.8)
        row[0].axhline(SOLVED, color="grey", linewidth=0.8, linestyle=":")
        row[0].set(
            xlabel="training step",
            ylabel="mean squared error",
            title=f"Adding two numbers among {length}",
        )
        for axes, when in ((row[1], "before"), (row[2], "after")):
            axes.set(
                xlabel="steps back from the end",
                ylabel="|dL/dh|, of the last step's",
                title=f"Gradient {when} training",
            )
        row[0].legend(fontsize="small")
        row[1].legend(fontsize="small")
        for axes in row:
            axes.grid(alpha=0.3)
    return drawn


def table(results: dict[str, dict[str, dict]]) -> str:
    lines = [
        "| steps | recurrence | test MSE | solved | gradient left, before training | after | "
        "seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    for length, found in results.items():
        for name, each in found.items():
            solved = "yes" if each["mse"] < SOLVED else "no"
            left = " | ".join(
                f"{health.fall(each[f'states_{when}']) or 0:.0e}" for when in ("before", "after")
            )
            lines.append(
                f"| {length} | {name} | {each['mse']:.4f} | {solved} | {left} | "
                f"{each['seconds']:.0f} |"
            )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lengths", nargs="+", type=int, default=[100], metavar="T")
    parser.add_argument("--steps", type=int, default=3000, help="of training, default %(default)s")
    parser.add_argument("--units", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("runs/long_memory"))
    options = parser.parse_args()
    results: dict = {str(length): {} for length in options.lengths}
    with bar(desc="recurrences", total=len(options.lengths) * len(NAMES)) as shown:
        for length, name in itertools.product(options.lengths, NAMES):
            results[str(length)][name] = train(name, length, options)
            shown.update()
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "long_memory.json").write_text(json.dumps(results), encoding="utf-8")
    figure(results).savefig(options.out / "long_memory.png", dpi=90)
    print(table(results))


if __name__ == "__main__":
    main()
