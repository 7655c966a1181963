"""What the trials of a search leave."""

import contextlib
import pathlib
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from rnnsuite.app import App
from rnnsuite.core.files import as_user_error
from rnnsuite.pipeline.config import Config
from rnnsuite.pipeline.run import Run
from rnnsuite.pipeline.tune.oracle import completed_trials


def write_hparams(
    folder: pathlib.Path, settings: Mapping[str, Any], metrics: Mapping[str, Any]
) -> None:
    """Writes a trial's settings and results where TensorBoard's HParams page finds them."""
    from tensorboard.plugins.hparams import api

    events = folder / "events" / "validation"
    with (
        as_user_error(events),
        contextlib.closing(tf.summary.create_file_writer(str(events))) as writer,
        writer.as_default(step=0),
    ):
        api.hparams(dict(settings), trial_id=str(folder))
        for name, value in metrics.items():
            if name.startswith("val_"):
                tf.summary.scalar(f"best/{name}", value)


def trial_folder(folder: pathlib.Path, number: str) -> pathlib.Path:
    """The run folder of a trial."""
    return folder / "trials" / number


def prune(oracle: Any, folder: pathlib.Path, keep: int) -> None:
    """Removes weights and checkpoints of all completed trials but the best; their metrics stay."""
    for trial in completed_trials(oracle)[keep:]:
        run = trial_folder(folder, trial.trial_id)
        shutil.rmtree(run / "checkpoints", ignore_errors=True)
        (run / "best.weights.h5").unlink(missing_ok=True)


def trial_table(
    app: App, config: Config, completed: Sequence[Any], folder: pathlib.Path
) -> list[dict[str, Any]]:
    """A row for each completed trial, best first: number, score, settings, epochs, minutes."""
    rows = []
    for trial in completed:
        history = Run(app, trial_folder(folder, trial.trial_id)).history()
        rows.append(
            {
                "trial": trial.trial_id,
                config.tune.objective: trial.score,
                **{key: trial.hyperparameters.values.get(key) for key in config.tune.space},
                "epochs": len(history),
                "minutes": round(sum(row.get("seconds", 0.0) for row in history) / 60, 1),
            }
        )
    return rows
