"""Batches: altered examples, and records evenly spread."""

import socket
import types

import numpy as np
import pytest
import tensorflow as tf

from rnnsuite.core.errors import UserError
from rnnsuite.data import batches, sources
from rnnsuite.data.records import collect


def altered_batches(seed, augment=None):
    examples = tf.data.Dataset.range(20).map(lambda n: (tf.fill([3], n), n))
    found = batches.bucketed(examples, lambda x: tf.size(x), [4], 6, seed, augment)
    return [(inputs.numpy(), targets.numpy()) for inputs, targets in found]


def drawn(inputs, targets, seed):
    noise = tf.random.stateless_uniform(tf.shape(inputs), seed, 0, 2**30, tf.int64)
    return inputs * 0 + noise, targets


def test_every_example_and_every_epoch_is_altered_in_its_own_way():
    first, again, other = (
        altered_batches(1, drawn),
        altered_batches(1, drawn),
        altered_batches(2, drawn),
    )
    for (inputs, _), (same, _) in zip(first, again, strict=True):
        np.testing.assert_array_equal(inputs, same)
    values = np.concatenate([inputs[:, 0] for inputs, _ in [*first, *other]])
    assert len(set(values.tolist())) == 40


def test_without_an_order_nothing_is_altered():
    for inputs, targets in altered_batches(None, drawn):
        np.testing.assert_array_equal(inputs[:, 0], targets)


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(None, list(range(10))), (3, [0, 3, 6]), (5, [0, 2, 4, 6, 8]), (99, list(range(10)))],
)
def test_few_records_are_evenly_spread(limit, expected):
    records = tf.data.Dataset.range(10).filter(lambda n: n >= 0).map(lambda n: {"n": n})
    assert [record["n"] for record in collect(records, limit)] == expected


def test_no_records():
    with pytest.raises(UserError, match="no records"):
        collect(tf.data.Dataset.range(0), 3)


def test_as_many_in_a_batch_as_have_so_many_tokens():
    examples = tf.data.Dataset.from_tensor_slices([2] * 12 + [5] * 8 + [9] * 3).map(
        lambda n: (tf.ones([n]), n)
    )
    found = batches.bucketed(examples, lambda x: tf.size(x), [3, 6], lambda bound: 12 // bound)
    shapes = [tuple(inputs.shape) for inputs, _ in found]
    assert sorted(set(shapes)) == [(1, 9), (2, 5), (4, 2)]
    assert (len(shapes), shapes.count((1, 9))) == (3 + 4 + 3, 3)


class Absent:
    """A builder whose data set has not been downloaded."""

    name = "reviews"
    data_dir = "/somewhere/reviews"

    def __init__(self, path, homepage="http://reviews.example/"):
        self.data_path = path
        self.info = types.SimpleNamespace(homepage=homepage)


@pytest.fixture
def asked(monkeypatch):
    """The hosts that were asked, none of which answers."""
    hosts = []

    def connect(address, timeout):
        assert 2 * timeout <= 20
        hosts.append(address[0])
        raise OSError("unreachable")

    monkeypatch.setattr(sources.socket, "create_connection", connect)
    monkeypatch.setattr(sources.urllib.request, "getproxies", dict)
    return hosts


def test_without_a_network_a_path_is_pointed_to(tmp_path, asked):
    with pytest.raises(UserError, match=r"no network here\..*--data PATH"):
        sources.prepare(Absent(tmp_path / "absent"))
    assert asked == ["reviews.example", "storage.googleapis.com"]


def test_what_is_there_needs_no_network(tmp_path, asked):
    sources._check_network(Absent(tmp_path))
    assert asked == []


def test_one_host_that_answers_is_enough(tmp_path, monkeypatch, asked):
    monkeypatch.setattr(
        sources.socket, "create_connection", lambda address, timeout: socket.socket()
    )
    sources._check_network(Absent(tmp_path / "absent"))
