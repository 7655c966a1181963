"""A trained recogniser, asked in every way, also with what is no speech."""

import dataclasses
import itertools
import json

import numpy as np
import pytest
import soundfile
import tensorflow as tf
from click.testing import CliRunner

from apps.speech_recognition import APP, sample
from apps.speech_recognition.serve import Follower, chunk_size, chunks, show
from rnnsuite import catalog
from rnnsuite.cli.main import main
from rnnsuite.core.errors import UserError
from rnnsuite.device import wave
from rnnsuite.device.runner import RUNTIMES, LiteModel
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.inference.models import fitted_of, open_model
from rnnsuite.pipeline.inference.session import Session, stream
from rnnsuite.pipeline.train.train import train
from rnnsuite.tasks.sections import DictationConfig, TranscribeConfig
from rnnsuite.tasks.transcription.alphabet import Alphabet
from rnnsuite.tasks.transcription.decoder import transcription
from tests.conftest import train_and_export
from tests.thorough import thorough


@pytest.fixture(scope="module")
def finished(tmp_path_factory, _cache):
    return train_and_export("speech_recognition", tmp_path_factory)


@pytest.fixture(scope="module")
def speech():
    """Sentences as samples, the shortest first."""
    sentences = [next(sample.sentences("test")), *list(sample.sentences("validation"))[:3]]
    return sorted((each.samples / 32768 for each in sentences), key=len)


def recording(samples, rate=wave.RATE):
    return {"audio": wave.write(np.asarray(samples, np.float32), rate)}


def at_rate(samples, rate):
    return wave.resample(samples, wave.RATE, len(samples) * rate // wave.RATE, rate)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_silence_behind_is_not_heard_in_static_shapes(finished, speech, runtime):
    """A sound and zeros fill the file's shape; only as much is heard as is the sound's own."""
    exact = LiteModel(str(finished.lite / "float32.tflite"), "sound")
    portable = LiteModel(str(finished.lite / "portable_dynamic.tflite"), "sound", runtime=runtime)
    assert portable.inputs == exact.inputs == ["samples"]
    hop = fitted_of(finished.app, finished.run).hop
    for samples in (speech[0], np.tile(speech[1], 3)):
        samples = samples[: len(samples) // hop * hop].astype(np.float32)[None]
        expected, found = (model(samples=samples) for model in (exact, portable))
        assert found["log_probabilities"].shape[1] == samples.shape[1] // hop
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, atol=1e-3)


@pytest.mark.parametrize("rate", [44_100, *thorough(8000, 16_000)])
def test_others_in_a_batch_change_nothing(finished, speech, rate):
    model = finished.open("saved_model")
    records = [recording(at_rate(each, rate), rate) for each in (speech[0], np.tile(speech[1], 8))]
    together = model.answer(records)
    alone = model.answer(records[:1])
    assert together["text"][0] == alone["text"][0]
    assert together["score"][0] == pytest.approx(alone["score"][0], abs=1e-4)
    size = len(alone["words"][0])
    np.testing.assert_allclose(together["ends"][0][:size], alone["ends"][0], atol=1e-4)


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(1),
        np.zeros(16_000),
        np.random.default_rng(0).normal(size=16_000),
        np.sign(np.sin(np.arange(20_000))),
    ],
    ids=["one sample", "silence", "noise", "clipped"],
)
def test_what_is_no_speech_is_answered(finished, samples):
    answer = finished.open("saved_model").answer([recording(samples)])
    assert np.isfinite(answer["score"][0])
    assert len(answer["words"][0]) == len(answer["starts"][0]) == len(answer["ends"][0])


def test_stereo_is_mixed(finished, speech, tmp_path):
    soundfile.write(tmp_path / "two.flac", np.stack([speech[0]] * 2, axis=1), wave.RATE)
    field = APP.serving.fields["audio"]
    model = finished.open("saved_model")
    mixed = model.answer([{"audio": field.parse(str(tmp_path / "two.flac"))}])
    assert mixed["text"][0] == model.answer([recording(speech[0])])["text"][0]


def test_samples_are_answered_as_their_file_is(finished, speech):
    model = finished.open("saved_model")
    content = recording(speech[0])
    samples, _ = wave.read(content["audio"])
    by_samples = model.answer([{"samples": samples}], "waveform")
    by_bytes = model.answer([content])
    assert by_samples["text"][0] == by_bytes["text"][0]
    assert by_samples["score"][0] == pytest.approx(by_bytes["score"][0], abs=1e-3)


