"""rnnsuite from Python."""

import contextlib
import json
import re
import subprocess
import sys
import types

import pytest

import rnnsuite
from rnnsuite import api
from rnnsuite.core.errors import UserError
from rnnsuite.pipeline import releases
from tests.conftest import ROOT
from tests.processes import film_reviews

REVIEW = "An awful film, but a fine cast."


def test_importing_it_imports_no_tensorflow():
    program = "import rnnsuite, sys; print(dir(rnnsuite)); assert 'tensorflow' not in sys.modules"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    for name in ("load", "train", "tune", "export", "Model"):
        assert f"'{name}'" in done.stdout
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        rnnsuite.trian  # noqa: B018


class TestModel:
    @pytest.mark.parametrize("form", ["run", "saved_model", "lite"])
    def test_every_form_answers_in_the_application_s_type(self, sentiment, form):
        path = getattr(sentiment, form)
        model = rnnsuite.load(path / "float32.tflite" if form == "lite" else path)
        answer = model.predict(REVIEW)
        assert isinstance(answer, sentiment.app.serving.answer)
        assert answer.label in ("negative", "positive")
        assert model.predict([REVIEW, {"text": REVIEW}]) == [answer, answer]
        expected = sentiment.open("run").answer([{"text": REVIEW}])
        assert answer.probabilities == pytest.approx(
            expected["probabilities"][0].tolist(), abs=1e-3
        )

    def test_another_signature_gives_its_outputs_by_name(self, sentiment):
        model = rnnsuite.load(sentiment.saved_model)
        assert len(model.signatures) > 1
        with pytest.raises(UserError, match="no signature 'nope'"):
            model.predict(REVIEW, signature="nope")

    def test_it_is_found_by_the_name_of_its_application(self, sentiment, monkeypatch):
        monkeypatch.setenv(releases.PLACE, str(sentiment.saved_model.parent.parent))
        assert rnnsuite.load("sentiment").path == sentiment.saved_model

    def test_evaluate_gives_the_scores_of_the_command(self, sentiment):
        found = rnnsuite.load(sentiment.run).evaluate(split="validation")
        assert found.score.metrics == pytest.approx(sentiment.evaluated().score.metrics)

    def test_a_text_is_written_piece_by_piece(self, language_model):
        model = rnnsuite.load(language_model.run, decode__max_length=4)
        assert "".join(model.stream("the")) == "".join(model.stream({"text": "the"}))
        with pytest.raises(UserError, match="follows no streams"):
            model.stream()

    def test_a_stream_is_followed(self, forecasting, sentiment):
        with pytest.raises(UserError, match="does not write piece by piece"):
            rnnsuite.load(sentiment.run).stream("x")
        assert forecasting.app.serving.live is None

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda run: (run / "config.yaml").write_text("a: [1"), "it names no app"),
            (
                lambda run: (run / "config.yaml").write_text("seed: 1"),
                "it names no app",
            ),
            (lambda run: (run / "config.yaml").unlink(), "which would say whose model it is"),
        ],
    )
    def test_a_folder_that_says_nothing_of_its_application(self, tmp_path, change, message):
        (tmp_path / "config.yaml").write_text("app: sentiment\n")
        change(tmp_path)
        with pytest.raises(UserError, match=message):
            rnnsuite.load(tmp_path)

    def test_there_is_no_such_model(self, tmp_path):
        with pytest.raises(UserError, match="There is no"):
            rnnsuite.load(tmp_path / "nothing")


class TestTrain:
    def test_it_tells_of_every_epoch_and_goes_on(self, bag, tmp_path):
        told = []
        options = {"run": tmp_path / "run", "on_epoch": told.append}
        trained = rnnsuite.train("bag", "sample", **options, train__epochs=2)
        assert [row["epoch"] for row in told] == [1, 2]
        assert len((trained.run / "history.csv").read_text().splitlines()) == 3
        assert trained.metrics["epochs"] == 2
        again = rnnsuite.train("bag", "sample", **options, train__epochs=2)
        assert len(told) == 2  # it was finished
        assert again.metrics == trained.metrics
        assert trained.load().app.name == "bag"

    def test_a_function_that_fails_loses_no_epoch(self, bag, tmp_path):
        def fails(row):
            raise RuntimeError("no more")

        with pytest.raises(RuntimeError, match="no more"):
            rnnsuite.train("bag", "sample", run=tmp_path / "run", on_epoch=fails, train__epochs=1)
        trained = rnnsuite.train("bag", "sample", run=tmp_path / "run", train__epochs=1)
        undisturbed = rnnsuite.train("bag", "sample", run=tmp_path / "other", train__epochs=1)
        assert trained.metrics == undisturbed.metrics

    def test_mistakes_are_told_as_in_the_shell(self, bag):
        with pytest.raises(UserError, match=r"train\.epoch"):
            rnnsuite.train("bag", "sample", train__epoch=2)
        with pytest.raises(UserError, match="sentimnt"):
            rnnsuite.train("sentimnt")


