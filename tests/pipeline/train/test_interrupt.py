"""Signals in a training."""

import os
import signal

import pytest

from rnnsuite import catalog
from rnnsuite.core.errors import Interrupted
from rnnsuite.pipeline.run import Run
from rnnsuite.pipeline.train.interrupt import stoppable


@pytest.fixture
def run(tmp_path):
    return Run(catalog.find("sentiment"), tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_before_the_first_checkpoint_nothing_is_promised(run, number):
    with (
        pytest.raises(Interrupted, match="no checkpoint yet, and nothing is left") as caught,
        stoppable(run),
    ):
        os.kill(os.getpid(), number)
    assert caught.value.number == number


def test_with_a_checkpoint_it_goes_on_from_there(run):
    run.checkpoints.mkdir()
    (run.checkpoints / "000000001.npz").touch()
    with pytest.raises(Interrupted, match="goes on from the last checkpoint"), stoppable(run):
        os.kill(os.getpid(), signal.SIGINT)


def interrupt_twice(run):
    with stoppable(run) as stop, stop.waited_for():
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.signal == signal.SIGINT
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("the second one was not heeded")


def test_a_step_ends_first_and_a_second_signal_does_not_wait(run):
    with pytest.raises(Interrupted):
        interrupt_twice(run)


def test_handlers_are_put_back(run):
    before = signal.getsignal(signal.SIGTERM)
    with stoppable(run):
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before
