"""Versions in memory, by the C++ loader."""

import threading

import numpy as np
import pytest
import tensorflow as tf

from rnnsuite.server.servable import Servable


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model that adds 1 as often as it is asked to, one addition after the other."""
    place = tmp_path_factory.mktemp("counting") / "1"

    def count(times):
        last = tf.reduce_max(times)
        _, total = tf.while_loop(
            lambda number, _: number < last,
            lambda number, total: (number + 1, total + 1.0),
            (0, tf.zeros_like(times, tf.float32)),
        )
        return {"total": total}

    module = tf.Module()
    module.count = tf.function(count, autograph=False)
    spec = tf.TensorSpec([None], tf.int32, "times")
    tf.saved_model.save(module, str(place), module.count.get_concrete_function(spec))
    return place


def test_a_long_run_of_one_model_holds_up_no_other(folder):
    long, short = (Servable(name, 1, folder, threads=1) for name in ("long", "short"))
    for model in (long, short):
        model.run("serving_default", {"times": np.array([1], np.int32)})
    answers = []
    asked = {"times": np.array([500_000], np.int32)}
    thread = threading.Thread(
        target=lambda: answers.append(long.run("serving_default", asked)["total"])
    )
    thread.start()
    found = short.run("serving_default", {"times": np.array([3, 2], np.int32)})["total"]
    assert thread.is_alive()
    assert found.tolist() == [3.0, 3.0]
    thread.join()
    assert answers[0].tolist() == [500_000.0]
