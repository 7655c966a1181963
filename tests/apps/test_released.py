"""The released models, on records of our own whose answers are stored."""

import io
import itertools
import json
import pathlib

import numpy as np
import pytest

from rnnsuite import catalog
from rnnsuite.app import Trained
from rnnsuite.core.fields import record_from_text
from rnnsuite.core.files import read_json
from rnnsuite.device import runner
from rnnsuite.pipeline.export import flatbuffer, litertjs, parity
from rnnsuite.pipeline.inference.card import training_config
from rnnsuite.pipeline.inference.models import fitted_of, open_model
from rnnsuite.tasks.detection import events
from tests.conftest import FIXTURES, NEWEST, RELEASED, ROOT, open_released
from tests.files import daily, phone, picture, sound
from tests.processes import PEAK, peak, reset_peak
from tests.thorough import thorough

STORED = json.loads((FIXTURES / "released.json").read_text(encoding="utf-8"))
MODELS = ROOT / "saved_models"


def array(values):
    """The bytes of a .npy file."""
    stream = io.BytesIO()
    np.save(stream, np.asarray(values, np.float32))
    return stream.getvalue()


CONTENTS = {
    "standing.npy": array(phone(300)[:128]),
    "lying.npy": array(phone(700)[-128:]),
    "frames.npy": array(np.abs(np.sin(np.arange(5 * 512))).reshape(5, 512)),
    "a.wav": sound(440),
    "b.wav": sound(1000, 0.3),
    "a.jpg": picture(80, 60),
    "b.png": picture(33, 47, "PNG"),
}
SMALL = 2**18
"""Bytes of a file up to which most of it is no weights."""
LEARNED = {
    "sentiment": {
        "What a film: funny, warm and beautifully played.": "pos",
        "I want these two hours of my life back. Dull, loud and pointless.": "neg",
        "Not a bad film at all; I would gladly see it again.": "pos",
        "I have never been so bored in a cinema.": "neg",
    },
    "translation": {
        "Two women are sitting on a bench.": "Zwei Frauen sitzen auf einer Bank.",
        "A woman is cooking in a kitchen.": "Eine Frau kocht in einer Küche.",
        "": "",
    },
}
"""What must have been learned."""


def records(name, folder, inputs):
    for file, content in CONTENTS.items():
        (folder / file).write_bytes(content)
    paths = [str(folder / each) if each in CONTENTS else each for each in inputs]
    return [record_from_text(catalog.find(name).serving.fields, path) for path in paths]


def place(name, form):
    version = str(NEWEST[name])
    saved_model = MODELS / name / version
    return saved_model if form == "saved_model" else MODELS / name / "lite" / version / form


def assert_answers(found, stored, drawn=()):
    """Numbers may differ by what machines round differently, and so may draws."""
    assert found.keys() - set(drawn) == stored.keys()
    for key, column in stored.items():
        for value, expected in zip(found[key], column, strict=True):
            if isinstance(value, bytes):
                assert value.decode() == expected
            elif np.asarray(value).dtype.kind in "OS":
                assert [word.decode() for word in value] == expected
            else:
                np.testing.assert_allclose(value, expected, atol=2e-3, rtol=2e-3)


def test_every_released_model_has_stored_answers():
    assert sorted(STORED) == RELEASED


@pytest.mark.parametrize(
    ("name", "form"),
    [(name, form) for name, forms in STORED.items() for form in forms if form != "inputs"],
)
def test_answers_are_those_that_were_stored(name, form, tmp_path):
    stored = STORED[name]
    app = catalog.find(name)
    found = open_released(name, form).answer(records(name, tmp_path, stored["inputs"]))
    assert_answers(found, stored[form], app.serving.drawn)


@pytest.mark.parametrize("name", RELEASED)
def test_its_cards_say_what_it_is_not_for(name):
    card = read_json(place(name, "saved_model") / "assets.extra" / "model_card.json")
    assert card["licence"]
    assert card["not_for"]
    beside = read_json(place(name, "any").parent / "model_card.json")
    assert (beside["not_for"], beside.get("scores")) == (card["not_for"], card.get("scores"))


def test_every_released_model_has_a_portable_file():
    for name in RELEASED:
        folder = place(name, "any").parent
        files = folder.glob("*dynamic.tflite")
        assert any(flatbuffer.is_portable(path.read_bytes()) for path in files)


PORTABLE = [
    (name, next(form for form in ("portable_dynamic.tflite", "dynamic.tflite") if form in stored))
    for name, stored in STORED.items()
]


@pytest.mark.parametrize("runtime", [*runner.RUNTIMES, *thorough(litertjs.NAME)])
@pytest.mark.parametrize(("name", "form"), PORTABLE)
def test_a_portable_file_answers_alike_in_every_runtime(name, form, runtime, tmp_path):
    if runtime == litertjs.NAME and litertjs.missing():
        pytest.skip(litertjs.missing())
    app = catalog.find(name)
    given = records(name, tmp_path, STORED[name]["inputs"])
    found = parity.ask_lite(app, place(name, form), given, tmp_path, runtime)
    assert_answers(found, STORED[name][form], app.serving.drawn)


def test_the_language_model_goes_on(tmp_path):
    """Its next words, and a continuation that repeats no word at once."""
    model = open_released("language_model")
    asked = records("language_model", tmp_path, ["The history of", "He was born in New"])
    tokens = model.answer(asked, "next", {"count": 3})["tokens"]
    assert [row[0].decode() for row in tokens] == ["the", "York"]
    (text, *_) = model.answer(asked, "generate", {"max_length": 20, "seed": 1})["text"]
    words = text.decode().split()
    assert len(words) == 20
    assert all(one != other for one, other in itertools.pairwise(words))


