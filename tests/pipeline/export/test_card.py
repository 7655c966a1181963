"""The card of an export in words."""

import pytest

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
