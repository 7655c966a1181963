"""A classifier that begins with a language model: its vocabulary, its weights, both directions."""

import base64
import dataclasses
import json
import zlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from apps.language_model import APP as LANGUAGE
from apps.sentiment import APP
from apps.sentiment.config import ModelConfig
from apps.sentiment.data import Fitted
from apps.sentiment.model import build, loss
from apps.sentiment.ngrams import Ngrams
from apps.sentiment.pretrained import initialise
from rnnsuite.app import Start
from rnnsuite.core.errors import UserError
from rnnsuite.core.weights import named_weights
from rnnsuite.device import unigram
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.config import Schema
from rnnsuite.pipeline.export.release import release
from rnnsuite.pipeline.inference.models import fitted_of, open_model
from rnnsuite.pipeline.run import Run
from rnnsuite.pipeline.start import open_origin
from rnnsuite.pipeline.train.train import train

SUBWORDS = ["data.unit=subwords", "data.vocabulary_size=90", "data.lower=true"]
SIZES = ["model.embedding=8", "model.units=12", "model.averaged=true"]
TINY = ["train.learning_rate=1e-9", "train.weight_decay=0.0", "train.ema=0.0"]


@pytest.fixture(scope="module")
def language(tmp_path_factory):
    """A language model of both directions over subwords."""
    folder = tmp_path_factory.mktemp("language") / "run"
    settings = [*SUBWORDS, "data.direction=both"]
    train(LANGUAGE, configuration.load(LANGUAGE, "tiny", settings), folder)
    return folder


def settings(language, *more):
    return configuration.load(
        APP, "tiny", [f"data.language_model={language}", *SIZES, *TINY, *more]
    )


@pytest.fixture(scope="module")
def classifier(language, tmp_path_factory):
    folder = tmp_path_factory.mktemp("classifier") / "run"
    wide = "data.ngrams=4096"
    train(APP, settings(language, "model.language_weight=0.2", wide), folder)
    return folder


@pytest.fixture(scope="module")
def models(classifier, tmp_path_factory):
    """Its export, and the report of that."""
    folder = tmp_path_factory.mktemp("models")
    return folder, release(APP, classifier, folder, kinds=["float32"])


def test_it_has_the_language_model_s_vocabulary_and_weights(language, classifier):
    fitted = fitted_of(APP, classifier)
    origin = fitted_of(LANGUAGE, language)
    assert fitted.subwords == origin.subwords
    assert fitted.lower
    assert fitted.vocabulary == origin.vocabulary().pieces
    own = named_weights(Run(APP, classifier).model())
    theirs = named_weights(Run(LANGUAGE, language).model())
    shared = own.keys() & theirs.keys()
    assert {name.split("/")[0] for name in shared} == {
        "tokens",
        "recurrent",
        "backward_recurrent",
        "projection",
        "backward_projection",
    }
    for name in shared:
        np.testing.assert_allclose(own[name], theirs[name], atol=1e-5)


def test_without_a_language_loss_its_vectors_are_the_embedding(language, caplog):
    config = settings(language)
    fitted = APP.data.fit(config.data, APP.data.load(config.data, "train"))
    model = build(config.model, fitted)
    initialise(config, model, None)
    own = named_weights(model)
    theirs = named_weights(Run(LANGUAGE, language).model())
    np.testing.assert_array_equal(own["embedding/0/embeddings"], theirs["tokens/0/table_0"])
    values = {name: value.numpy() for name, value in theirs.items() if "backward" not in name}
    subwords = {"subwords": fitted.subwords}
    forward = Start(app="language_model", config={}, fitted=subwords, weights=values)
    initialise(config, model, forward)
    assert "The language model has no backward_recurrent: this begins anew." in caplog.text


def test_it_is_asked_and_travels_like_the_others(models):
    folder, report = models
    assert report["parity"]["forms"]["float32.tflite"]["unequal"] == 0
    model = open_model(APP, folder / "sentiment" / "1")
    records = [{"text": b"the acting was superb"}, {"text": b""}, {"text": b"x" * 3000}]
    together = model.answer(records)["probabilities"]
    for row, record in enumerate(records):
        alone = model.answer([record])["probabilities"][0]
        np.testing.assert_allclose(together[row], alone, atol=1e-5)
    lite = folder / "sentiment" / "lite" / "1"
    assert (lite / "vocabulary.tsv").is_file()
    assert json.loads((lite / "tokenizer.json").read_text())["keep"] == "ends"


def test_every_form_mixes_network_and_n_grams_as_calibration_says(classifier, models):
    run = Run(APP, classifier)
    factors = run.calibration()
    assert factors["ngrams"] > 0
    whole = run.trained()
    texts = ["the plot was dull, but the acting was superb.", "", "dull", "superb superb superb"]
    outputs = whole.model(whole.fitted.text_to_ids()(texts).to_tensor())
    mixed = sum(
        factors[name] * outputs[output].numpy()
        for name, output in (("network", "logits"), ("ngrams", "ngrams"))
    )
    expected = np.exp(mixed) / np.exp(mixed).sum(axis=1, keepdims=True)
    place = models[0] / "sentiment"
    for form in (classifier, place / "1", place / "lite" / "1" / "float32.tflite"):
        answers = open_model(APP, form).answer([{"text": text} for text in texts])
        np.testing.assert_allclose(answers["probabilities"], expected, atol=1e-5)


def test_without_n_grams_nothing_is_calibrated(sentiment):
    assert not Run(APP, sentiment.run).calibration()


