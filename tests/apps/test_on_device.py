"""The scripts for devices, each in a process that has neither TensorFlow nor us."""

import itertools
import subprocess
import sys

import numpy as np
import pytest

from apps.speech_recognition.sample import sentences
from rnnsuite import catalog
from rnnsuite.core.fields import record_from_text
from rnnsuite.device import wave
from rnnsuite.pipeline.inference.models import open_model
from rnnsuite.pipeline.inference.session import Session, stream
from rnnsuite.tasks.classification import read_labels
from tests.conftest import APPS, ROOT
from tests.files import phone, picture, sound

EXAMPLES = ROOT / "examples" / "on_device"
WITHOUT = """
import runpy, sys
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
bad = {name.split(".")[0] for name in sys.modules} & {"tensorflow", "keras", "rnnsuite", "apps"}
assert not bad, bad
"""


def run(name, *words, input=None):
    folder = ROOT / "saved_models" / name / "lite" / "1"
    command = [
        sys.executable,
        "-I",
        "-c",
        WITHOUT,
        str(catalog.place(name).folder / "on_device.py"),
        str(folder),
        *map(str, words),
    ]
    done = subprocess.run(command, capture_output=True, text=True, input=input)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


def on_device(name, values):
    app = catalog.find(name)
    records = [record_from_text(app.serving.fields, value) for value in values]
    folder = ROOT / "saved_models" / name / "lite" / "1"
    (path, *_) = sorted(folder.glob("*dynamic.tflite"))  # the portable one where it is alone
    return open_model(app, path).answer(records)


def test_every_application_with_a_device_form_has_one():
    for name in APPS:
        has_script = (catalog.place(name).folder / "on_device.py").is_file()
        assert has_script == (catalog.find(name).serving.device is not None)


def test_sentiment():
    texts = ["What a film.", "", "What a film."]
    expected = on_device("sentiment", texts)
    for row, line in enumerate(run("sentiment", *texts)):
        label, probability = line.split()[:2]
        assert label == expected["label"][row].decode()
        assert float(probability) == pytest.approx(expected["probabilities"][row].max(), abs=1e-3)


def test_translation():
    texts = ["Two dogs are running.", "A man sits.", "Two dogs are running.", ""]
    assert run("translation", *texts) == [
        text.decode() for text in on_device("translation", texts)["text"]
    ]


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
    rising, falling = (
        0.4 * np.sin(2 * np.pi * (600 + way * (1000 * steps - 300)) * steps) for way in (1, -1)
    )
    samples = np.concatenate([quiet, rising, quiet, falling, quiet]).astype("float32")
    (tmp_path / "a.wav").write_bytes(wave.write(samples))
    app = catalog.find("speech_commands")
    path = ROOT / "saved_models" / "speech_commands" / "lite" / "1" / "dynamic.tflite"
    events = list(stream(app, path, str(tmp_path / "a.wav"), ["stream.threshold=0.4"]))
    found = run("speech_commands", "--stream", tmp_path / "a.wav")
    assert len(events) == 2
    assert [line.split()[4] for line in found] == [event["label"] for event in events]


def test_speech_recognition(tmp_path):
    spoken = next(sentences("test"))
    (tmp_path / "a.wav").write_bytes(wave.write(spoken.samples / 32768))
    expected = on_device("speech_recognition", [str(tmp_path / "a.wav")])["text"][0].decode()
    (line,) = run("speech_recognition", tmp_path / "a.wav", "--beam", 1)
    assert line == f"{expected}  {tmp_path / 'a.wav'}"
    app = catalog.find("speech_recognition")
    path = ROOT / "saved_models" / "speech_recognition" / "lite" / "1" / "portable_dynamic.tflite"
    events = [event for event in stream(app, path, str(tmp_path / "a.wav")) if event["is_final"]]
    found = run("speech_recognition", "--stream", tmp_path / "a.wav")
    finals = [line.split() for line in found if not line.startswith("  ...")]
    assert [line[-1] for line in finals] == [event["text"] for event in events]


def test_other_languages_reset_the_state():
    for name, call in {
        "Sentiment.kt": "resetVariableTensors()",
        "Sentiment.swift": "ResetVariableTensors(",
    }.items():
        assert call in (EXAMPLES / name).read_text()


