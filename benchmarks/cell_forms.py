"""Every cell in every form that it is exported in: how far from the layer each of them is.

    python benchmarks/cell_forms.py [--cells slstm mogrifier_lstm]

A layer of 32 units over 24 steps of 40 features, weights drawn once; the largest difference of any
output from the layer's own in training's form. Step: one step after another. SavedModel: stock
operations, loaded by TensorFlow alone. lite and portable: .tflite by LiteRT's Interpreter; dynamic
has int8 weights, int8 is everything with a kernel for it (mean difference, which is what counts
where states feed back). "-": the converter refuses. Each cell is converted in a process of its own.
"""

import argparse
import os
import subprocess
import sys
import tempfile

STEPS, FEATURES, UNITS = 24, 40, 32
FORMS = ("step", "SavedModel", "float32", "portable_float32", "dynamic", "portable_dynamic", "int8")


def main() -> None:
    from rnnsuite.layers import CELLS

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cells", nargs="+", default=list(CELLS), choices=list(CELLS))
    parser.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        return print(*measured(*options.one), sep=" | ")
    print(f"| cell | {' | '.join(FORMS)} |\n{'|---' * (1 + len(FORMS))}|")
    for cell in options.cells:
        found = asked(cell, *FORMS[2:])
        if found is None:  # one of the conversions has killed the process
            found = asked(cell) or ["-"] * 2
            for kind in FORMS[2:]:
                found += (asked(cell, kind) or ["-"] * 3)[2:]
        print(f"| {cell} | {' | '.join(found)} |", flush=True)


def asked(cell: str, *kinds: str) -> list[str] | None:
    """What `measured` gives in a process of its own; None where that ends badly."""
    done = subprocess.run(
        [sys.executable, __file__, "--one", cell, *kinds],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    return None if done.returncode else done.stdout.strip().splitlines()[-1].split(" | ")


def measured(cell: str, *kinds: str) -> list[str]:
    """The differences of one cell, as text: step, SavedModel, and the kinds of .tflite."""
    import keras
    import numpy as np
    import tensorflow as tf

    from rnnsuite.layers import Stack, Streaming, exporting

    keras.utils.set_random_seed(1)
    layer = Stack(cell, UNITS)
    layer.build((1, None, FEATURES))
    x = np.random.default_rng(2).normal(size=[1, STEPS, FEATURES]).astype("float32")
    expected = layer(x).numpy()
    stream = Streaming(layer)
    states = stream.zeros(1)
    outputs = []
    for t in range(STEPS):
        answer = stream.step(tf.constant(x[:, t]), **states)
        states = {name: answer[name] for name in states}
        outputs.append(answer["output"])
    found = [np.abs(np.stack(outputs, 1) - expected).max()]
    module = tf.Module()
    module.weights = [weight.value for weight in layer.weights]
    spec = tf.TensorSpec([None, None, FEATURES], name="x")
    module.answer = tf.function(lambda x: layer(x), input_signature=[spec])
    with tempfile.TemporaryDirectory() as place:
        with exporting("served"):
            tf.saved_model.save(module, place)
        loaded = tf.saved_model.load(place)
        found.append(np.abs(loaded.answer(x).numpy() - expected).max())
    return [f"{value:.0e}" for value in found] + [
        in_lite(layer, kind, x, expected) for kind in kinds
    ]


def in_lite(layer, kind: str, x, expected) -> str:
    """The difference of one .tflite file."""
    import numpy as np
    import tensorflow as tf
    from ai_edge_litert.interpreter import Interpreter

    from rnnsuite.app import Signature
    from rnnsuite.layers import exporting
    from rnnsuite.pipeline.export import lite

    spec = tf.TensorSpec([None, None, FEATURES], name="x")
    signature = Signature(lambda x: {"y": layer(x)}, {"x": spec}, {}, lite=True)
    random = np.random.default_rng(3)
    calibration = [{"x": random.normal(size=x.shape).astype("float32")} for _ in range(20)]
    target = "portable" if kind in lite.PORTABLE else "lite"
    if target == "portable":  # one static length
        spec = tf.TensorSpec([None, STEPS, FEATURES], name="x")
        signature = Signature(lambda x: {"y": layer(x)}, {"x": spec}, {}, lite=True)
    try:
        with exporting(target):
            content = lite.converted({"run": signature}, [kind], calibration)[kind]
    except Exception as error:  # whatever the converter raises
        print(kind, error, file=sys.stderr)
        return "-"
    interpreter = Interpreter(model_content=content)
    if target == "lite":
        place = interpreter.get_input_details()[0]["index"]
        interpreter.resize_tensor_input(place, x.shape)
    answer = interpreter.get_signature_runner("run")(x=x)["y"]
    error = np.abs(answer - expected)
    return f"{error.mean() if kind == 'int8' else error.max():.0e}"


if __name__ == "__main__":
    main()
