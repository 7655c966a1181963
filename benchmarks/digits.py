"""scikit-learn's digits (8 x 8 pixels), row by row and by recurrent sweeps, in five folds.

    python benchmarks/digits.py [--reader rows sweeps] [--folds N] [--set key=value ...]

Settings and epochs are stored ones (configs/object_recognition/digits.yaml); no fold chooses any.
"""

import argparse
import pathlib
import tempfile
from collections.abc import Sequence

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold

from rnnsuite import catalog
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.inference.evaluate import evaluate
from rnnsuite.pipeline.train.train import train

FOLDS = 5
READERS = {"rows": ("model.patch=1",), "sweeps": ("model.patch=1",)}


def write(folder: pathlib.Path, pixels: np.ndarray, labels: np.ndarray) -> None:
    """Folders of classes with a picture for each digit."""
    for number, (digit, label) in enumerate(zip(pixels, labels, strict=True)):
        place = folder / str(label)
        place.mkdir(parents=True, exist_ok=True)
        grey = np.clip(digit * 16, 0, 255).astype(np.uint8)
        Image.fromarray(np.stack([grey] * 3, axis=-1)).save(place / f"{number}.png")


def accuracy(reader: str, folder: pathlib.Path, settings: Sequence[str]) -> tuple[float, float]:
    """Of a model trained on train, scored on test, and of the linear floor."""
    app = catalog.find("object_recognition")
    settings = [
        f"data.source={folder}",
        f"model.reader={reader}",
        *READERS[reader],
        *settings,
    ]
    config = configuration.load(app, "digits", settings)
    train(app, config, folder.parent / reader)
    result = evaluate(app, folder.parent / reader, split="test")
    return result.score.metrics["accuracy"], result.floor["accuracy"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reader", nargs="+", default=list(READERS), choices=list(READERS))
    parser.add_argument("--folds", type=int, default=FOLDS)
    parser.add_argument("--set", action="append", default=[], dest="settings")
    arguments = parser.parse_args()
    digits = load_digits()
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    for reader in arguments.reader:
        results = []
        for inner, outer in list(folds.split(digits.images, digits.target))[: arguments.folds]:
            with tempfile.TemporaryDirectory() as place:
                folder = pathlib.Path(place) / "digits"
                # Validation is a copy of a part of train: nothing is chosen by it.
                parts = {"train": inner, "validation": inner[::10], "test": outer}
                for split, numbers in parts.items():
                    write(folder / split, digits.images[numbers], digits.target[numbers])
                results.append(accuracy(reader, folder, arguments.settings))
                print(f"  {reader}: {results[-1][0]:.4f}, linear {results[-1][1]:.4f}", flush=True)
        means = np.mean(results, axis=0)
        print(f"{reader}: accuracy {means[0]:.4f}, linear {means[1]:.4f}", flush=True)


if __name__ == "__main__":
    main()
