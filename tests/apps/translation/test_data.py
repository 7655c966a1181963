"""Pairs from everywhere, and what is wrong with some."""

import gzip
import re

import numpy as np
import pytest
import tensorflow as tf

from apps.translation import data
from apps.translation.config import DataConfig as Config
from rnnsuite.catalog import find
from rnnsuite.core.errors import UserError
from rnnsuite.inputs.subword import END, START
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.inference.evaluate import has_splits

ONE = ["A dog runs.", "Two cats sleep.", "The man sees the dog.", "A woman.", "The bird sings."]
OTHER = [
    "Ein Hund läuft.",
    "Zwei Katzen schlafen.",
    "Der Mann sieht den Hund.",
    "Eine Frau.",
    "Der Vogel singt.",
]


def write(path, lines):
    text = "".join(f"{line}\n" for line in lines)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


def folder(place, splits=("train", "val"), ending=""):
    for split in splits:
        write(place / f"{split}.en{ending}", ONE)
        write(place / f"{split}.de{ending}", OTHER)
    return place


def texts(config, split="train"):
    found = list(data.load(config, split).as_numpy_iterator())
    return [(record["text"].decode(), record["translation"].decode()) for record in found]


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_line_files_in_both_directions(tmp_path, ending):
    folder(tmp_path, ending=ending)
    assert texts(Config(source=str(tmp_path))) == list(zip(ONE, OTHER, strict=True))
    assert texts(Config(source=str(tmp_path), languages=("de", "en")), "validation") == list(
        zip(OTHER, ONE, strict=True)
    )


def test_the_beginning_of_line_files_is_divided(tmp_path):
    folder(tmp_path, ["a"])
    config = Config(source=str(tmp_path / "a"), validation=0.5)
    train, held = texts(config), texts(config, "validation")
    assert train
    assert held
    assert sorted(train + held) == sorted(zip(ONE, OTHER, strict=True))


def test_splits_may_have_other_names(tmp_path):
    folder(tmp_path, ["train", "val", "test_2016"])
    config = Config(source=str(tmp_path), splits={"test": "test_2016"})
    assert len(texts(config, "test")) == len(ONE)


@pytest.mark.parametrize("header", [True, False])
def test_tables(tmp_path, header):
    rows = [f"{one}\t{other}\tCC-BY" for one, other in zip(ONE, OTHER, strict=True)]
    write(tmp_path / "pairs.tsv", (["en\tde\tlicence"] if header else []) + rows)
    columns = () if header else ("en", "de", "licence")
    config = Config(source=str(tmp_path / "pairs.tsv"), columns=columns, validation=0.4)
    assert sorted(texts(config) + texts(config, "validation")) == sorted(
        zip(ONE, OTHER, strict=True)
    )


def test_a_sentence_is_on_one_side_only(tmp_path):
    """By the side that is named, whichever direction is translated."""
    write(tmp_path / "a.en", [f"Sentence {n % 40}." for n in range(200)])
    write(tmp_path / "a.de", [f"Satz {n}." for n in range(200)])
    for languages, by, place in ((("en", "de"), "text", 0), (("de", "en"), "translation", 1)):
        config = Config(
            source=str(tmp_path / "a"), languages=languages, split_by=by, validation=0.3
        )
        train, held = (
            {pair[place] for pair in texts(config, split)} for split in ("train", "validation")
        )
        assert train
        assert held
        assert not train & held


def test_every_record_knows_its_language(tmp_path):
    record = next(
        iter(data.load(Config(source=str(folder(tmp_path)), languages=("de", "en")), "train"))
    )
    assert record["language"].numpy() == b"en"


def test_files_of_different_lengths(tmp_path):
    folder(tmp_path)
    write(tmp_path / "train.de", OTHER[:3])
    with pytest.raises(UserError, match=r"train\.en has 5 lines and .*train\.de has 3"):
        texts(Config(source=str(tmp_path)))


def bad(place, kind):
    folder(place)
    lines = [line.encode() for line in OTHER]
    lines[1] = {"bytes": b"Zwei \xff", "empty": b"  "}[kind]
    (place / "train.de").write_bytes(b"\n".join(lines))
    return Config(source=str(place)), {
        "bytes": "line 2: not UTF-8",
        "empty": "line 2: the de side is empty",
    }[kind]


@pytest.mark.parametrize("kind", ["bytes", "empty"])
def test_a_bad_line_is_named_or_skipped(tmp_path, kind):
    config, message = bad(tmp_path, kind)
    with pytest.raises(UserError, match=message):
        texts(config)
    skipping = Config(source=config.source, on_error="skip")
    assert [one for one, _ in texts(skipping)] == [ONE[0], *ONE[2:]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda place: Config(source=str(place / "nothing")), "There is no .*nothing.en"),
        (
            lambda place: Config(source=str(folder(place)), languages=("en", "fr")),
            r"There is no .*train\.fr",
        ),
        (lambda place: Config(source=str(folder(place)), languages=("en", "en")), "en given twice"),
        (
            lambda place: (write(folder(place) / "train.en.gz", ONE), Config(source=str(place)))[1],
            "Which is it",
        ),
        (
            lambda place: (
                (folder(place) / "train.de").write_bytes(b""),
                Config(source=str(place)),
            )[1],
            "has 0",
        ),
    ],
)
def test_bad_sources(tmp_path, make, message):
    with pytest.raises(UserError, match=message):
        texts(make(tmp_path))


