"""A run as .tflite files. The converter can kill its process, so it runs in a child."""

import pathlib
import sys
import tempfile

from rnnsuite import app as apps
from rnnsuite.app import App
from rnnsuite.export import child

KINDS = ("float32", "dynamic")


def convert(app: App, run: pathlib.Path, folder: pathlib.Path, kinds: tuple[str, ...]) -> None:
    """Writes `<kind>.tflite` for every kind, and what belongs beside them, in `folder`. Raises ExportFailed.

    The files hold the application's lite signatures, for a batch of one and any length.
    """
    child.run("rnnsuite.export.lite", app.name, run.resolve(), folder.resolve(), *kinds, isolated=False)


def _main(name: str, run: str, folder: str, *kinds: str) -> None:
    from rnnsuite.export import saved_model
    from rnnsuite.layers.form import exporting
    from rnnsuite.run import Run

    app = apps.find(name)
    trained = Run(app, pathlib.Path(run))
    fitted = trained.fitted()
    with tempfile.TemporaryDirectory() as place, exporting("lite"):
        signatures = {
            key: signature for key, signature in app.signatures(trained.model(), fitted).items() if signature.lite
        }
        saved_model.write(signatures, pathlib.Path(place), batch=1)
        for kind in kinds:
            (pathlib.Path(folder) / f"{kind}.tflite").write_bytes(_converted(place, list(signatures), kind))


def _converted(place: str, signatures: list[str], kind: str) -> bytes:
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(place, signature_keys=signatures)
    # Loops become plain WHILE operations; otherwise they would need TensorFlow's own (Flex).
    converter._experimental_lower_tensor_list_ops = True
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if kind == "dynamic":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return converter.convert()


if __name__ == "__main__":
    _main(*sys.argv[1:])
