"""Sources of sounds, good and bad."""

import functools
import itertools

import numpy as np
import pytest
import soundfile
import tensorflow as tf
import tensorflow_datasets as tfds

from apps.speech_commands import APP, data, noise, sample
from rnnsuite.core.errors import UserError
from rnnsuite.data import sources
from rnnsuite.device import wave
from rnnsuite.inputs import audio, waveform
from rnnsuite.pipeline.inference.evaluate import has_splits
from tests.public_sets import write_metadata


def tone(seconds=0.5, rate=16_000, pitch=500.0):
    return (0.3 * np.sin(2 * np.pi * pitch * np.arange(round(seconds * rate)) / rate)).astype(
        np.float32
    )


def write(path, samples=None, rate=16_000, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, tone(rate=rate) if samples is None else samples, rate, **options)


@pytest.fixture
def folder(tmp_path):
    for word, speaker, number in itertools.product(("go", "stop", "cat"), range(30), range(2)):
        write(tmp_path / word / f"{speaker:08x}_nohash_{number}.wav", tone(pitch=300 + speaker))
    return tmp_path


def load(source, split="train", **options):
    options = {"silence": 0.0, **options}
    return list(
        data.load(data.DataConfig(source=str(source), **options), split).as_numpy_iterator()
    )


def speakers(folder, split):
    files = data._files(data.DataConfig(source=str(folder)), folder)[split]
    return {file.name.split("_")[0] for file, _ in files}


def test_a_folder_is_divided_by_speaker(folder):
    found = {split: speakers(folder, split) for split in ("train", "validation", "test")}
    assert all(found.values())
    assert sum(len(each) for each in found.values()) == 30
    assert len(load(folder)) == 6 * len(found["train"])


def test_the_whole_folder_is_one_split_where_it_is_evaluated(folder):
    assert not has_splits(APP, data.DataConfig(source=str(folder)))
    assert len(load(folder, "all")) == 180


def test_the_hash_divides_by_speaker_in_the_shares_asked_for():
    shares = {"validation": 0.1, "test": 0.1}
    assert data.split_by_speaker("bbb86297_nohash_1.wav", shares) == data.split_by_speaker(
        "bbb86297_nohash_0.wav", shares
    )
    drawn = [data.split_by_speaker(f"{number:08x}_nohash_0.wav", shares) for number in range(2000)]
    assert 0.07 < drawn.count("validation") / 2000 < 0.13
    assert 0.07 < drawn.count("test") / 2000 < 0.13


def test_official_lists_are_followed(folder):
    (folder / "validation_list.txt").write_text(
        "go/00000001_nohash_0.wav\ngo/00000001_nohash_1.wav\n"
    )
    (folder / "testing_list.txt").write_text("cat/00000002_nohash_0.wav\n")
    assert (len(load(folder, "validation")), len(load(folder, "test")), len(load(folder))) == (
        2,
        1,
        177,
    )


def test_speakers_in_two_splits_are_warned_of(folder, caplog):
    (folder / "validation_list.txt").write_text("go/00000001_nohash_0.wav\n")
    load(folder)
    assert "1 speakers of train are in validation too (00000001 ...)" in caplog.text


def test_split_folders_of_flac(tmp_path):
    for split in ("train", "val"):
        for word in ("go", "stop"):
            write(tmp_path / split / word / f"{split}.flac", tone(0.7, 8000), 8000)
    record = load(tmp_path, "validation")[0]
    samples, rate = wave.read(record["audio"])
    assert (len(samples), rate, record["label"]) == (5600, 8000, b"go")
    with pytest.raises(UserError, match="no test split; it has train, validation"):
        load(tmp_path, "test")


def test_only_a_validation_folder_can_be_evaluated(tmp_path):
    for word in ("go", "stop"):
        write(tmp_path / "val" / word / "a.wav")
    assert len(load(tmp_path, "validation")) == 2
    with pytest.raises(UserError, match="no train split; it has validation"):
        load(tmp_path)


@pytest.mark.parametrize("subtype", ["DOUBLE", "ULAW"])
def test_wav_files_of_other_codings_are_read_too(tmp_path, subtype):
    for word in ("go", "stop"):
        write(tmp_path / word / "a.wav", subtype=subtype)
    samples, rate = wave.read(load(tmp_path, "all")[0]["audio"])
    np.testing.assert_allclose(samples, tone(), atol=0.02)
    assert rate == 16_000


