"""Measures of samples, each by its definition, and the warning where they collapse."""

import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.language_model import diversity
from apps.language_model.config import DecodeConfig
from rnnsuite.app import Asked
from rnnsuite.pipeline.inference.card import training_config
from rnnsuite.pipeline.inference.models import fitted_of

IDS = [np.array([4, 5, 4, 5, 4, 5]), np.array([4, 5, 6])]


def test_distinct_n_grams():
    assert diversity.distinct(IDS, 1) == pytest.approx(3 / 9)
    assert diversity.distinct(IDS, 2) == pytest.approx(3 / 7)  # 45, 54, 56
    assert diversity.distinct([np.zeros(0, int)], 2) == 0


def test_repeated_n_grams():
    # 454, 545, 454, 545: half of them stand before; and one alone.
    assert diversity.repeated(IDS, 3) == pytest.approx((0.5 + 0) / 2)
    assert diversity.repeated([np.array([4])], 3) == 0


def test_self_bleu():
    same = ["a b c d e f"] * 3
    other = ["a b c d e f", "g h i j k l", "m n o p q r"]
    assert diversity.self_bleu(same) == pytest.approx(1)
    assert diversity.self_bleu(other) < 0.1
    assert diversity.self_bleu(["alone"]) == 0


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(0, 3), max_size=30),
    st.lists(st.lists(st.integers(0, 3), max_size=8), min_size=1, max_size=3),
)
def test_the_longest_copy(train, rows):
    text = "".join(map(str, train))
    wanted = max(
        (
            end - start
            for row in rows
            for start in range(len(row))
            for end in range(start + 1, len(row) + 1)
            if "".join(map(str, row[start:end])) in text
        ),
        default=0,
    )
    ids = [np.array(row, int) for row in rows]
    assert diversity.longest_copy(ids, np.array(train, int)) == wanted


def test_beginnings_are_spread_over_the_records():
    records = [{"text": f"one two three four five six {n}".encode()} for n in range(1000)]
    texts = diversity.beginnings([{"text": b"short"}, *records])
    assert len(texts) == diversity.PREFIXES
    assert {text["text"] for text in texts} == {b"one two three four five"}


@pytest.fixture(scope="module")
def subject(language_model):
    model = language_model.open("saved_model")
    return Asked(
        ask=model.answer,
        signatures=tuple(model.signatures),
        config=training_config(language_model.app, language_model.saved_model),
        fitted=fitted_of(language_model.app, language_model.saved_model),
    )


RECORDS = [{"text": b"the fox near the river hunts the apple slyly ."}] * 30


def test_a_row_for_every_way_of_decoding_and_for_people(subject):
    rows = diversity.tables(subject, RECORDS)["Samples by decoding"]
    names = [row["decoding"] for row in rows]
    assert names == [*diversity.SETTINGS, "of the configuration", "people's texts"]
    assert len({frozenset(row) for row in rows}) == 1
    by_name = {row["decoding"]: row for row in rows}
    # All beginnings are the same, and greedy goes on the same way every time.
    assert by_name["greedy"]["self-BLEU"] == pytest.approx(1)
    assert by_name["greedy"]["distinct-1"] < by_name["temperature 1"]["distinct-1"]
    assert by_name["temperature 1"]["longest copy"] >= 1


def collapsing(subject, **options):
    """A model that says the same word whatever it is asked, or only greedily."""

    def ask(records, signature, settings):
        is_greedy = settings["temperature"] == 0
        word = b"fox " if is_greedy or options.get("always") else b""
        rest = b"the oak near a barn hunts the apple"
        return {"text": [word * 20 or rest for _ in records]}

    return Asked(
        ask=ask,
        signatures=("generate",),
        config=subject.config,
        fitted=subject.fitted,
    )


def test_collapse_is_told_with_its_remedy(subject, caplog):
    with caplog.at_level(logging.INFO):
        diversity.tables(collapsing(subject), RECORDS)
    assert "Samples collapse with greedy; nucleus sampling varies" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        diversity.tables(collapsing(subject, always=True), RECORDS)
    assert "--set decode.temperature=1 --set decode.top_p=0.9" in caplog.text


def test_a_device_s_file_has_no_table(subject):
    import dataclasses

    assert diversity.tables(dataclasses.replace(subject, signatures=("step",)), RECORDS) == {}


def test_own_settings_are_the_configuration_s():
    decode = DecodeConfig(temperature=0.5, top_k=3)
    assert diversity.own_settings(decode) == {"temperature": 0.5, "top_k": 3, "top_p": 0.9}
