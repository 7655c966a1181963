"""Perplexity and bits a character, of a whole text whose state goes on."""

import dataclasses
import json
import math
import shutil

import numpy as np
import pytest
from click.testing import CliRunner

from apps.language_model import APP, whole
from apps.language_model.cache import CachePointer
from apps.language_model.config import ScoreConfig
from apps.language_model.data import load
from apps.language_model.score import floor, score
from rnnsuite.app import Asked
from rnnsuite.cli.main import main
from rnnsuite.core.errors import UserError
from rnnsuite.pipeline.inference.card import training_config
from rnnsuite.pipeline.inference.evaluate import evaluate
from rnnsuite.pipeline.inference.models import fitted_of
from rnnsuite.pipeline.run import Run

RECORDS = [{"text": b"the fox."}, {"text": "é two\nlines".encode()}, {"text": b""}]


def test_the_metrics_are_their_formulas():
    answers = {"log_probability": [-6.0, -9.0, -1.0], "tokens": [3, 4, 1], "ends": [1, 1, 1]}
    metrics = score(RECORDS, answers, None).metrics
    assert metrics["perplexity"] == pytest.approx(math.exp(16 / 8))
    # Two and three words, one line end between, and three ends.
    assert metrics["word_perplexity"] == pytest.approx(math.exp(16 / (5 + 1 + 3)))
    assert metrics["bits_per_character"] == pytest.approx(16 / math.log(2) / (8 + 11 + 3))
    assert metrics["bits_per_byte"] == pytest.approx(16 / math.log(2) / (8 + 12 + 3))


def test_without_ends_the_text_alone_counts():
    metrics = score(RECORDS[:1], {"log_probability": [-6.0], "tokens": [2]}, None).metrics
    assert metrics["perplexity"] == pytest.approx(math.exp(3))
    assert metrics["bits_per_character"] == pytest.approx(6 / math.log(2) / 8)


def test_what_is_hopeless_has_an_infinite_perplexity():
    metrics = score(RECORDS[:1], {"log_probability": [-1e6], "tokens": [1]}, None).metrics
    assert metrics["perplexity"] == math.inf


def test_cases_are_the_least_and_most_expected_texts():
    answers = {"log_probability": [-6.0, -9.0, -1.0], "tokens": [1, 4, 1], "ends": [1, 1, 1]}
    result = score(RECORDS, answers, None)
    assert [case["tokens"] for case in result.wrong] == [1, 4, 1]
    assert result.wrong[0]["text"] == "the fox."
    assert result.right[0]["text"] == ""
    assert result.plots["Log P a token"]()


def asked(finished, form="run", **changes):
    model = finished.open(form)
    path = {"run": finished.run, "saved_model": finished.saved_model}.get(
        form, finished.lite / form
    )
    settings = [f"score.{name}={value}" for name, value in changes.items()]
    return Asked(
        ask=model.answer,
        signatures=tuple(model.signatures),
        config=training_config(APP, path, settings),
        fitted=fitted_of(APP, path),
        trained=Run(APP, finished.run).trained if form == "run" else None,
    )


@pytest.fixture(scope="module")
def records(language_model):
    config = asked(language_model).config.data
    return list(load(config, "validation").as_numpy_iterator())


class TestWhole:
    def test_every_form_and_every_size_of_piece(self, language_model, records):
        wanted = whole.answers(asked(language_model), records)
        assert wanted["tokens"].tolist() == [len(record["text"].split()) + 1 for record in records]
        for form, piece in (("run", 7), ("saved_model", 300), ("float32.tflite", 64)):
            found = whole.answers(asked(language_model, form, piece=piece), records)
            for name, value in wanted.items():
                np.testing.assert_allclose(found[name], value, atol=2e-3)

    def test_the_state_goes_from_record_to_record(self, language_model, records):
        """The second record has another probability behind the first than alone."""
        both = whole.answers(asked(language_model), records[:2])["log_probability"]
        alone = whole.answers(asked(language_model), records[1:2])["log_probability"]
        assert abs(both[1] - alone[0]) > 1e-6

    def test_or_is_forgotten_where_the_model_was_trained_so(self, language_model, records):
        subject = asked(language_model)
        subject = dataclasses.replace(
            subject, fitted=dataclasses.replace(subject.fitted, reset=True)
        )
        both = whole.answers(subject, records[:2])["log_probability"]
        alone = whole.answers(subject, records[1:2])["log_probability"]
        assert both[1] == pytest.approx(alone[0], abs=1e-4)
        scored = language_model.open("run").answer(records[:2], "score")["log_probability"]
        np.testing.assert_allclose(both, scored, atol=1e-3)

    def test_unknown_tokens_are_counted(self, language_model):
        answers = whole.answers(asked(language_model), [{"text": b"the zebra fox"}])
        assert answers["unknown"].tolist() == [1]

    def test_empty_records_are_their_ends(self, language_model):
        answers = whole.answers(asked(language_model), [{"text": b""}, {"text": b" "}])
        assert answers["tokens"].tolist() == [1, 1]
        assert np.all(answers["log_probability"] < 0)


