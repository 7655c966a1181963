"""A trained language model outside its application."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from rnnsuite.core.errors import UserError
from rnnsuite.pipeline.inference.models import open_model
from rnnsuite.pipeline.start import open_origin
from rnnsuite.tasks import language


@pytest.fixture(scope="module")
def start(language_model):
    return open_origin(str(language_model.run))


def test_it_predicts_what_the_application_does(language_model, start):
    network = language.of_start(start, "run")
    pieces = language.pieces_of(start.fitted)
    logs, _ = network.step(tf.constant([3]), network.zeros(1))
    model = open_model(language_model.app, language_model.run)
    answer = model.answer([{"text": ""}], "next", {"count": 5})
    best = np.argsort(-logs[0].numpy())[:5]
    assert [pieces[number] for number in best] == [t.decode() for t in answer["tokens"][0]]
    np.testing.assert_allclose(np.exp(logs[0].numpy()[best]), answer["probabilities"][0], rtol=1e-4)


def test_an_export_is_read_as_a_run_is(language_model, start):
    exported = language.of_start(open_origin(str(language_model.saved_model)), "export")
    run = language.of_start(start, "run")
    tokens = tf.constant([5, 7])
    one, _ = run.step(tokens, run.zeros(2))
    other, _ = exported.step(tokens, exported.zeros(2))
    np.testing.assert_allclose(one, other, atol=1e-5)


def test_steps_are_what_reading_at_once_is(start):
    network = language.of_start(start, "run")
    ids = tf.constant([[5, 6, 7], [8, 5, 6]])
    vectors, after = network.read(ids, network.zeros(2))
    states = network.zeros(2)
    for place in range(3):
        logs, states = network.step(ids[:, place], states)
    np.testing.assert_allclose(network.log_probabilities(vectors[:, -1]), logs, atol=1e-5)
    for name, value in after.items():
        np.testing.assert_allclose(value, states[name], atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"app": "sentiment"}, "but of sentiment"),
        ({"fitted": {"direction": "backward"}}, "no forward language model"),
        ({"weights": {}}, "cannot be|can be read"),
    ],
)
def test_what_is_no_forward_language_model(start, changes, message):
    changes = {**changes}
    if "fitted" in changes:
        changes["fitted"] = {**start.fitted, **changes["fitted"]}
    with pytest.raises(UserError, match=message):
        language.of_start(dataclasses.replace(start, **changes), "it")


def test_weights_of_another_size(start):
    weights = {name: value[:1] for name, value in start.weights.items()}
    with pytest.raises(UserError, match="no language model that can be read"):
        language.of_start(dataclasses.replace(start, weights=weights), "it")
