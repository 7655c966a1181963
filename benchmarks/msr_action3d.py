"""MSR-Action3D's protocol: three sets of eight actions, odd subjects to even.

    python benchmarks/msr_action3d.py FILE.npz [--set key=value ...]
    python benchmarks/msr_action3d.py FILE.npz --validate [--set ...]

The first trains on odd subjects and scores even ones, the second leaves out odd ones by turns.
Settings and epochs are chosen by --validate, which never reads the even subjects.
"""

import argparse
import pathlib
import tempfile
from collections.abc import Sequence

import numpy as np

from rnnsuite import catalog
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.inference.evaluate import evaluate
from rnnsuite.pipeline.train.train import train

SETS = {
    "AS1": (2, 3, 5, 6, 10, 13, 18, 20),
    "AS2": (1, 4, 7, 8, 9, 11, 12, 14),
    "AS3": (6, 14, 15, 16, 17, 18, 19, 20),
}
"""Numbers of actions (Li, Zhang & Liu, CVPR workshops 2010, table 1)."""
ODD = ("1", "3", "5", "7", "9")
EVEN = ("2", "4", "6", "8", "10")


def accuracy(
    file: pathlib.Path, numbers: Sequence[int], people: dict, settings: Sequence[str], split: str
) -> tuple[float, float]:
    """Of a model trained for these actions, and of the linear floor beside it."""
    app = catalog.find("activity_recognition")
    named = configuration.load(app, "msr_action3d").data.names
    classes = [named[str(number)] for number in numbers]
    config = configuration.load(
        app,
        "msr_action3d",
        [
            f"data.source={file.absolute()}",
            f"data.classes={classes}",
            f"data.people={people}",
            *settings,
        ],
    )
    with tempfile.TemporaryDirectory() as folder:
        run = pathlib.Path(folder) / "run"
        train(app, config, run)
        found = evaluate(app, run, split=split)
    result = found.score.metrics["accuracy"], found.floor["accuracy"]
    print(f"  {split} {people[split]}: {result[0]:.4f}, linear {result[1]:.4f}", flush=True)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--validate", action="store_true")
    parser.add_argument("--left-out", nargs="+", default=ODD, help="odd subjects, with --validate")
    parser.add_argument("--set", action="append", default=[], dest="settings")
    arguments = parser.parse_args()
    results = []
    for name, numbers in SETS.items():
        if arguments.validate:
            folds = [
                accuracy(
                    arguments.file,
                    numbers,
                    {"validation": [subject], "test": list(EVEN)},
                    arguments.settings,
                    "validation",
                )
                for subject in arguments.left_out
            ]
        else:
            # What is validated is trained on: nothing is chosen by it.
            people = {"validation": [ODD[0]], "test": list(EVEN)}
            settings = [*arguments.settings, "data.refit=true", "train.patience=0"]
            folds = [accuracy(arguments.file, numbers, people, settings, "test")]
        means = np.mean(folds, axis=0)
        results.append(means)
        print(f"{name}: accuracy {means[0]:.4f}, linear {means[1]:.4f}", flush=True)
    means = np.mean(results, axis=0)
    print(f"mean: accuracy {means[0]:.4f}, linear {means[1]:.4f}")


if __name__ == "__main__":
    main()
