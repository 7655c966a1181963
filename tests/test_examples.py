"""The scripts for devices, each in a process that has neither TensorFlow nor us."""

import pathlib
import subprocess
import sys

import numpy as np
import pytest

from rnnsuite import app as applications
from rnnsuite import evaluate, predict
from rnnsuite.inputs import wave
from tests.conftest import APPS
from tests.inputs.files import picture, sound

SCRIPTS = pathlib.Path("examples/on_device").absolute()
WITHOUT = """
import runpy, sys
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
bad = {name.split(".")[0] for name in sys.modules} & {"tensorflow", "keras", "rnnsuite", "apps"}
assert not bad, bad
"""


def run(name, *words):
    folder = pathlib.Path(f"saved_models/{name}/lite/1").absolute()
    command = [sys.executable, "-I", "-c", WITHOUT, str(SCRIPTS / f"{name}.py"), str(folder), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


def on_device(name, values):
    app = applications.find(name)
    return predict.open_model(app, f"saved_models/{name}/lite/1/dynamic.tflite").answer(app.requests(values))


def test_every_application_has_one():
    assert sorted(path.stem for path in SCRIPTS.glob("*.py")) == APPS


def test_sentiment():
    texts = ["What a film.", "", "What a film."]
    expected = on_device("sentiment", texts)
    for row, line in enumerate(run("sentiment", *texts)):
        label, probability = line.split()[:2]
        assert label == expected["label"][row].decode()
        assert float(probability) == pytest.approx(expected["probabilities"][row].max(), abs=1e-3)


def test_translation():
    texts = ["Two dogs are running.", "A man sits.", "Two dogs are running.", ""]
    assert run("translation", *texts) == [text.decode() for text in on_device("translation", texts)["text"]]


def test_captioning(tmp_path):
    (tmp_path / "a.png").write_bytes(picture(150, 120, "PNG"))
    pixels = predict_pixels(tmp_path / "a.png")
    np.save(tmp_path / "a.npy", pixels)
    (tmp_path / "a.ppm").write_bytes(b"P6\n150 120\n255\n" + pixels.tobytes())
    caption = on_device("captioning", [str(tmp_path / "a.png")])["caption"][0].decode()
    found = run("captioning", tmp_path / "a.ppm", tmp_path / "a.npy", tmp_path / "a.png")
    assert found == [f"{tmp_path / name}: {caption}" for name in ("a.ppm", "a.npy", "a.png")]


def predict_pixels(path):
    import tensorflow as tf

    return tf.io.decode_png(path.read_bytes(), channels=3).numpy()


def test_speech_commands(tmp_path):
    (tmp_path / "a.wav").write_bytes(sound(440))
    expected = on_device("speech_commands", [str(tmp_path / "a.wav")])
    first, second = run("speech_commands", tmp_path / "a.wav", tmp_path / "a.wav")
    assert first == second
    assert first.split()[0] == expected["label"][0].decode()
    assert float(first.split()[1]) == pytest.approx(expected["probabilities"][0].max(), abs=1e-3)


def test_a_stream_of_speech(tmp_path):
    """What the application finds in it by the same file."""
    steps, quiet = np.arange(4800) / 16_000, np.zeros(8000)
    rising, falling = (0.4 * np.sin(2 * np.pi * (600 + way * (1000 * steps - 300)) * steps) for way in (1, -1))
    samples = np.concatenate([quiet, rising, quiet, falling, quiet]).astype("float32")
    (tmp_path / "a.wav").write_bytes(wave.write(samples))
    app, path = applications.find("speech_commands"), "saved_models/speech_commands/lite/1/dynamic.tflite"
    settings = evaluate.stream_settings(app, pathlib.Path(path), ["stream.threshold=0.4"])
    events = list(predict.stream(app, path, str(tmp_path / "a.wav"), settings))
    found = run("speech_commands", "--stream", tmp_path / "a.wav")
    assert len(events) == 2
    assert [line.split()[4] for line in found] == [event["label"] for event in events]


def test_other_languages_reset_the_state():
    for name, call in {"Sentiment.kt": "resetVariableTensors()", "Sentiment.swift": "ResetVariableTensors("}.items():
        assert call in (SCRIPTS / name).read_text()
