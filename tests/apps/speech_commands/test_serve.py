"""The trained sample model asked in every way: whole clips, streams, events."""

import json

import numpy as np
import pytest
import soundfile
import tensorflow as tf
from click.testing import CliRunner

from apps.speech_commands import sample, serve
from rnnsuite import catalog
from rnnsuite.cli.main import main
from rnnsuite.core.errors import Refused, UserError
from rnnsuite.device import wave
from rnnsuite.pipeline.inference.session import Session, stream
from rnnsuite.pipeline.run import Run
from tests.conftest import train_and_export


@pytest.fixture(scope="module")
def speech(tmp_path_factory, _cache):
    return train_and_export("speech_commands", tmp_path_factory)


@pytest.fixture(scope="module")
def clip():
    return sample.clip("asi", 95, 7) / np.float32(32768)


@pytest.fixture(scope="module")
def whole(speech, clip):
    """What the Keras model says of the clip at every step."""
    run = Run(speech.app, speech.run)
    return tf.nn.softmax(run.model()(clip[None], training=False)["frames"])[0].numpy()


@pytest.mark.parametrize("form", ["run", "saved_model", "float32.tflite"])
def test_a_stream_is_the_whole_sequence(speech, clip, whole, form):
    path = speech.lite / form if form.endswith("tflite") else getattr(speech, form)
    session = Session(speech.app, path, "stream")
    found = [
        session({"samples": piece[None]})["probabilities"][0] for piece in clip.reshape(-1, 320)
    ]
    np.testing.assert_allclose(np.stack(found), whole, atol=1e-4)


def test_the_waveform_of_any_length_is_answered_like_its_file(speech, clip):
    model = tf.saved_model.load(str(speech.saved_model))
    file = model.signatures["serving_default"](audio=tf.constant([wave.write(clip)]))
    padded = np.pad(clip, (0, 9000)).astype(np.float32)
    odd = padded.copy()
    odd[-1] = np.nan
    for samples in (clip.astype(np.float32), padded, odd):
        found = model.signatures["waveform"](samples=tf.constant(samples[None]))
        np.testing.assert_allclose(found["probabilities"], file["probabilities"], atol=1e-3)


def test_attention_sums_to_one(speech, clip):
    answer = speech.open("run").answer([{"audio": wave.write(clip)}])
    assert answer["weights"].shape == (1, 50)
    assert answer["weights"].sum() == pytest.approx(1, abs=1e-5)


def test_silence_nothing_and_one_sample_are_answered(speech):
    model = speech.open("saved_model")
    records = [{"audio": wave.write(np.zeros(count))} for count in (0, 1, 16_000, 48_000)]
    found = model.answer(records)
    np.testing.assert_allclose(
        found["probabilities"], np.repeat(found["probabilities"][:1], 4, axis=0), atol=1e-6
    )


def test_bytes_that_are_no_sound_are_refused(speech):
    with pytest.raises(Refused, match="not a WAV file"):
        speech.open("saved_model").answer([{"audio": b"text"}])


def call(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture(scope="module")
def meeting(tmp_path_factory):
    """Stereo at 44.1 kHz: three words with pauses."""
    place = tmp_path_factory.mktemp("meeting") / "meeting.flac"
    clips = [np.pad(sample.clip(word, 95, 0) / 32768, 8000) for word in ("asi", "oli", "eko")]
    sound = np.concatenate(clips)
    at_44k = wave.resample(sound, 16_000, round(len(sound) * 44_100 / 16_000), 44_100)
    soundfile.write(place, np.stack([at_44k, at_44k], axis=1), 44_100)
    return place


LISTEN = ("--set", "stream.threshold=0.01", "--set", "stream.shortest=0.0")
"""So that a model that has learned nothing hears something, too."""


def test_predict_follows_a_recording(speech, meeting):
    found = [
        json.loads(
            call(
                "predict",
                "speech_commands",
                "--json",
                "--model",
                path,
                "--stream",
                meeting,
                *LISTEN,
            ).stdout
        )
        for path in (speech.run, speech.lite / "float32.tflite")
    ]
    labels = [[event["label"] for event in one["events"]] for one in found]
    assert labels[0] == labels[1]
    for event in found[0]["events"]:
        assert event.keys() == {"label", "start", "end", "confidence"}
        assert event["start"] < event["end"]


def test_settings_of_the_stream_are_obeyed(speech, meeting):
    words = ("predict", "speech_commands", "--model", speech.run, "--stream", meeting)
    assert call(*words, "--set", "stream.shortest=7.5").stdout == f"No event in {meeting}.\n"


def test_predict_answers_files(speech, meeting):
    result = call("predict", "speech_commands", "--json", "--model", speech.saved_model, meeting)
    assert json.loads(result.stdout)["answers"][0]["label"] in (*sample.WORDS, "_silence_")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--stream", "/no/such.wav"], "no sound file /no/such.wav"),
        (["/no/such.wav"], "no sound file /no/such.wav"),
        ([], "Give INPUTs, or --stream"),
        (["a.wav", "--stream", "b.wav"], "Give INPUTs, or --stream"),
        (["a.wav", "--set", "stream.threshold=0.5"], "with --stream those of stream"),
        (["--stream", "a.wav", "--set", "stream.treshold=0.5"], "Did you mean stream.threshold?"),
    ],
)
def test_mistakes(speech, words, said):
    result = call("predict", "speech_commands", "--model", speech.saved_model, *words)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_text_file_called_wav(speech, tmp_path):
    (tmp_path / "a.wav").write_text("hello")
    for words in ([tmp_path / "a.wav"], ["--stream", tmp_path / "a.wav"]):
        result = call("predict", "speech_commands", "--model", speech.saved_model, *words)
        assert result.exit_code == 2
        assert "a.wav" in result.stderr


def test_an_app_without_a_stream():
    with pytest.raises(UserError, match="sentiment follows no stream"):
        next(stream(catalog.find("sentiment"), "x", "y"))


def test_a_model_without_a_stream_says_so(speech):
    with pytest.raises(UserError, match="no signature 'steam'"):
        Session(speech.app, speech.saved_model, "steam")


def test_the_microphone_that_is_not_there():
    with pytest.raises(UserError, match="microphone"):
        next(serve.chunks("microphone", None, None))
