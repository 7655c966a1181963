"""People's own recordings, and the sample."""

import itertools
import logging

import numpy as np
import pytest
import soundfile
import tensorflow as tf
import tensorflow_datasets as tfds

from apps.speech_recognition import APP, data, sample
from apps.speech_recognition.config import GRAIN, DataConfig
from apps.speech_recognition.data import Fitted
from rnnsuite.core.errors import NoSplit, UserError
from rnnsuite.device import wave
from rnnsuite.tasks.transcription.losses import needed_steps
from tests.public_sets import write_metadata

TOKENS = ("<pad>", "<unk>", "<start>", "<eos>", " ", "a", "b")
FITTED = Fitted(TOKENS, "", 16, 4, (0.0,) * 16, (1.0,) * 16)


def folder(tmp_path, rows=(("1.wav", "ann", "ab a"), ("2.wav", "ben", "b")), seconds=1.0):
    for number, (name, *_) in enumerate(rows):
        times = np.arange(int(seconds * 8000)) / 8000
        soundfile.write(tmp_path / name, 0.1 * np.sin(2 * np.pi * 200 * (number + 1) * times), 8000)
    lines = ["file\tspeaker\ttranscript", *["\t".join(row) for row in rows]]
    (tmp_path / "train.tsv").write_text("\n".join(lines))
    return DataConfig(source=str(tmp_path), validation=0.5)


def texts(config, split):
    return sorted(record["text"] for record in data.load(config, split).as_numpy_iterator())


def test_people_are_divided(tmp_path):
    config = folder(tmp_path)
    assert sorted(texts(config, "train") + texts(config, "validation")) == [b"ab a", b"b"]
    with pytest.raises(NoSplit, match="no test split"):
        data.load(config, "test")


def test_a_record_becomes_samples_at_16_khz_and_symbols(tmp_path):
    config = folder(tmp_path)
    records = data.load(config, "train").concatenate(data.load(config, "validation"))
    for record, (inputs, targets) in zip(
        records, data.examples(config, FITTED, records), strict=True
    ):
        assert inputs["steps"] == targets["steps"] == 25
        assert len(inputs["samples"]) % (GRAIN * FITTED.hop) == 0
        assert np.abs(inputs["samples"][16000:]).max() == 0
        text = FITTED.vocabulary().text(targets["ids"][None])[0]
        assert text == record["text"]


def test_the_public_set(tmp_path):
    """Speakers are divided where no split is named for validation."""
    write_metadata("librispeech", ("train_clean100", "dev_clean", "test_clean"), tmp_path, 40)
    own = {"train": "train_clean100", "test": "test_clean"}
    alone = DataConfig(source="tfds:librispeech", splits=own, validation=0.5)
    told = DataConfig(
        source="tfds:librispeech", splits={**own, "validation": "dev_clean"}, case="upper"
    )
    with tfds.testing.mock_data(num_examples=40, data_dir=str(tmp_path)):
        people = {
            split: {record["speaker"] for record in data.load(alone, split).as_numpy_iterator()}
            for split in ("train", "validation")
        }
        records = [*data.load(told, "validation").as_numpy_iterator()]
    assert people["train"]
    assert people["validation"]
    assert not people["train"] & people["validation"]
    assert len(records) == 40
    assert all(wave.read(record["audio"])[1] == wave.RATE for record in records)
    assert any(record["text"] for record in records)
    assert all(record["text"] == record["text"].upper() for record in records)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (("1.wav", "ann", "..."), "the transcript '...' has no word"),
        (("none.wav", "ann", "a"), "none.wav: no such file"),
    ],
)
def test_bad_records(tmp_path, row, said):
    config = folder(tmp_path, [row, ("2.wav", "ben", "b"), ("3.wav", "eve", "a")])
    (tmp_path / "none.wav").unlink(missing_ok=True)
    with pytest.raises(UserError, match=said):
        texts(config, "train"), texts(config, "validation")


def test_a_transcript_that_does_not_fit_is_named_and_left_out(tmp_path, caplog):
    config = folder(tmp_path, [("1.wav", "ann", "a " * 20), ("2.wav", "ann", "b")])
    with caplog.at_level(logging.WARNING):
        found = data.load(DataConfig(source=str(tmp_path / "train.tsv"), validation=0.0), "train")
    assert [record["text"] for record in found.as_numpy_iterator()] == [b"b"]
    assert "1.wav: 39 characters in 1.0 s need 39 steps; there are 25" in caplog.text
    assert config.validation


def test_features_and_symbols_are_fitted_on_train(tmp_path):
    config = folder(tmp_path)
    fitted = data.fit(config, data.load(config, "train"))
    assert fitted.tokens[:4] == TOKENS[:4]
    assert set(fitted.tokens[4:]) <= {" ", "a", "b"}
    assert len(fitted.mean) == config.bins
    assert min(fitted.deviation) > 0


def test_subwords(tmp_path):
    rows = [(f"{number}.wav", f"p{number}", "abab baba ab") for number in range(8)]
    config = folder(tmp_path, rows)
    config = DataConfig(source=config.source, unit="subwords", vocabulary_size=10)
    fitted = data.fit(config, data.load(config, "train"))
    vocabulary = fitted.vocabulary()
    assert vocabulary.text(vocabulary(["abab ab"]).to_tensor())[0] == b"abab ab"


@pytest.mark.parametrize("speed", [0.0, 0.5])
def test_an_altered_recording_keeps_room_for_its_symbols(speed):
    config = DataConfig(speed=speed)
    altered = APP.data.augment(config, FITTED)
    samples = tf.random.normal([24 * FITTED.hop], seed=0) * 0.1
    ids = tf.constant([5, 5, 6] * 5)
    lengths = set()
    for seed in range(8):
        inputs, targets = altered(
            {"samples": samples, "steps": tf.constant(24)},
            {"ids": ids, "steps": tf.constant(24)},
            tf.constant([seed, 1]),
        )
        assert inputs["steps"] == targets["steps"]
        assert inputs["steps"] >= needed_steps(ids[None])[0]
        assert len(inputs["samples"]) == -(-int(inputs["steps"]) // GRAIN) * GRAIN * FITTED.hop
        assert np.abs(inputs["samples"]).max() <= 1
        lengths.add(int(inputs["steps"]))
    assert len(lengths) == 1 if not speed else len(lengths) > 3


class TestSample:
    def test_voices_are_in_one_split_only(self):
        voices = {
            split: {each.voice for each in itertools.islice(sample.sentences(split), 20)}
            for split in ("validation", "test")
        }
        assert not voices["validation"] & voices["test"]

    def test_it_is_deterministic_and_words_stand_where_they_are_said(self):
        first, again = (next(sample.sentences("validation")) for _ in range(2))
        np.testing.assert_array_equal(first.samples, again.samples)
        words = first.text.split()
        assert len(words) == len(first.starts) == len(first.ends)
        borders = [*itertools.chain(*zip(first.starts, first.ends, strict=True))]
        assert borders == sorted(borders)
        seconds = len(first.samples) / 16_000
        assert 0 < borders[0] < borders[-1] < seconds

    def test_words_that_differ_in_order_only(self):
        words = {*sample.WHO, *sample.VERBS, *sample.WHAT}
        assert len({"".join(sorted(word)) for word in words}) < len(words)
