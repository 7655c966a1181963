"""Every page in a real browser answers as Python does."""

import json
import pathlib

import numpy as np
import pytest
import soundfile
from PIL import Image

from rnnsuite import catalog, demo
from rnnsuite.core.fields import record_from_json
from tests.apps.test_on_device import run as on_device
from tests.conftest import RELEASED, ROOT, open_released
from tests.demo.browser import Browser, missing, served
from tests.files import daily, phone, picture, sound
from tests.thorough import thorough

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())
LARGEST = 16 * 2**20
"""Bytes of a model, and of all that surrounds it."""
WASM = 10 * 2**20


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "pages"
    demo.write(demo.pages(ROOT / "saved_models"), folder)
    with served(folder) as address:
        yield address


@pytest.fixture(scope="module")
def browser(site):
    opened = Browser(site)
    yield opened
    opened.close()


def file_of(name):
    return next(page.file for page in demo.pages(ROOT / "saved_models", [name]))


def expected(name, value):
    """What Python answers by the file that the page loads."""
    app = catalog.find(name)
    record = record_from_json(app.serving.fields, value)
    answer = open_released(name, file_of(name)).answer([record])
    return {key: column[0] for key, column in answer.items()}


def assert_near(found, wanted, atol=1e-4):
    np.testing.assert_allclose(found, wanted, atol=atol, rtol=1e-4)


def pixels(path):
    """What a browser has of a picture: four numbers a pixel."""
    array = np.asarray(Image.open(path).convert("RGBA"))
    return array.reshape(-1).tolist(), *array.shape[:2]


PICTURE = "{data: Uint8ClampedArray.from(v[0]), height: v[1], width: v[2]}"
SAMPLES = "Float32Array.from(v[0])"


def test_sentiment(browser):
    browser.open("sentiment")
    for text in ("What a film: funny and warm.", "Dull, loud, pointless. " * 40, ""):
        answer, wanted = browser.ask("v[0]", text), expected("sentiment", text)
        assert_near(answer["probabilities"], wanted["probabilities"])
        assert len(answer["tokens"]) == len(answer["weights"])


def test_translation(browser):
    browser.open("translation")
    for text in ("Two dogs are running in the snow.", "A man cooks.", ""):
        answer = browser.ask("v[0]", text)
        assert answer["text"] == expected("translation", text)["text"].decode()
        assert len(answer["alignment"]) == len(answer["target"])
        for row in answer["alignment"]:
            assert len(row) == len(answer["source"])
            assert sum(row) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("name", ["captioning", "object_recognition"])
def test_pictures(browser, tmp_path, name):
    browser.open(name)
    for size in ((33, 47), (300, 200)):
        path = tmp_path / "picture.png"
        path.write_bytes(picture(*size, "PNG"))
        answer, wanted = browser.ask(PICTURE, *pixels(path)), expected(name, str(path))
        if name == "captioning":
            assert answer["text"] == wanted["caption"].decode()
            assert len(answer["pieces"]) == len(answer["weights"])
        else:
            assert_near(answer["probabilities"], wanted["probabilities"], 2e-3)
    chooser = browser.driver.find_element("css selector", "input[type=file]")
    chooser.send_keys(str(path))
    assert browser.wait("return document.querySelector('.answer').textContent")


def test_videos(browser):
    features = np.abs(np.sin(np.arange(5 * 512))).reshape(5, 512).tolist()
    browser.open("video_captioning")
    answer = browser.ask("v[0]", features)
    assert answer["text"] == expected("video_captioning", features)["caption"].decode()
    assert np.shape(answer["weights"])[0] == len(answer["pieces"])


