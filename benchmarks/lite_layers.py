"""LSTM layers as .tflite files: rnnsuite's fused operation beside what keras.layers converts to.

    python benchmarks/lite_layers.py

One and two layers, one- and bidirectional, 98 x 40 -> 128, a batch of one; float32 and
dynamic range. Both are converted by the same call, in a child process each, and run by
ai-edge-litert on one thread, taking turns; the minimum counts.
"""

import argparse
import itertools
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np

TIME, FEATURES, UNITS = 98, 40, 128
KINDS = ("float32", "dynamic")


def convert(library: str, depth: int, both: bool, folder: str) -> None:
    """Writes `<kind>.tflite` of each kind, the input and the Keras layers' output; run in a child
    process.
    """
    import keras
    import tensorflow as tf

    import rnnsuite.layers
    from rnnsuite.app import Signature
    from rnnsuite.pipeline.export import lite

    keras.utils.set_random_seed(0)
    layers = rnnsuite.layers if library == "rnnsuite" else keras.layers
    stack = [layers.LSTM(UNITS, return_sequences=True) for _ in range(depth)]
    stack = [layers.Bidirectional(layer) if both else layer for layer in stack]
    inputs = keras.Input([TIME, FEATURES])
    y = inputs
    for layer in stack:
        y = layer(y)
    model = keras.Model(inputs, y)
    x = np.random.default_rng(0).normal(size=[1, TIME, FEATURES]).astype("float32")
    np.savez(pathlib.Path(folder) / "expected.npz", x=x, y=model(x))
    # Keras's loop converts best with its length known; the fused operation takes any.
    time_ = TIME if library == "keras" else None
    spec = tf.TensorSpec([None, time_, FEATURES], name="x")
    signature = Signature(lambda x: {"y": model(x)}, {"x": spec}, {}, lite=True)
    with rnnsuite.layers.exporting("lite"):
        for kind, content in lite.converted({"run": signature}, KINDS).items():
            (pathlib.Path(folder) / f"{kind}.tflite").write_bytes(content)


def measure(
    paths: list[str], x: np.ndarray, rounds: int, seconds: float
) -> tuple[list[float], list[np.ndarray]]:
    """Milliseconds of an answer and the answer itself, for each file."""
    from rnnsuite.device.runner import LiteModel

    models = [LiteModel(path) for path in paths]
    answers = [model(x=x)["y"] for model in models]
    best = [np.inf] * len(models)
    for _, (number, model) in itertools.product(range(rounds), enumerate(models)):
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            start = time.perf_counter()
            model(x=x)
            best[number] = min(best[number], 1e3 * (time.perf_counter() - start))
    return best, answers


def operations(path: str) -> str:
    from ai_edge_litert.interpreter import Interpreter

    names = [each["op_name"] for each in Interpreter(model_path=path)._get_ops_details()]
    told = ("UNIDIRECTIONAL_SEQUENCE_LSTM", "WHILE")
    return ", ".join(f"{names.count(name)} {name}" for name in told if name in names)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="per file and round")
    parser.add_argument("--convert", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.convert:
        library, depth, both, folder = options.convert
        return convert(library, int(depth), both == "True", folder)
    print(
        "| layers | file | ms, rnnsuite / Keras | ratio | KB, rnnsuite / Keras | ratio | largest "
        "error | operations |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for both, depth in itertools.product((False, True), (1, 2)):
        with tempfile.TemporaryDirectory() as place:
            folders = [pathlib.Path(place) / library for library in ("rnnsuite", "keras")]
            for folder in folders:
                folder.mkdir()
                case = ["--convert", folder.name, str(depth), str(both), str(folder)]
                subprocess.run([sys.executable, __file__, *case], check=True, capture_output=True)
            with np.load(folders[1] / "expected.npz") as stored:
                x, y = stored["x"], stored["y"]
            for kind in KINDS:
                paths = [folder / f"{kind}.tflite" for folder in folders]
                took, answers = measure(
                    [str(path) for path in paths], x, options.rounds, options.seconds
                )
                sizes = [path.stat().st_size / 1000 for path in paths]
                name = f"{depth} {'bidirectional' if both else 'one-directional'}"
                print(
                    f"| {name} | {kind} | {took[0]:.2f} / {took[1]:.2f} | {took[0] / took[1]:.2f} "
                    f"| {sizes[0]:.0f} / {sizes[1]:.0f} | {sizes[0] / sizes[1]:.2f} "
                    f"| {np.abs(answers[0] - y).max():.0e} | "
                    f"{' / '.join(map(operations, map(str, paths)))} |",
                    flush=True,
                )
    return None


if __name__ == "__main__":
    main()