def test_words_left_out_are_unknown(folder):
    labels = [record["label"] for record in load(folder, "all", words=("go", "stop"), unknown=0.25)]
    assert labels.count(b"_unknown_") == 30
    assert labels.count(b"go") == 60
    assert len(load(folder, "all", words=("go", "stop"), unknown=0.0)) == 120
    with pytest.raises(UserError, match=r"no folders for dog \(data\.words\)"):
        load(folder, words=("go", "dog"))


def test_silence_is_a_class_of_noise(folder):
    records = load(folder, "all", silence=0.1)
    silent = [record for record in records if record["label"] == b"_silence_"]
    assert len(silent) == 18
    levels = [np.abs(wave.read(record["audio"])[0]).max() for record in silent]
    assert min(levels) > 0
    assert max(levels) < 0.6
    assert [record["audio"] for record in load(folder, "all", silence=0.1)] == [
        record["audio"] for record in records
    ]


def test_the_sources_own_noise(folder):
    noise.noise_bank.cache_clear()
    write(folder / "_background_noise_" / "hum.wav", tone(12, pitch=50))
    bank = noise.noise_bank(str(folder))
    assert bank.shape == (2, 160_000)
    np.testing.assert_allclose(bank[0], tone(10, pitch=50), atol=1e-4)
    assert {record["label"] for record in load(folder, "all")} == {b"go", b"stop", b"cat"}


