"""What a training leaves while it runs, on a disk that is full."""

import os
import pathlib

import pytest
import tensorflow as tf

from rnnsuite.core.errors import UserError
from rnnsuite.pipeline.train import record
from rnnsuite.pipeline.train.record import Progress, Recorder

FULL = f"ResourceExhausted: events.out.tfevents.1; {os.strerror(28)}"


class Run:
    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.histories = 0

    def save_history(self, history):
        self.histories += 1


def writers(monkeypatch, flush=None, close=None):
    """TensorFlow's writers of events, with failing methods."""
    make = tf.summary.create_file_writer

    def failing(folder):
        writer = make(folder)
        for name, message in (("flush", flush), ("close", close)):
            if message:
                monkeypatch.setattr(writer, name, fails(message))
        return writer

    monkeypatch.setattr(record.tf.summary, "create_file_writer", failing)


def fails(message):
    def method(*_):
        raise tf.errors.ResourceExhaustedError(None, None, message)

    return method


ROW = {"epoch": 1, "loss": 0.5, "val_loss": 0.25, "seconds": 1.0, "compile_seconds": 0.5}


def test_events_of_train_and_validation(tmp_path):
    run = Run(tmp_path)
    recorder = Recorder(run, writes=True)
    with recorder.events():
        recorder.epoch(ROW, Progress(), {"loss"})
    assert run.histories == 1
    assert len(list((tmp_path / "events").glob("*/events.out.tfevents.*"))) == 2


@pytest.mark.parametrize("method", ["flush", "close"])
def test_a_full_disk_is_told_in_a_line(tmp_path, monkeypatch, method):
    writers(monkeypatch, **{method: FULL})
    recorder = Recorder(Run(tmp_path), writes=True)
    with (
        pytest.raises(UserError, match=f"Cannot write .*events: {os.strerror(28)}"),
        recorder.events(),
    ):
        recorder.epoch(ROW, Progress(), {"loss"})


def test_another_fault_is_not_hidden(tmp_path, monkeypatch):
    writers(monkeypatch, flush="ours")
    recorder = Recorder(Run(tmp_path), writes=True)
    with pytest.raises(tf.errors.ResourceExhaustedError, match="ours"), recorder.events():
        recorder.epoch(ROW, Progress(), {"loss"})