def test_the_forecaster_goes_on():
    """A daily wave that grows, of which it has seen two weeks."""
    model = open_released("forecasting")
    whole = np.array(daily(0, 336 + 48), np.float32)
    record = {"values": whole[:336], "times": np.arange(336), "covariates": np.zeros([0, 0])}
    error = model.answer([record])["mean"][0] - whole[336:]
    assert np.mean(np.abs(error)) < 2


@pytest.mark.skipif(not PEAK.exists(), reason="Linux tells what memory a process held at most")
def test_a_prefix_of_1_mb_takes_bounded_memory():
    """Its last tokens are read; a vector for each of its 260,000 would take 250 MiB a layer."""
    model = open_released("language_model")
    long = {"text": b"the fox " * 130_000}
    for signature in ("greedy", "score"):
        model.answer([{"text": b"the fox"}], signature)
        reset_peak()
        before = peak()
        model.answer([long], signature)
        assert peak() - before < 100 * 2**20


@pytest.mark.parametrize("name", LEARNED)
def test_what_must_have_been_learned(name, tmp_path):
    expected = LEARNED[name]
    model = open_released(name)
    answers = model.answer(records(name, tmp_path, list(expected)))
    column = answers.get("label", answers.get("text"))
    assert [value.decode() for value in column] == list(expected.values())


@pytest.mark.parametrize("name", RELEASED)
def test_dynamic_range_is_less_than_half(name):
    folder = place(name, "dynamic.tflite").parent
    sizes = {path.stem: path.stat().st_size for path in folder.glob("*.tflite")}
    if "float32" in sizes and sizes["float32"] > SMALL:
        assert sizes["dynamic"] < 0.5 * sizes["float32"]


@pytest.mark.parametrize("name", RELEASED)
def test_files_that_travel_equal_their_sources(name):
    """`runner.py`, `tokenizer.py` and the like are copies: none is edited where it lies."""
    app = catalog.find(name)
    folder = place(name, "dynamic.tflite").parent
    calibration = folder / "calibration.json"
    trained = Trained(
        config=training_config(app, folder),
        fitted=fitted_of(app, folder),
        calibration=read_json(calibration) if calibration.is_file() else {},
    )
    travelling = app.serving.device.files(trained)
    for file, content in travelling.items():
        if file.endswith((".py", ".txt", ".json")):
            assert (folder / file).read_bytes() == content, file
    assert (folder / "runner.py").read_bytes() == pathlib.Path(runner.__file__).read_bytes()


def test_the_anomaly_detector_knows_what_is_usual():
    """A wave with a little noise, and once a value that it never had; nothing else is an event."""
    model = open_released("anomaly_detection")
    rng = np.random.default_rng(0)
    values = 20 + 5 * np.sin(np.arange(600) / 4) + 0.2 * rng.normal(size=600)
    quiet = model.answer([{"values": values[:, None].astype(np.float32)}])
    values[500] = 60
    loud = model.answer([{"values": values[:, None].astype(np.float32)}])
    assert loud["alarm"][0][500]
    assert loud["event"][0][500] > 0
    assert loud["score"][0][500] > 3 * np.max(quiet["score"][0])
    np.testing.assert_array_equal(loud["score"][0][:500], quiet["score"][0][:500])


def test_the_event_detector_knows_someone_lying_down():
    """Of one who stands and lies down: when, and which of six transitions it was."""
    app = catalog.find("event_detection")
    path = place("event_detection", "saved_model")
    model = open_model(app, path)
    fitted = fitted_of(app, path)
    for signature in ("serving_default", "causal"):
        answer = model.answer([{"values": np.array(phone(1500), np.float32)}], signature)
        row = {name: column[0] for name, column in answer.items()}
        (event,) = events.of_answer(row, fitted.labels, fitted.step)
        assert event.label == "STAND_TO_LIE"
        assert 15 <= event.start < event.end <= 19.5
        assert event.confidence > 0.5


def test_the_activities_of_a_phone_are_known(tmp_path):
    """Of one who stands, and of one who lies, by whole windows and as a stream."""
    app = catalog.find("activity_recognition")
    path = place("activity_recognition", "saved_model")
    model = open_model(app, path)
    asked = records("activity_recognition", tmp_path, ["standing.npy", "lying.npy"])
    expected = ["STANDING", "LAYING"]
    assert [label.decode() for label in model.answer(asked)["label"]] == expected
    labels = fitted_of(app, path).labels
    streamed = model.answer(asked, "causal")["probabilities"]
    assert [labels[int(np.argmax(shares[-1]))] for shares in streamed] == expected


def test_a_video_is_captioned_in_words(tmp_path):
    """Whatever was seen: a sentence of several words, which an empty video does not have."""
    model = open_released("video_captioning")
    asked = records("video_captioning", tmp_path, ["frames.npy"])
    nothing = {"features": np.zeros([3, 512], np.float32)}
    first, second = model.answer([*asked, nothing])["caption"]
    assert 3 <= len(first.decode().split()) <= 12
    assert second == b""
    words, weights = (model.answer(asked, "attend")[name][0] for name in ("words", "weights"))
    assert len(words) == len(weights)
    np.testing.assert_allclose(np.sum(weights, axis=1), 1, atol=1e-3)