def test_another_classifier_s_weights_are_taken_and_its_n_grams_are_not(classifier, language):
    own = Run(APP, classifier).fitted()
    columns = np.zeros([4096, 1], np.int8)
    columns[5] = 7
    table = base64.b64encode(zlib.compress(columns.tobytes())).decode()
    fitted = dataclasses.replace(own, ngrams=dataclasses.replace(own.ngrams, roots=table))
    config = settings(language, "model.language_weight=0.2")
    model = build(config.model, fitted)
    initialise(config, model, open_origin(str(classifier)))
    found = named_weights(model)
    for name, value in named_weights(Run(APP, classifier).model()).items():
        expected = columns if name.startswith("ngrams/") else value
        np.testing.assert_array_equal(found[name], expected)


def test_what_is_fitted_is_kept_as_it_is(classifier, models):
    """By the run; an export has the table in its graph alone."""
    fitted = Run(APP, classifier).fitted()
    assert isinstance(fitted.ngrams, Ngrams)
    assert fitted.ngrams.table().shape == (4096, 1)
    for place in ("sentiment/1", "sentiment/lite/1/float32.tflite"):
        assert fitted_of(APP, models[0] / place) == dataclasses.replace(fitted, ngrams=None)


def test_a_long_text_keeps_both_ends_in_the_graph_and_on_a_device(classifier):
    fitted = fitted_of(APP, classifier)
    graph = fitted.text_to_ids()
    pairs = zip(graph.pieces, graph.scores, strict=True)
    pieces, scores = zip(*pairs, strict=True)
    device = unigram.Tokenizer(list(pieces), list(scores), fitted.max_tokens, True, "ends")
    for text in ("the plot " * 200, "short", "", "The ACTING was " + "so " * 90 + "good"):
        ids = graph(tf.constant([text])).to_list()[0]
        assert ids == device(text)
        assert len(ids) <= fitted.max_tokens
    first, last = "brilliant", "lifeless"
    ids = graph(tf.constant([f"{first} {'x ' * 500}{last}"])).to_list()[0]
    assert ids[:2] == graph(tf.constant([first])).to_list()[0][:2]
    assert ids[-2:] == graph(tf.constant([last])).to_list()[0][-2:]


def test_another_vocabulary_is_named_and_refused(language, tmp_path):
    plain = configuration.load(APP, "tiny", [f"train.start={language}", *SIZES])
    with pytest.raises(UserError, match=r"vocabulary is another one: take it with data\.language"):
        train(APP, plain, tmp_path / "run")
    other = Start(app="language_model", config={}, fitted={"subwords": "other"}, weights={})
    with pytest.raises(ValueError, match="vocabulary is another one"):
        initialise(settings(language), build(ModelConfig(), TestAveraged.FITTED), other)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["model.units=10"], "set model.embedding, model.units and model.depth"),
        (["model.averaged=false"], r"reads one way: set model\.averaged"),
        (["model.averaged=false", "model.bidirectional=false", "model.units=5"], "there and"),
    ],
)
def test_other_sizes_are_named(language, tmp_path, more, message):
    with pytest.raises(UserError, match=message):
        train(APP, settings(language, *more), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_is_no_language_model_over_subwords(language_model, sentiment, tmp_path):
    for path in (language_model.run, sentiment.run):
        with pytest.raises(UserError, match="is no language model over subwords"):
            train(APP, settings(path), tmp_path / "run")
    with pytest.raises(UserError, match="is no run"):
        train(APP, settings(tmp_path / "nothing"), tmp_path / "run")


class TestAveraged:
    FITTED = Fitted(tuple("abcdefghij"), ("bad", "good"), False, 20)
    IDS = np.array([[4, 5, 6, 7, 0, 0], [7, 6, 5, 4, 9, 8]], np.int32)

    def model(self, **changes):
        keras.utils.set_random_seed(1)
        config = ModelConfig(averaged=True, embedding=6, units=5, **changes)
        return build(config, self.FITTED), config

    def test_logits_are_the_mean_of_the_directions(self):
        model, _ = self.model()
        whole = model(self.IDS)["logits"]
        layer = model.get_layer("backward_classes")
        kernel, bias = layer.get_weights()
        layer.set_weights([kernel * 0, bias * 0])
        forward = model(self.IDS)["logits"]
        layer.set_weights([kernel, bias])
        layer = model.get_layer("classes")
        kernel, bias = layer.get_weights()
        layer.set_weights([kernel * 0, bias * 0])
        backward = model(self.IDS)["logits"]
        np.testing.assert_allclose(whole, forward + backward, atol=1e-6)

    def test_padding_changes_nothing(self):
        model, _ = self.model(language_weight=0.5)
        padded = model(self.IDS[:1])
        alone = model(self.IDS[:1, :4])
        np.testing.assert_allclose(padded["logits"], alone["logits"], atol=1e-6)
        np.testing.assert_allclose(padded["weights"][:, :4], alone["weights"], atol=1e-6)
        np.testing.assert_allclose(padded["language"], alone["language"], atol=1e-5)

    def test_attention_sums_to_one(self):
        model, _ = self.model()
        np.testing.assert_allclose(np.sum(model(self.IDS)["weights"], axis=1), 1, atol=1e-6)

    def test_the_language_loss_is_beside_the_other(self):
        model, config = self.model(language_weight=0.5)
        outputs = model(self.IDS)
        values = loss(config, tf.constant([0, 1]), outputs)
        plain = tf.nn.sparse_softmax_cross_entropy_with_logits([0, 1], outputs["logits"])
        np.testing.assert_allclose(values["loss"], plain + 0.5 * outputs["language"], atol=1e-6)
        # Of tokens that nothing is known of, it is the logarithm of their number.
        assert np.all(np.abs(outputs["language"] - np.log(10)) < 0.3)


def test_keys_are_described():
    keys = Schema.of("sentiment").known_keys()
    assert {"data.language_model", "model.averaged", "model.language_weight"} <= set(keys)