def test_export_passes_on_what_it_is_given(sentiment, monkeypatch, tmp_path):
    given = []
    monkeypatch.setattr("rnnsuite.pipeline.export.release.release", lambda *a: given.extend(a))
    rnnsuite.export("sentiment", sentiment.run, tmp_path, version=3, export__parity_records=2)
    expected = [sentiment.app, sentiment.run, tmp_path, 3, (), None, ("export.parity_records=2",)]
    expected.append(None)  # no search
    assert given == expected


def test_tune_passes_on_what_it_is_given(bag, monkeypatch, tmp_path):
    given = {}

    def search(app, values, folder, fresh):
        given.update(app=app.name, trials=values.tune.trials, folder=folder, fresh=fresh)
        return given

    monkeypatch.setattr("rnnsuite.pipeline.tune.tune.tune", search)
    rnnsuite.tune("bag", "sample", run=tmp_path, tune__trials=7)
    assert given == {"app": "bag", "trials": 7, "folder": tmp_path, "fresh": False}


def test_settings_are_those_of_set():
    found = api._overrides({"model__units": 3, "data__source": "a", "x__y__z": [1, None]})
    assert found == ("model.units=3", 'data.source="a"', "x.y.z=[1, null]")


def blocks():
    text = (ROOT / "docs" / "python.md").read_text()
    return re.findall(r"```python\n(.*?)```", text, flags=re.S)


def test_the_guide_s_first_lines_run(capsys):
    names = {}
    for block in blocks()[:2]:
        exec(block, names)
    assert "pos" in capsys.readouterr().out
    assert names["answer"].label == "pos"


@pytest.mark.thorough
def test_the_guide_s_training_runs(tmp_path, monkeypatch, capsys):
    """MLflow is not needed to develop this: a stand-in takes what it would be told."""
    told = []
    stand_in = types.ModuleType("mlflow")
    stand_in.start_run = contextlib.nullcontext
    stand_in.log_metrics = lambda values, step: told.append((step, values))
    stand_in.log_artifacts = told.append
    monkeypatch.setitem(sys.modules, "mlflow", stand_in)
    monkeypatch.chdir(tmp_path)
    film_reviews(tmp_path / "reviews.csv", 20)
    for block in blocks()[3:]:
        exec(block, {"rnnsuite": rnnsuite})
    assert told[-1].startswith("runs/sentiment/reviews-")
    # The second of the two trainings has other settings, so it is one of its own.
    assert [step for step, _ in told[:-1]] == [1, 2, 3]
    assert "val_accuracy" in told[0][1]


class TestReleases:
    def card(self, folder, **more):
        (folder / "assets.extra").mkdir(parents=True)
        card = {"name": folder.parent.name, "licence": "CC0", **more}
        (folder / "assets.extra" / "model_card.json").write_text(json.dumps(card))

    def test_summaries(self, tmp_path, monkeypatch):
        monkeypatch.setenv(releases.PLACE, str(tmp_path))
        forms = {"keras": {"f1": 0.5, "note": "x"}}
        parity = {"records": 4, "split": "test", "forms": forms}
        self.card(tmp_path / "sentiment" / "10", parity=parity)
        self.card(tmp_path / "sentiment" / "9")
        (tmp_path / "sentiment" / "lite" / "10").mkdir(parents=True)
        (tmp_path / "sentiment" / "lite" / "10" / "dynamic.tflite").write_bytes(bytes(2**20))
        old, new = [row for row in releases.summaries() if row["version"] in (9, 10)]
        assert (old["version"], old["score"], old["tflite"]) == (9, "", "")
        assert (new["score"], new["of"]) == ("f1 0.5", "4 records of test")
        assert (new["tflite"], new["licence"]) == ("dynamic 1.0 MB", "CC0")
        assert releases.folder_of("sentiment") == tmp_path / "sentiment"
        assert releases.app_of(tmp_path / "sentiment") == "sentiment"

    def test_an_application_without_a_release(self):
        with pytest.raises(UserError, match="no released model of nothing_like_it"):
            releases.folder_of("nothing_like_it")

    @pytest.mark.parametrize("content", ["{", "[]", "{}", '{"name": 3}'])
    def test_a_damaged_card(self, tmp_path, content):
        self.card(tmp_path / "sentiment" / "1")
        (tmp_path / "sentiment" / "1" / "assets.extra" / "model_card.json").write_text(content)
        with pytest.raises(UserError, match="is damaged"):
            releases.app_of(tmp_path / "sentiment")
