"""What every cell learns with as many weights and steps as an LSTM has: four tasks.

    python benchmarks/cell_tasks.py DATA [--tasks adding ptb commands etth1] [--cells lstm min_gru]

DATA is a folder with ptb, speech_commands and ett/ETTh1.csv. Each cell is as wide as gives its
recurrent layers about the weights of the LSTM's; all else is the LSTM's setting, which is kind to
the LSTM. One seed each. Budgets are steps, not seconds: `cells.py --same weights` has those.

- adding: the adding problem (Hochreiter & Schmidhuber 1997) at 400 steps, two layers; mean square
  error on 2,000 new sequences. Always saying 1 gives 0.167.
- ptb: a word language model of one layer, one epoch; validation perplexity.
- commands: eight spoken words, three epochs; accuracy on the speakers held out of training.
- etth1: 96 hours ahead, two epochs; mean square error of the scaled validation part.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import tensorflow as tf

CELLS = (
    *("lstm", "gru", "simple", "min_gru", "min_lstm"),
    *("rg_lru", "ind_rnn", "sru", "slstm", "mogrifier_lstm"),
)
STEPS = 400
BUDGETS = {"adding": 1500, "ptb": 1, "commands": 3, "etth1": 2}
"""Steps of the first, epochs of the others."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--cells", nargs="+", default=CELLS, choices=CELLS)
    options = parser.parse_args()
    print("| task | cell | units | recurrent weights | result | s |\n|---|---|---|---|---|---|")
    for task in options.tasks:
        run, features, units, depth = TASKS[task]
        wanted = weights("lstm", units, features, depth)
        for cell in options.cells:
            width = nearest(cell, wanted, features, depth)
            started = time.perf_counter()
            result = run(options.data, cell, width)
            seconds = time.perf_counter() - started
            own = weights(cell, width, features, depth)
            print(f"| {task} | {cell} | {width} | {own:,} | {result} | {seconds:.0f} |", flush=True)


def weights(cell: str, units: int, features: int, depth: int) -> int:
    """Of a stack of layers."""
    from rnnsuite.layers import Stack

    with tf.Graph().as_default():  # shapes alone
        stack = Stack(cell, units, depth)
        stack.build((None, None, features))
        return stack.count_params()


def nearest(cell: str, wanted: int, features: int, depth: int) -> int:
    """Units, a multiple of 8, that give about so many weights."""
    low, high = 1, 512
    while low < high:
        middle = (low + high) // 2
        if weights(cell, 8 * middle, features, depth) < wanted:
            low = middle + 1
        else:
            high = middle
    return min(
        (8 * n for n in (low - 1, low) if n),
        key=lambda units: abs(weights(cell, units, features, depth) - wanted),
    )


def adding(_: pathlib.Path, cell: str, units: int) -> str:
    """Two numbers of 400 are marked; their sum is asked for."""
    import keras

    from rnnsuite.layers import Stack

    keras.utils.set_random_seed(0)
    inputs = keras.Input([STEPS, 2])
    last = Stack(cell, units, 2)(inputs)[:, -1]
    model = keras.Model(inputs, keras.layers.Dense(1)(last))
    optimizer = keras.optimizers.Adam(1e-3, clipnorm=1.0)

    @tf.function(autograph=False)
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(x, training=True)[:, 0] - y))
        optimizer.apply(
            tape.gradient(loss, [w.value for w in model.trainable_variables]),
            model.trainable_variables,
        )

    random = np.random.default_rng(0)
    for _ in range(BUDGETS["adding"]):
        step(*sequences(random, 32))
    x, y = sequences(np.random.default_rng(1), 2000)
    return f"{np.mean((model.predict(x, batch_size=250, verbose=0)[:, 0] - y) ** 2):.4f}"


def sequences(random: np.random.Generator, count: int):
    """Inputs `[count, STEPS, 2]`, numbers and marks, and the sums."""
    x = np.zeros([count, STEPS, 2], np.float32)
    x[:, :, 0] = random.random([count, STEPS])
    rows = np.arange(count)
    for half in range(2):
        x[rows, random.integers(half * STEPS // 2, (half + 1) * STEPS // 2, count), 1] = 1
    return x, (x[:, :, 0] * x[:, :, 1]).sum(1)


def trained(app: str, config: str, data: pathlib.Path, metric: str, *settings: str) -> float:
    """The best value of a metric of a training by the command."""
    with tempfile.TemporaryDirectory() as place:
        words = [sys.executable, "-m", "rnnsuite", "train", app, "-c", config, "--data", str(data)]
        words += [word for each in settings for word in ("--set", each)]
        words += ["--run", f"{place}/run", "--json"]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr[-2000:])
        return json.loads(done.stdout)[metric]


def ptb(data: pathlib.Path, cell: str, units: int) -> str:
    epochs = f"train.epochs={BUDGETS['ptb']}"
    sizes = ("model.embedding=256", f"model.units={units}", "model.depth=1", f"model.cell={cell}")
    plain = [f"model.{name}=0" for name in ("weight_drop", "activity", "slowness", "dropout")]
    plain += ["model.input_dropout=0.1", "model.output_dropout=0.1", "train.ema=0"]
    nll = trained("language_model", "ptb", data / "ptb", "val_nll", epochs, *sizes, *plain)
    return f"{np.exp(nll):.1f}"


def commands(data: pathlib.Path, cell: str, units: int) -> str:
    settings = (f"train.epochs={BUDGETS['commands']}", f"model.cell={cell}", f"model.units={units}")
    settings += ("model.stream_units=0",)
    folder = data / "speech_commands"
    found = trained("speech_commands", "speech_commands", folder, "val_accuracy", *settings)
    return f"{found:.4f}"


def etth1(data: pathlib.Path, cell: str, units: int) -> str:
    settings = (f"train.epochs={BUDGETS['etth1']}", f"model.cell={cell}", f"model.units={units}")
    found = trained("forecasting", "etth1", data / "ett/ETTh1.csv", "val_error", *settings)
    return f"{found:.4f}"


TASKS = {
    "adding": (adding, 2, 64, 2),
    "etth1": (etth1, 256, 256, 1),
    "commands": (commands, 128, 96, 1),
    "ptb": (ptb, 256, 256, 1),
}
"""The task, and the LSTM it is measured by: inputs, units, layers."""

if __name__ == "__main__":
    main()
