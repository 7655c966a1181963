"""The batches of an epoch."""

import numpy as np
import pytest

from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.run import Run
from rnnsuite.pipeline.train import workers
from rnnsuite.pipeline.train.task import TrainingTask


@pytest.fixture
def task(bag, tmp_path):
    path = tmp_path / "r.csv"
    rows = (f"{word} film number {n},{word}\n" for n in range(30) for word in ("good", "bad"))
    path.write_text("text,label\n" + "".join(rows))
    config = configuration.load(
        bag,
        "sample",
        [f"data.source={path}", "data.validation=0.3", "train.batch_size=8", "model.units=4"],
    )
    run = Run(bag, tmp_path / "run")
    run.folder.mkdir()
    return TrainingTask(run, config, None, workers.start(config.train))


def rows(batches):
    """Every example of the batches, in their order."""
    return [
        row.tobytes() for inputs, _ in batches.as_numpy_iterator() for row in np.asarray(inputs)
    ]


def test_each_epoch_has_an_order_of_its_own_and_the_same_examples(task):
    first = rows(task.epoch(0))
    second = rows(task.epoch(1))
    assert first != second
    assert sorted(first) == sorted(second)
    assert rows(task.epoch(0)) == first