def test_a_long_recording_is_heard_in_pieces(finished, speech):
    silence = np.zeros(8000)
    long = np.concatenate([part for each in speech * 6 for part in (each, silence)])
    pieces = open_model(finished.app, finished.run, ["transcribe.piece=3.0"])
    answer = pieces.answer([recording(long)])
    words = [word for word in answer["words"][0] if word]
    assert words == answer["text"][0].split()
    starts = answer["starts"][0][: len(words)]
    assert (np.diff(starts) >= 0).all()
    assert answer["ends"][0].max() > 20
    assert answer["ends"][0].max() <= len(long) / wave.RATE + 0.12
    several = pieces.answer([recording(long)], "nbest")
    assert several["text"][0][0] == answer["text"][0]


def test_a_stream_is_written_down(finished, speech, tmp_path):
    soundfile.write(tmp_path / "said.wav", speech[0], wave.RATE)
    fitted = fitted_of(finished.app, finished.run)
    config = configuration.load(finished.app, finished.run / "config.yaml")
    follower = Follower(config, fitted)
    session = Session(finished.app, finished.run, "stream")
    events = []
    for chunk in chunks(str(tmp_path / "said.wav"), config, fitted):
        events += follower.feed(session(chunk))
    events += follower.end()
    assert all(set(event) >= {"text", "is_final"} for event in events)
    finals = [event for event in events if event["is_final"]]
    assert all(one["end"] <= other["start"] + 1e-6 for one, other in itertools.pairwise(finals))
    words = ["predict", "speech_recognition", "--model", str(finished.saved_model), "--json"]
    done = CliRunner().invoke(main, [*words, "--stream", str(tmp_path / "said.wav")])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["events"] == events


def test_chunks_of_80_to_320_ms_are_heard_alike(finished, speech, tmp_path):
    path = tmp_path / "said.wav"
    soundfile.write(path, speech[0], wave.RATE)
    fitted = fitted_of(finished.app, finished.run)
    heard = []
    for seconds in (0.08, 0.16, 0.32):
        overrides = [f"stream.chunk={seconds}"]
        config = configuration.load(finished.app, finished.run / "config.yaml", overrides)
        session = Session(finished.app, finished.run, "stream", overrides)
        parts = [
            session(part)["log_probabilities"][0] for part in chunks(str(path), config, fitted)
        ]
        assert {len(part) * fitted.hop / wave.RATE for part in parts} == {seconds}
        heard.append(np.concatenate(parts))
    shortest = min(map(len, heard))
    assert shortest * fitted.hop >= len(speech[0])
    for other in heard[1:]:
        np.testing.assert_allclose(other[:shortest], heard[0][:shortest], atol=1e-4)


def test_an_export_keeps_its_chunks(finished, speech, tmp_path):
    soundfile.write(tmp_path / "said.wav", speech[0], wave.RATE)
    said = stream(
        finished.app, finished.saved_model, str(tmp_path / "said.wav"), ["stream.chunk=0.32"]
    )
    with pytest.raises(UserError, match=r"samples of shape \(1, 2560\) at a time, not \(1, 5120\)"):
        next(said)


@pytest.mark.parametrize(("seconds", "samples"), [(0.08, 1280), (0.1, 1280), (0.01, 640)])
def test_a_chunk_is_whole_steps(seconds, samples):
    assert chunk_size(DictationConfig(chunk=seconds), 640) == samples


def test_a_person_reads_the_text_and_its_times():
    answer = {
        "text": b"ab a",
        "words": [b"ab", b"a", b""],
        "starts": [0.0, 1.0, 0.0],
        "ends": [0.5, 1.25, 0.0],
    }
    assert show(None, answer) == ["ab a", "    0.00 to   0.50 s  ab", "    1.00 to   1.25 s  a"]