def test_text_goes_on(browser):
    browser.open("language_model")
    (line,) = on_device("language_model", "The history of", "--temperature", 0)
    answer = browser.ask("v[0], {temperature: 0}", "The history of")
    assert "The history of" + answer["text"] == line
    browser.press("Go on")
    words = "document.querySelectorAll('.answer .token')"
    browser.wait(f"return {words}.length > 5")
    browser.press("Stop")
    browser.run(f"{words}[2].click()")
    others = browser.wait(
        "return [...document.querySelectorAll('.answer:last-of-type button')]"
        ".map((each) => each.textContent)"
    )
    assert len(others) >= 6


def test_forecasts(browser):
    browser.open("forecasting")
    for count in (400, 50):
        request = {"values": daily(3, count), "times": list(range(count))}
        answer, wanted = browser.ask("v[0]", request), expected("forecasting", request)
        assert_near(answer["mean"], wanted["mean"], 1e-2)
        assert_near(answer["quantiles"], wanted["quantiles"], 1e-2)
        assert answer["times"] == list(range(count, count + 48))
    browser.press("Example")
    browser.press("Forecast")
    assert browser.wait("return document.querySelectorAll('.chart .band').length") == 3


def test_anomalies(browser):
    values = [[value] for value in daily(0, 150)]
    values[120] = [400.0]
    browser.open("anomaly_detection")
    answer, wanted = browser.ask("v[0]", values), expected("anomaly_detection", values)
    assert_near(answer["scores"], wanted["score"], 1e-3)
    assert answer["alarms"] == [bool(alarm) for alarm in wanted["alarm"]]
    browser.press("Example")
    browser.press("Look for anomalies")
    assert "alarms" in browser.wait(
        "const text = document.querySelector('#status').textContent;"
        "return text.includes('alarms') && text",
        60,
    )


def test_events(browser, tmp_path):
    path = tmp_path / "recording.csv"
    path.write_text("".join(",".join(map(str, row)) + "\n" for row in phone(1500)))
    browser.open("event_detection")
    found = browser.ask("v[0]", phone(1500))["events"]
    lines = [
        f"{each['start']:8.2f} to {each['end']:.2f} s  {each['label']} {each['confidence']:.2f}"
        for each in found
    ]
    assert lines == on_device("event_detection", path)
    assert len(lines) == 1


def test_activities(browser):
    browser.open("activity_recognition")
    for count in (128, 300):
        rows = phone(700)[-count:]
        answer, wanted = browser.ask("v[0]", rows), expected("activity_recognition", rows)
        assert_near(answer["probabilities"], wanted["probabilities"])
    browser.press("Example")
    browser.press("Recognise")
    assert browser.wait("return document.querySelector('.share .name').textContent")


@pytest.mark.parametrize("name", ["activity_recognition", "event_detection"])
def test_a_device_that_moves_is_followed(browser, name):
    """Events of a sensor that stands still, on a screen that fingers touch."""
    touch = {"enabled": True, "maxTouchPoints": 1}
    browser.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", touch)
    metrics = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.open(name)
    browser.run(
        "window.sensor = setInterval(() => window.dispatchEvent(new DeviceMotionEvent("
        "'devicemotion', {accelerationIncludingGravity: {x: 9.8, y: 0, z: 0},"
        "rotationRate: {alpha: 0, beta: 0, gamma: 0}})), 20)"
    )
    browser.press("Follow this device")
    if name == "activity_recognition":
        assert browser.wait("return document.querySelector('.share .name')?.textContent")
    browser.wait(
        "return [...document.querySelectorAll('button')].some((b) => b.textContent === 'Stop')"
    )
    browser.press("Stop")
    browser.run("clearInterval(window.sensor)")
    browser.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})
    browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert not browser.errors()


def spoken(path):
    """A tone between silences, which the released model takes for a word."""
    path.write_bytes(sound(440))
    tone, rate = soundfile.read(path, dtype="float32")
    whole = np.concatenate([np.zeros(rate), tone, np.zeros(2 * rate)]).astype(np.float32)
    soundfile.write(path, whole, rate, "PCM_16")
    return soundfile.read(path, dtype="float32")[0]


