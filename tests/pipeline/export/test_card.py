"""The card of an export in words."""

import json

import pytest

from rnnsuite.core.errors import UserError
from rnnsuite.pipeline.export import card

CARD = {
    "name": "sentiment",
    "version": 2,
    "data": "data/reviews",
    "licence": "",
    "seed": 0,
    "fields": {"text": {"type": "text", "meaning": "a review"}},
    "metrics": {"val_accuracy": 0.93},
    "parity": {
        "records": 5,
        "split": "validation",
        "forms": {"dynamic.tflite": {"largest_difference": 0.002, "accuracy": 0.5, "bytes": 7}},
    },
    "config": {},
    "made_with": {},
    "command": "rnnsuite export",
}


@pytest.mark.parametrize(
    ("licence", "line"),
    [
        ("", "Trained on `data/reviews`, seed 0."),
        ("Reviews, CC BY 4.0", "Trained on `data/reviews` (Reviews, CC BY 4.0), seed 0."),
    ],
)
def test_it_names_the_data_and_their_licence(licence, line, tmp_path):
    card.write({**CARD, "licence": licence}, tmp_path)
    lines = (tmp_path / "model_card.md").read_text(encoding="utf-8").splitlines()
    assert line in lines
    assert "| val_accuracy | 0.93 |" in lines
    assert "| dynamic.tflite | 2.0e-03 | accuracy 0.5000 | 7 |" in lines


@pytest.mark.parametrize("source", ["sample", "tfds:imdb_reviews", "/elsewhere/data", "."])
def test_a_source_below_the_working_directory_is_named_from_there(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert card.from_here(source) == source
    assert card.from_here(str(tmp_path / "data" / "a.csv")) == "data/a.csv"


SCORE = {
    "app": "sentiment",
    "model": "models/sentiment/2",
    "source": "data/reviews",
    "split": "test",
    "records": 400,
    "primary": "accuracy",
    "metrics": {"accuracy": 0.925, "macro_f1": 0.924},
    "interval": {"accuracy": [0.9, 0.95]},
    "floor": {"accuracy": 0.85, "regularisation": 1.0},
}


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "sentiment" / "2"
    for place in (folder / "assets.extra", tmp_path / "sentiment" / "lite" / "2"):
        place.mkdir(parents=True)
        card.write(CARD, place)
    return folder


def test_a_score_goes_into_both_cards_with_interval_and_floor(model):
    card.add_score(model, SCORE)
    for place in (model / "assets.extra", model.parent / "lite" / "2"):
        kept = json.loads((place / "model_card.json").read_text())["scores"]
        assert [each["metrics"] for each in kept] == [SCORE["metrics"]]
        lines = (place / "model_card.md").read_text(encoding="utf-8").splitlines()
        assert "## Score on 400 records of data/reviews, test" in lines
        assert "| accuracy | 0.925 | 0.9 to 0.95 | 0.85 |" in lines
        assert "| macro_f1 | 0.924 |  |  |" in lines
        assert "| floor, regularisation | | | 1 |" in lines


def test_a_score_of_the_same_records_is_replaced_and_another_added(model):
    card.add_score(model, SCORE)
    card.add_score(model, {**SCORE, "metrics": {"accuracy": 0.5}})
    card.add_score(model, {**SCORE, "split": "validation"})
    kept = json.loads((model / "assets.extra" / "model_card.json").read_text())["scores"]
    assert [(each["split"], each["metrics"]["accuracy"]) for each in kept] == [
        ("test", 0.5),
        ("validation", 0.925),
    ]


def test_a_model_without_a_card_keeps_no_score(tmp_path):
    with pytest.raises(UserError, match="is no exported SavedModel with a model_card"):
        card.add_score(tmp_path, SCORE)


def test_what_it_is_not_for(tmp_path):
    card.write({**CARD, "not_for": "texts that are no reviews"}, tmp_path)
    text = (tmp_path / "model_card.md").read_text(encoding="utf-8")
    assert "**Not for:** texts that are no reviews\n" in text