def test_anomaly_detection(tmp_path):
    """An observation far from a wave is told, and where the stream itself alarms."""
    values = 20 + 5 * np.sin(np.arange(240) / 4) + 0.1 * np.cos(np.arange(240) * 2.3)
    values[200] = 60
    rows = [f"{value:.4f}" for value in values]
    (tmp_path / "series.csv").write_text("\n".join(["value", *rows]) + "\n")
    expected = on_device("anomaly_detection", [str(tmp_path / "series.csv")])
    lines = run("anomaly_detection", tmp_path / "series.csv")
    numbers = [int(line.split()[1].rstrip(":")) for line in lines]
    assert numbers == np.flatnonzero(expected["alarm"][0]).tolist()
    assert 200 in numbers


def test_event_detection(tmp_path):
    """The script's events are those of the stream, as `predict --stream` prints them."""
    app = catalog.find("event_detection")
    path = ROOT / "saved_models" / "event_detection" / "lite" / "1" / "dynamic.tflite"
    rows = [",".join(f"{cell:g}" for cell in row) for row in phone(1500)]
    (tmp_path / "phone.csv").write_text("\n".join(["a,b,c,d,e,f", *rows]) + "\n")
    events = list(stream(app, path, str(tmp_path / "phone.csv")))
    lines = run("event_detection", tmp_path / "phone.csv")
    assert [event["label"] for event in events] == ["STAND_TO_LIE"]
    assert len(lines) == len(events)
    for line, event in zip(lines, events, strict=True):
        assert line.split()[4] == event["label"]
        assert float(line.split()[0]) == pytest.approx(event["start"], abs=0.02)


def test_activity_recognition(tmp_path):
    """A clip, and the same samples as they come: each says what the application does."""
    values = np.array(phone(256), np.float32)
    np.save(tmp_path / "a.npy", values[:128])
    expected = on_device("activity_recognition", [str(tmp_path / "a.npy")])
    (line,) = run("activity_recognition", tmp_path / "a.npy")
    label = expected["label"][0].decode()
    assert line.startswith(label)
    share = float(line.removeprefix(label).split()[0])
    assert share == pytest.approx(expected["probabilities"][0].max(), abs=1e-3)


def test_a_stream_of_activities(tmp_path):
    """After every step that changes what is said, as the same file says it through a session."""
    app = catalog.find("activity_recognition")
    path = ROOT / "saved_models" / "activity_recognition" / "lite" / "1" / "dynamic.tflite"
    values = np.array(phone(256), np.float32)
    session = Session(app, path, "stream")
    steps = [session({"values": part[None]}) for part in values.reshape(32, 8, 6)]
    labels = read_labels(path.parent)
    best = [labels[int(step["probabilities"][0, -1].argmax())] for step in steps]
    changes = [best[0], *(two for one, two in itertools.pairwise(best) if one != two)]
    rows = "".join(",".join(f"{cell:.7g}" for cell in row) + "\n" for row in values)
    lines = run("activity_recognition", "--stream", input=rows)
    assert [line.split()[2] for line in lines] == changes


def test_object_recognition(tmp_path):
    """Numpy's pixels differ by a rounding here and there, which 8-bit activations enlarge."""
    (tmp_path / "a.png").write_bytes(picture(150, 120, "PNG"))
    np.save(tmp_path / "a.npy", predict_pixels(tmp_path / "a.png"))
    expected = on_device("object_recognition", [str(tmp_path / "a.png")])
    for line in run("object_recognition", tmp_path / "a.png", tmp_path / "a.npy"):
        label, share = line.split()[:2]
        assert label == expected["label"][0].decode()
        assert float(share) == pytest.approx(expected["probabilities"][0].max(), abs=0.02)


def test_video_captioning(tmp_path):
    """Features by the numbers themselves; frames of zeros are none."""
    frames = np.abs(np.sin(np.arange(5 * 512, dtype=np.float32))).reshape(5, 512)
    frames[3] = 0
    np.save(tmp_path / "a.npy", frames)
    expected = on_device("video_captioning", [str(tmp_path / "a.npy")])["caption"][0].decode()
    assert run("video_captioning", tmp_path / "a.npy") == [f"{tmp_path / 'a.npy'}: {expected}"]