class TestCache:
    def test_the_mixture_is_its_formula(self):
        settings = ScoreConfig(cache=3, cache_flatness=0.7, cache_weight=0.2)
        cache = CachePointer(settings)
        rng = np.random.default_rng(0)
        vectors = rng.normal(size=[6, 4])
        targets = np.array([5, 6, 5, 5, 7, 6])
        logs = np.log(rng.random(6))
        pieces = [cache.mixed(logs[a:b], vectors[a:b], targets[a:b]) for a, b in ((0, 2), (2, 6))]
        found = np.concatenate(pieces)
        for place in range(6):
            before = list(range(max(place - 3, 0), place))
            weights = [math.exp(0.7 * vectors[i] @ vectors[place]) for i in before]
            hits = [w for w, i in zip(weights, before, strict=True) if targets[i] == targets[place]]
            wanted = logs[place]
            if before:
                share = sum(hits) / sum(weights)
                wanted = math.log(0.8 * math.exp(logs[place]) + 0.2 * share)
            assert found[place] == pytest.approx(wanted)

    def test_a_text_that_repeats_itself_is_expected(self, language_model):
        text = [{"text": b"the fox near the barn " * 30}]
        plain = whole.answers(asked(language_model), text)["log_probability"][0]
        cached = whole.answers(asked(language_model, cache=100), text)["log_probability"][0]
        assert cached > plain + 20

    def test_a_device_s_file_has_none(self, language_model):
        with pytest.raises(UserError, match=r"score\.cache: a \.tflite file does not give"):
            whole.answers(asked(language_model, "float32.tflite", cache=9), RECORDS)


class TestDynamic:
    def test_a_cache_does_not_go_with_it(self, language_model):
        with pytest.raises(UserError, match=r"score\.cache and score\.dynamic exclude each other"):
            whole.answers(asked(language_model, cache=9, dynamic=0.1), RECORDS)

    def test_a_text_that_repeats_itself_is_learned(self, language_model):
        """The way back to the trained weights holds it; later evaluations know nothing of it."""
        text = [{"text": b"the fox near the barn " * 30}]
        plain = whole.answers(asked(language_model), text)["log_probability"][0]
        subject = asked(language_model, dynamic=0.004, piece=5)
        learned = whole.answers(subject, text)["log_probability"][0]
        assert learned > plain + 20
        subject = asked(language_model, dynamic=0.004, dynamic_decay=0.3, piece=5)
        held = whole.answers(subject, text)["log_probability"][0]
        assert held < learned - 5
        assert whole.answers(asked(language_model), text)["log_probability"][0] == plain

    def test_the_first_piece_is_read_before_anything_is_learned(self, language_model, records):
        plain = whole.answers(asked(language_model, piece=500), records[:1])
        dynamic = whole.answers(asked(language_model, piece=500, dynamic=0.5), records[:1])
        np.testing.assert_allclose(plain["log_probability"], dynamic["log_probability"], atol=1e-3)

    def test_an_exported_model_cannot(self, language_model):
        with pytest.raises(UserError, match=r"score\.dynamic: .* give the run"):
            whole.answers(asked(language_model, "saved_model", dynamic=0.1), RECORDS)


def test_evaluate_scores_one_file_whole(language_model, tmp_path):
    (tmp_path / "a.txt").write_text("the fox near the barn\n\nthe oak .\n")
    words = ["evaluate", "language_model", "--model", str(language_model.saved_model), "--json"]
    done = CliRunner().invoke(main, [*words, "--data", str(tmp_path / "a.txt")])
    assert done.exit_code == 0, done.stderr
    values = json.loads(done.stdout)
    assert values["split"] == "all"
    assert values["records"] == 3
    assert values["metrics"]["perplexity"] > 1
    assert values["metrics"]["bits_per_character"] > 0
    assert values["notes"]["perplexity"].startswith("of 11 tokens")
    assert "floor" not in values


def test_the_n_grams_stand_beside(language_model, records):
    evaluation = language_model.evaluated()
    assert evaluation.floor["model"] == "5-grams, modified Kneser-Ney"
    subject = asked(language_model)
    again = floor(subject.config.data, subject.fitted, records)
    assert again == evaluation.floor
    assert 1 < again["perplexity"] < 20
    assert evaluation.score.metrics.keys() < again.keys()


def test_a_setting_of_scoring_is_obeyed(language_model):
    plain = language_model.evaluated().score.metrics
    cached = evaluate(
        APP, language_model.run, split="validation", overrides=["score.cache=200"]
    ).score.metrics
    assert cached["perplexity"] < plain["perplexity"]


def test_what_is_held_out_of_one_text_is_its_end(language_model, tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("the fox near the barn\n" * 30)
    run = tmp_path / "run"
    shutil.copytree(language_model.run, run)
    config = (run / "config.yaml").read_text().replace("source: sample", f"source: {path}")
    (run / "config.yaml").write_text(config)
    evaluation = evaluate(APP, run, split="validation", overrides=["data.splits={}"])
    assert evaluation.records == 3
    assert evaluation.note == "held out of train at its end"