def test_words_of_a_stream(browser, tmp_path):
    samples = spoken(tmp_path / "tone.wav")
    browser.open("speech_commands")
    file = pathlib.Path(file_of("speech_commands")).name
    lines = on_device("speech_commands", "--stream", tmp_path / "tone.wav", "--file", file)
    answer = browser.ask(SAMPLES, samples.tolist())
    assert [
        f"{each['start']:7.2f} to {each['end']:.2f} s  {each['label']} {each['confidence']:.2f}"
        for each in answer["events"]
    ] == lines
    assert lines


def test_sentences_of_a_stream(browser, tmp_path):
    samples = spoken(tmp_path / "tone.wav")
    browser.open("speech_recognition")
    answer = browser.ask(SAMPLES, samples.tolist())
    lines = on_device("speech_recognition", "--stream", tmp_path / "tone.wav")
    assert [
        f"{each['start']:7.2f} to {each['end']:.2f} s  {each['text']}" for each in answer["words"]
    ] == [line for line in lines if not line.startswith("  ...")]


@pytest.mark.parametrize("name", ["speech_commands", *thorough("speech_recognition")])
def test_the_microphone_is_heard(site, tmp_path, name):
    spoken(tmp_path / "tone.wav")
    browser = Browser(site, tmp_path / "tone.wav")
    try:
        browser.open(name)
        browser.press("Listen")
        heard = "document.querySelector('#heard').textContent.trim()"
        text = browser.wait(f"return {heard}", 30)
        browser.press("Stop")
        assert text
        assert not browser.errors()
    finally:
        browser.close()


@pytest.mark.thorough
def test_every_page_loads_little_and_once_and_nothing_from_elsewhere(browser, site):
    for name in RELEASED:
        browser.driver.execute_cdp_cmd("Network.clearBrowserCache", {})
        for is_first in (True, False):
            browser.open(name)
            loaded = browser.run(
                "return performance.getEntriesByType('resource').map("
                "({name, transferSize}) => [name, transferSize])"
            )
            assert all(address.startswith(site) for address, _ in loaded), loaded
            wasm = [size for address, size in loaded if address.endswith(".wasm")]
            others = [size for address, size in loaded if not address.endswith(".wasm")]
            if is_first:
                assert len(wasm) == 1
                assert WASM > wasm[0] > 2**20
                assert LARGEST > sum(others) > 2**16
            else:
                assert sum(size for _, size in loaded) < 2**16
        assert not browser.errors()


def test_what_is_wrong_is_said(browser):
    browser.open("event_detection")
    area = browser.driver.find_element("tag name", "textarea")
    alert = "return document.querySelector('#alert').textContent"
    for text, message in (
        ("", "There are no numbers yet."),
        ("1,2,3", "Line 1 has 3 numbers, not 6."),
        ("1,2,3,4,5,6\n1,2,3,4,x,6", 'Line 2: "x" is no number.'),
    ):
        browser.run(f"document.querySelector('textarea').value = {json.dumps(text)}")
        browser.press("Find events")
        browser.wait(
            f"return document.querySelector('#alert').textContent === {json.dumps(message)}"
        )
    assert area.get_attribute("aria-describedby")
    assert browser.run(alert)


@pytest.mark.thorough
def test_everything_has_a_name_and_can_be_reached_by_keys(browser):
    """What a person who cannot see or point needs."""
    for name in RELEASED:
        browser.open(name)
        nameless = browser.run(
            "return [...document.querySelectorAll('input, textarea, select')].filter("
            "(each) => !each.labels.length).map((each) => each.outerHTML)"
        )
        assert not nameless
        assert browser.run("return document.documentElement.lang") == "en"
        hidden = browser.run(
            "return [...document.querySelectorAll('button, a, input, textarea')].filter("
            "(each) => each.tabIndex < 0).length"
        )
        assert hidden == 0
        width = "return document.documentElement.scrollWidth <= window.innerWidth"
        browser.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True},
        )
        assert browser.run(width), name
        browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