def test_a_damaged_gz_is_named(tmp_path):
    folder(tmp_path, ending=".gz")
    (tmp_path / "train.de.gz").write_bytes((tmp_path / "train.de.gz").read_bytes()[:30])
    with pytest.raises(UserError, match=r"train\.de\.gz"):
        texts(Config(source=str(tmp_path)))


def test_an_unknown_language_of_a_data_set_is_named():
    with pytest.raises(UserError, match="no field 'fr'; it has"):
        data.load(Config(languages=("en", "fr")), "train")


@pytest.fixture(scope="module")
def pairs():
    records = [
        {"text": one, "translation": other} for one, other in zip(ONE * 4, OTHER * 4, strict=True)
    ]
    return tf.data.Dataset.from_tensor_slices(
        {key: [record[key] for record in records] for key in records[0]}
    )


@pytest.mark.parametrize("shared", [True, False])
def test_examples_are_shifted_targets_that_read_as_the_pair(pairs, shared):
    config = Config(vocabulary_size=70, shared=shared)
    fitted = data.fit(config, pairs)
    assert fitted.shared == shared
    one, other = fitted.subwords()
    inputs, targets = next(iter(data.examples(config, fitted, pairs)))
    assert inputs["target"].numpy().tolist() == [START, *targets.numpy().tolist()[:-1]]
    assert targets.numpy()[-1] == END
    assert one.text(inputs["source"][None]).numpy()[0].decode() == ONE[0]
    assert other.text(targets[None]).numpy()[0].decode() == OTHER[0]
    assert data.length(inputs) == max(len(inputs["source"]), len(targets))


def test_pairs_that_are_too_long_are_not_trained_on():
    """A side that has just as many as may be stays; cut ones would teach to stop in the middle."""
    config = Config(vocabulary_size=70)
    words = ["Hund " * n for n in range(1, 9)]
    lengths = [(2, 2), (7, 1), (1, 7), (4, 3), (3, 4), (8, 8), (5, 4), (4, 5), (1, 4), (4, 1)]
    sides = {
        "text": [words[n - 1] for n, _ in lengths],
        "translation": [words[n - 1] for _, n in lengths],
    }
    records = tf.data.Dataset.from_tensor_slices(sides)
    fitted = data.fit(config, records)
    sizes = [
        (int(tf.size(i["source"])), int(tf.size(t)))
        for i, t in data.examples(config, fitted, records)
    ]
    assert len(sizes) == len(lengths)
    for most in range(min(map(max, sizes)), max(map(max, sizes)) + 1):
        short = data.Fitted(fitted.languages, fitted.models, most)
        found = [
            (int(tf.size(i["source"])), int(tf.size(t)))
            for i, t in data.examples(config, short, records)
        ]
        assert found == [pair for pair in sizes if max(pair) <= most]


def test_how_many_are_left_out_is_said(pairs, caplog):
    data.fit(Config(vocabulary_size=70, max_tokens=12), pairs)
    assert re.search(r"\d+ of 20 pairs are longer than data.max_tokens", caplog.text)
    caplog.clear()
    data.fit(Config(vocabulary_size=70), pairs)
    assert "longer" not in caplog.text


def test_a_corpus_without_words(tmp_path):
    records = tf.data.Dataset.from_tensor_slices({"text": [" "], "translation": ["\t"]})
    with pytest.raises(UserError, match="every text is empty"):
        data.fit(Config(), records)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("decode.beam=0", "decode.beam: 0 given"),
        ("decode.max_length=0", "decode.max_length"),
        ("model.decoder.attention=dot", "twice"),
        ("model.decoder.attention=cosine", "model.decoder.attention"),
        ("data.languages=[en]", "data.languages"),
    ],
)
def test_bad_settings(override, message):
    with pytest.raises(UserError, match=message):
        configuration.load(find("translation"), "sample", [override])


def test_feeding_and_weight_drop_are_refused_together():
    with pytest.raises(UserError, match="weight_drop goes with whole sequences"):
        configuration.load(
            find("translation"), "sample", ["model.decoder.feeding=true", "model.weight_drop=0.2"]
        )


def test_numbers_are_int32(pairs):
    config = Config(vocabulary_size=70)
    inputs, targets = next(iter(data.examples(config, data.fit(config, pairs), pairs)))
    assert {value.dtype for value in (*inputs.values(), targets)} == {tf.int32}
    assert np.all(targets.numpy() > 0)


def test_line_files_are_scored_whole(tmp_path):
    folder(tmp_path, ["a"])
    assert not has_splits(find("translation"), Config(source=str(tmp_path / "a")))
    assert texts(Config(source=str(tmp_path / "a")), "all") == list(zip(ONE, OTHER, strict=True))
    whole = folder(tmp_path / ".", ["train"])
    assert has_splits(find("translation"), Config(source=str(whole)))