class TestFusion:
    @pytest.fixture(scope="class")
    def alphabet(self, finished):
        return Alphabet(fitted_of(finished.app, finished.run).vocabulary())

    @pytest.fixture(scope="class")
    def model_of_language(self, tmp_path_factory, alphabet):
        """A language model over the same characters, of one epoch."""
        folder = tmp_path_factory.mktemp("language")
        letters = "".join(alphabet.pieces[4:]).strip()
        (folder / "texts.txt").write_text(f"{letters} {letters}\n" * 40)
        app = catalog.find("language_model")
        changes = ["data.unit=characters", f"data.source={folder / 'texts.txt'}", "data.splits={}"]
        train(app, configuration.load(app, "tiny", changes), folder / "run")
        return folder / "run"

    def settings(self, **changes):
        return dataclasses.replace(TranscribeConfig(beam=4), **changes)

    @pytest.mark.thorough
    def test_a_language_model_changes_texts(self, finished, speech, model_of_language):
        record = [recording(speech[1])]
        alone = finished.open("run").answer(record)
        changes = [f"transcribe.language_model={model_of_language}"]
        changes += ["transcribe.language_weight=1.0"]
        fused = open_model(finished.app, finished.run, changes).answer(record)
        assert fused["score"][0] < alone["score"][0]
        without = [changes[0], "transcribe.language_weight=0.0"]
        weightless = open_model(finished.app, finished.run, without).answer(record)
        assert weightless["text"][0] == alone["text"][0]
        assert weightless["score"][0] == pytest.approx(alone["score"][0], abs=1e-4)

    def test_a_language_model_over_other_symbols(self, alphabet, language_model):
        settings = self.settings(language_model=str(language_model.run))
        with pytest.raises(UserError, match="language model over words"):
            transcription(alphabet, settings)

    def test_what_is_no_language_model(self, alphabet, finished):
        settings = self.settings(language_model=str(finished.run))
        with pytest.raises(UserError, match="no forward language model"):
            transcription(alphabet, settings)

    def test_a_closed_vocabulary(self, finished, speech, tmp_path):
        (tmp_path / "words.txt").write_text("amu\numa\n")
        words = [f"transcribe.words={tmp_path / 'words.txt'}"]
        model = open_model(finished.app, finished.run, words)
        answer = model.answer([recording(each) for each in speech])
        assert {word for text in answer["text"] for word in text.split()} <= {b"amu", b"uma"}

    @pytest.mark.parametrize(
        ("content", "message"),
        [(None, "there is no"), ("amu \u00e9", "cannot be written"), ("  ", "needs words")],
    )
    def test_words_that_cannot_be_used(self, alphabet, tmp_path, content, message):
        path = tmp_path / "words.txt"
        if content is not None:
            path.write_text(content, encoding="utf-8")
        with pytest.raises(UserError, match=message):
            transcription(alphabet, self.settings(words=str(path)))

    def test_a_bonus_for_words_makes_more_of_them(self, alphabet):
        rng = np.random.default_rng(0)
        logits = tf.constant(rng.normal(size=(1, 30, len(alphabet.pieces))), tf.float32)
        steps = tf.constant([30])

        def spaces(bonus):
            decoder = transcription(alphabet, self.settings(word_bonus=bonus))
            return int(
                tf.reduce_sum(
                    tf.cast(decoder.search(logits, steps).ids[0, 0] == alphabet.separator, tf.int32)
                )
            )

        assert spaces(5.0) > spaces(-5.0)


@pytest.mark.thorough
def test_subwords_and_a_language_model_over_them(speech, tmp_path):
    """Both learn the same subwords of the same transcripts."""
    same = ["data.unit=subwords", "data.vocabulary_size=60"]
    heard = configuration.load(APP, "tiny", same)
    train(APP, heard, tmp_path / "recogniser")
    records = APP.data.load(heard.data, "train").as_numpy_iterator()
    (tmp_path / "said.txt").write_bytes(b"".join(record["text"] + b"\n" for record in records))
    written = [*same, f"data.source={tmp_path / 'said.txt'}", "train.epochs=1"]
    app = catalog.find("language_model")
    train(app, configuration.load(app, "transcripts", written), tmp_path / "language")
    changes = [f"transcribe.language_model={tmp_path / 'language'}"]
    answers = open_model(APP, tmp_path / "recogniser", changes).answer([*map(recording, speech)])
    for text, words, ends in zip(*(answers[k] for k in ("text", "words", "ends")), strict=True):
        assert [word for word in words if word] == text.split()
        assert (ends > 0).sum() == len(text.split())
