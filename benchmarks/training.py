"""A whole training with rnnsuite's layers and with keras.layers in their place, taking turns.

    python benchmarks/training.py sentiment -c imdb --set data.source=aclImdb --epochs 4 --seeds 0 1
    2

Everything but the recurrent layers is the same: data, vocabulary (learned once), batches,
optimizer, evaluation. Each training has a process of its own. Prints the fastest epoch of
each, compiling included where there is any, and the best validation score for each seed.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

LIBRARIES = ("rnnsuite", "keras")


def of_keras() -> None:
    """Puts Keras's layers into the stack that applications build."""
    import keras

    from rnnsuite.layers import stack

    def plain(kind):
        def build(units, weight_drop, zoneout, **options):
            if weight_drop or zoneout:
                raise SystemExit("keras.layers have neither weight_drop nor zoneout")
            return carried(kind)(units, **options)

        return build

    def carried(kind):
        """Keras's layer, which also takes what a stack gives it that carries states."""

        # Bidirectional makes a second one by its configuration.
        @keras.saving.register_keras_serializable("benchmark", kind.__name__)
        class Layer(kind):
            def inner_loop(self, sequences, initial_state, mask, training=False, fresh=None):
                if fresh is not None:
                    raise SystemExit("keras.layers cannot begin anew within a batch")
                return super().inner_loop(sequences, initial_state, mask, training)

        return Layer

    kinds = {"simple": keras.layers.SimpleRNN, "gru": keras.layers.GRU, "lstm": keras.layers.LSTM}
    stack.CELLS = {cell: plain(kind) for cell, kind in kinds.items()}
    stack.Bidirectional = keras.layers.Bidirectional


def train(
    library: str, name: str, config: str, settings: list[str], folder: str, fitted: str | None
) -> None:
    """Trains once and prints the history; run in a child process."""
    from rnnsuite import catalog
    from rnnsuite.pipeline import config as configuration
    from rnnsuite.pipeline.run import Run
    from rnnsuite.pipeline.train.train import train

    if library == "keras":
        of_keras()
    app = catalog.find(name)
    known = Run(app, pathlib.Path(fitted)).fitted() if fitted else None
    started = time.monotonic()
    train(app, configuration.load(app, config, settings), pathlib.Path(folder), known)
    history = Run(app, pathlib.Path(folder)).history()
    print(json.dumps({"history": history, "seconds": time.monotonic() - started}))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("app")
    parser.add_argument("-c", "--config", default="sample")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", dest="settings")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--score", default="val_accuracy")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        library, folder, fitted = options.child
        return train(library, options.app, options.config, options.settings, folder, fitted or None)
    scores, epochs = {library: [] for library in LIBRARIES}, {library: [] for library in LIBRARIES}
    with tempfile.TemporaryDirectory() as place:
        known = ""
        for seed in options.seeds:
            for library in LIBRARIES:
                folder = f"{place}/{library}-{seed}"
                settings = [*options.settings, f"seed={seed}", f"train.epochs={options.epochs}"]
                command = [
                    sys.executable,
                    __file__,
                    options.app,
                    "-c",
                    options.config,
                    "--set",
                    *settings,
                ]
                command += ["--child", library, folder, known]
                done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
                found = json.loads(done.stdout.splitlines()[-1])
                known = known or folder
                scores[library].append(max(row[options.score] for row in found["history"]))
                epochs[library] += [row["seconds"] for row in found["history"]]
                print(
                    seed,
                    library,
                    [row["seconds"] for row in found["history"]],
                    scores[library][-1],
                    flush=True,
                )
    for library in LIBRARIES:
        mean, spread = statistics.mean(scores[library]), statistics.pstdev(scores[library])
        print(
            f"{library}: epoch {min(epochs[library]):.1f} s, {options.score} {mean:.4f} +- "
            f"{spread:.4f}"
        )
    print(f"keras over rnnsuite: {min(epochs['keras']) / min(epochs['rnnsuite']):.2f}")
    return None


if __name__ == "__main__":
    main()