BAD = {
    "text called .wav": lambda path: path.write_text("not a sound"),
    "header cut short": lambda path: path.write_bytes(wave.write(tone())[:30]),
    "no samples": lambda path: path.write_bytes(wave.write(tone(0))),
    "NaN": lambda path: write(path, np.array([0.1, np.nan], np.float32), subtype="FLOAT"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_are_named_or_counted(folder, case, caplog):
    BAD[case](folder / "go" / "bad_nohash_0.wav")
    with pytest.raises(UserError, match=r"bad_nohash_0\.wav: .*on_error=skip"):
        load(folder, "all")
    assert len(load(folder, "all", on_error="skip")) == 180
    assert "1 bad records skipped" in caplog.text


def test_a_class_without_files(folder):
    (folder / "dog").mkdir()
    with pytest.raises(UserError, match=r"class folder .*dog has no \.wav"):
        load(folder)


def test_no_folder_and_no_classes(tmp_path):
    with pytest.raises(UserError, match="There is no"):
        load(tmp_path / "missing")
    with pytest.raises(UserError, match="no folders of classes"):
        load(tmp_path)


def records(*clips):
    return sources.from_records(
        [{"audio": wave.write(samples, rate), "label": label} for samples, rate, label in clips]
    )


def fit(*clips, **options):
    return data.fit(data.DataConfig(**options), records(*clips))


def test_fitted_are_classes_and_statistics():
    rng = np.random.default_rng(0)
    found = fit(
        (rng.normal(size=16_000) / 9, 16_000, "b"), (rng.normal(size=16_000) / 9, 16_000, "a")
    )
    assert found.labels == ("a", "b")
    assert found.clip_samples == 16_000
    features = audio.LogMel(40)(
        np.stack(
            [
                waveform.clip(r["audio"], 16_000).numpy()
                for r in records((np.random.default_rng(0).normal(size=16_000) / 9, 16_000, "b"))
            ]
        )
    )
    assert np.abs(features.numpy().mean(axis=(0, 1)) - found.mean).max() < 0.2
    assert found.background == -1
    with pytest.raises(UserError, match=r"one class only \(a\)"):
        fit((tone(), 16_000, "a"), (tone(), 16_000, "a"))


FITTED = data.Fitted(("_silence_", "go"), 16_000, 40, 0, "fixed", (0.0,) * 40, (1.0,) * 40)


def example(samples, rate=16_000, label="go"):
    return next(iter(data.examples(data.DataConfig(), FITTED, records((samples, rate, label)))))


@pytest.mark.parametrize(
    ("seconds", "rate"),
    [(1 / 16_000, 16_000), (0.5, 8000), (0.5, 44_100), (1.0, 16_000), (600, 8000)],
)
def test_any_length_and_rate_is_one_clip(seconds, rate):
    samples, targets = example(tone(seconds, rate), rate)
    assert samples.shape == [16_000]
    assert np.isfinite(samples).all()
    assert targets["steps"].shape == [50]
    if 0.1 < seconds <= 1:
        assert np.abs(samples).max() == pytest.approx(0.3, abs=0.02)


def test_the_span_is_where_something_sounds():
    rng = np.random.default_rng(0)
    samples = 1e-3 * rng.normal(size=16_000)
    samples[4800:9600] += tone(0.3)
    _, targets = example(samples)
    np.testing.assert_allclose(targets["span"], [4800, 9600], atol=480)
    steps = targets["steps"].numpy()
    assert not steps[:14].any()
    assert steps[16:35].all()
    assert not steps[36:].any()


def test_silence_has_no_span():
    _, targets = example(np.zeros(16_000), label="_silence_")
    np.testing.assert_array_equal(targets["span"], [0, 0])
    assert not targets["steps"].numpy().any()


@functools.cache
def tone_in_noise():
    samples = 1e-3 * np.random.default_rng(0).normal(size=16_000)
    samples[4800:9600] += tone(0.3)
    return example(samples)


def augmented(seed=0, **options):
    silent = {"shift": 0.0, "speed": 0.0, "gain": 0.0, "noise": 0.0}
    config = data.DataConfig(**{**silent, **options})
    before = tone_in_noise()
    after = data.augment(config, FITTED)(*before, tf.constant([0, seed], tf.int64))
    return before, after


def test_without_anything_nothing_changes():
    before, after = augmented()
    np.testing.assert_allclose(after[0], before[0], atol=1e-6)
    np.testing.assert_array_equal(after[1]["steps"], before[1]["steps"])


def test_shift_moves_sound_and_span_together():
    shifts = []
    for seed in range(12):
        before, after = augmented(seed, shift=0.2)
        by = int((after[1]["span"] - before[1]["span"])[0])
        np.testing.assert_allclose(after[0][4800 + by : 9600 + by], before[0][4800:9600], atol=1e-6)
        shifts.append(by)
    assert max(shifts) > 200
    assert min(shifts) < -800


def test_speed_moves_pitch_and_span():
    for seed in range(5):
        before, after = augmented(seed, speed=0.2)
        factor = float(before[1]["span"][0] / after[1]["span"][0])
        assert 0.8 <= factor <= 1.2
        assert float(np.argmax(np.abs(np.fft.rfft(after[0])))) == pytest.approx(500 * factor, abs=8)


def test_noise_has_the_drawn_level():
    for snr in (0.0, 20.0):
        before, after = augmented(noise=1.0, snr=(snr, snr))
        added = after[0] - before[0]
        found = 20 * np.log10(0.3 / np.sqrt(2) / np.std(added))
        assert found == pytest.approx(snr, abs=1.5)


def test_the_seed_decides():
    everything = {"shift": 0.1, "speed": 0.1, "gain": 6.0, "noise": 1.0}
    np.testing.assert_array_equal(
        augmented(3, **everything)[1][0], augmented(3, **everything)[1][0]
    )
    assert np.abs(augmented(3, **everything)[1][0] - augmented(4, **everything)[1][0]).max() > 0.01


def test_a_word_at_the_very_end_stays_finite():
    samples = np.zeros(16_000)
    samples[-300:] = 0.5
    before = example(samples)
    for seed in range(30):
        after = data.augment(data.DataConfig(shift=0.3), FITTED)(
            *before, tf.constant([0, seed], tf.int64)
        )
        assert np.isfinite(after[0]).all()


def test_the_public_set(tmp_path):
    write_metadata("speech_commands", ("train", "validation", "test"), tmp_path, 5)
    with tfds.testing.mock_data(num_examples=5, data_dir=str(tmp_path)):
        found = load("tfds:speech_commands", "test", silence=0.1)
        few = load("tfds:speech_commands", "test", words=("yes",))
    assert len(found) == 5  # it has its own silence
    assert all(wave.read(record["audio"])[1] == 16_000 for record in found)
    assert {record["label"] for record in few} <= {b"yes", b"_unknown_", b"_silence_"}


def test_the_sample_is_deterministic_and_its_voices_are_in_one_split_only():
    first = list(itertools.islice(sample.clips("validation"), 16))
    again = list(itertools.islice(sample.clips("validation"), 16))
    for (samples, word), (other, same) in zip(first, again, strict=True):
        assert word == same
        np.testing.assert_array_equal(samples, other)
    assert [word for _, word in first] == list(sample.WORDS) * 2
    assert len({samples.tobytes() for samples, _ in first}) == 16
    assert sum(sample.VOICES.values()) == 100


def test_words_of_the_sample_differ_in_order_only():
    assert len(sample.WORDS) >= 8
    for one, other in zip(sample.WORDS[::2], sample.WORDS[1::2], strict=True):
        assert one == other[::-1]
