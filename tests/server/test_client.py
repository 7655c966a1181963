"""The client, against `rnnsuite serve` by REST and against TF Serving's own stubs around the C++
loader by gRPC.
"""

import functools
import json
import pathlib
import socket
import subprocess
import sys

import numpy as np
import pytest

from rnnsuite import catalog, client
from rnnsuite.core.fields import record_from_text
from tests.conftest import NEWEST, RELEASED, open_released
from tests.files import daily, phone, picture, sound
from tests.processes import ports
from tests.thorough import thorough

SERVER = pathlib.Path(__file__).parent / "tf_serving.py"
FAILURES = 2
FEW = ("captioning", "forecasting", "sentiment", "translation")
"""Models that the C++ loader is asked in every run: bytes, numbers and texts, in and out."""


@pytest.fixture(scope="session")
def grpc_target():
    (port,) = ports(1)
    command = [sys.executable, "-I", str(SERVER), "saved_models", str(port), str(FAILURES)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout.readline() == "ready\n"
    yield f"127.0.0.1:{port}"
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def by_rest(released):
    with client.Client(released.url, timeout=60, pause=0.01) as found:
        yield found


@pytest.fixture(scope="module")
def by_grpc(grpc_target):
    with client.Client(grpc_target, timeout=60, pause=0.01) as found:
        yield found


@pytest.fixture(scope="module", params=["by_rest", "by_grpc"])
def asked(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def values(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    for name, content in {
        "a.jpg": picture(80, 60),
        "b.png": picture(33, 47, "PNG"),
        "a.wav": sound(440),
    }.items():
        (folder / name).write_bytes(content)
    texts = ["What a film.", "Two dogs are running.", ""]
    return {
        "captioning": [str(folder / "a.jpg"), str(folder / "b.png")],
        "speech_commands": [str(folder / "a.wav")],
        "speech_recognition": [str(folder / "a.wav")],
        "sentiment": texts,
        "translation": texts,
        "language_model": texts,
        "forecasting": [
            json.dumps({"values": daily(days, hours), "times": list(range(hours))})
            for days, hours in ((0, 72), (9, 50))
        ],
        "anomaly_detection": [json.dumps([[value] for value in daily(0, 150)]), "1,2,,4"],
        "event_detection": [json.dumps(phone(90)), json.dumps(phone(20))],
        "activity_recognition": [json.dumps(phone(128)), json.dumps(phone(64))],
        "object_recognition": [str(folder / "a.jpg"), str(folder / "b.png")],
        "video_captioning": [json.dumps([[0.5, 0.0, 0.25, 1.0] * 128] * 3)],
    }


@pytest.fixture(scope="module")
def predicted(values):
    """What `predict` answers, once for both transports."""

    @functools.cache
    def answers(name):
        app = catalog.find(name)
        records = [record_from_text(app.serving.fields, value) for value in values[name]]
        return open_released(name).answer(records)

    return answers


def test_unavailable_is_tried_again(grpc_target):
    """So this comes first: the server is unavailable twice."""
    with client.Client(grpc_target, pause=0.01) as found:
        assert "label" in found.predict("sentiment", {"text": ["x"]})


@pytest.mark.parametrize("name", RELEASED)
def test_every_released_model_answers_as_predict_does(by_rest, values, predicted, name):
    assert_answers_as_predicted(by_rest, name, values[name], predicted(name))


@pytest.mark.parametrize("name", [*FEW, *thorough(*sorted({*RELEASED} - {*FEW}))])
def test_every_released_model_answers_by_grpc(by_grpc, values, predicted, name):
    assert_answers_as_predicted(by_grpc, name, values[name], predicted(name))


def assert_answers_as_predicted(asked, name, given, expected):
    app = catalog.find(name)
    answers = asked.answers(app, given)
    assert len(answers) == len(given)
    for row, answer in enumerate(answers):
        assert isinstance(answer, app.serving.answer)
        for key in expected.keys() - set(app.serving.drawn):
            column = expected[key]
            value = getattr(answer, key)
            if isinstance(column[row], bytes):
                assert value == column[row].decode()
            elif np.asarray(column[row]).dtype.kind in "OS":
                assert list(value) == [text.decode() for text in column[row]]
            else:
                np.testing.assert_allclose(value, column[row], atol=1e-5, rtol=1e-5)
    assert asked.answers(app, []) == []


def test_any_signature_with_arrays_and_options(asked):
    ids = np.array([[5, 6, 7], [8, 9, 10]], np.int32)
    found = asked.predict("sentiment", {"ids": ids}, "classify_ids", version=NEWEST["sentiment"])
    assert found["probabilities"].shape == (2, 2)
    assert found["probabilities"].dtype == np.float32
    few = asked.predict(
        client.Which("translation", label="stable"), {"text": ["Ein Hund."], "beam": 2}, "nbest"
    )
    assert {value.dtype.kind for value in few.values()} == {"f", "O"}
    assert asked.versions("sentiment")[NEWEST["sentiment"]] == "AVAILABLE"
    assert asked.signatures("sentiment")["explain"] == (
        ["text"],
        ["label", "probabilities", "tokens", "weights"],
    )


@pytest.mark.parametrize(
    ("ask", "kind", "said"),
    [
        (
            lambda c: c.predict("sentimental", {"text": ["x"]}),
            client.ModelMissing,
            "no model 'sentimental'",
        ),
        (
            lambda c: c.predict("sentiment", {"text": ["x"]}, version=9),
            client.VersionMissing,
            f"version 9; it has .*{NEWEST['sentiment']}",
        ),
        (
            lambda c: c.predict("sentiment", {"text": ["x"]}, label="old"),
            client.VersionMissing,
            f"label old; it has .*{NEWEST['sentiment']}",
        ),
        (
            lambda c: c.predict("sentiment", {"text": ["x"]}, "explane"),
            client.SignatureMissing,
            "Did you mean explain",
        ),
        (lambda c: c.predict("sentiment", {"txt": ["x"]}), client.RequestRefused, "sentiment: "),
        (
            lambda c: c.predict("captioning", {"image": [b"none"]}),
            client.RequestRefused,
            "captioning: ",
        ),
        (lambda c: c.versions("nobody"), client.ModelMissing, "no model 'nobody'"),
        (
            lambda c: c.answers(catalog.find("translation"), ["x"], model="sentiment"),
            client.ServerFailed,
            "no model",
        ),
    ],
)
def test_what_is_missing_or_wrong_is_named(asked, ask, kind, said):
    with pytest.raises(kind, match=said):
        ask(asked)


@pytest.mark.parametrize("scheme", ["http://", ""])
def test_no_server(scheme):
    target = f"{scheme}127.0.0.1:{ports(1)[0]}"
    with (
        client.Client(target, attempts=3, pause=0.01) as found,
        pytest.raises(client.ServerUnavailable) as error,
    ):
        found.predict("sentiment", {"text": ["x"]})
    assert "after 3 attempts" in str(error.value)


def test_what_is_no_server_of_models(httpserver):
    with client.Client(httpserver) as found, pytest.raises(client.ServerFailed, match="no JSON"):
        found.predict("sentiment", {"text": ["x"]})


@pytest.fixture
def httpserver():
    import http.server
    import threading

    class Page(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_mistakes_of_the_caller():
    for options in ({"timeout": 0}, {"attempts": 0}, {"pause": -1}):
        with pytest.raises(ValueError, match="must be above 0"):
            client.Client("http://localhost:1", **options)
    with pytest.raises(ValueError, match="not both"):
        client.Which("a", 1, "b")


def test_rest_needs_no_tensorflow():
    program = """
import sys
from rnnsuite.client import Client
Client("http://localhost:1")
assert not {"tensorflow", "keras"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


class Failing:
    """A way to a server that always gives the same code, and counts how often it is asked."""

    def __init__(self, code):
        self.code, self.asked = code, 0

    def predict(self, *_):
        from rnnsuite.client.transport import Failed

        self.asked += 1
        raise Failed(self.code, "said so")

    states = signatures = predict

    def close(self):
        pass


def test_a_server_that_does_not_answer():
    """It takes the request and stays silent; no speed of a machine decides."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with (
            client.Client(url, timeout=0.1, pause=0.01) as asking,
            pytest.raises(client.TimedOut, match="sentiment: "),
        ):
            asking.predict("sentiment", {"text": ["x"]})


@pytest.mark.parametrize(
    ("code", "kind", "times"),
    [
        ("UNAVAILABLE", client.ServerUnavailable, 4),
        ("DEADLINE_EXCEEDED", client.TimedOut, 1),
        ("INTERNAL", client.ServerFailed, 1),
        ("RESOURCE_EXHAUSTED", client.ServerFailed, 1),
    ],
)
def test_only_what_is_unavailable_is_tried_again(code, kind, times):
    transport = Failing(code)
    with (
        client.Client(transport, attempts=4, pause=0.001) as found,
        pytest.raises(kind, match="said so"),
    ):
        found.predict("sentiment", {"text": ["x"]})
    assert transport.asked == times


def test_pauses_end_with_the_time_that_is_allowed():
    transport = Failing("UNAVAILABLE")
    found = client.Client(transport, attempts=100, pause=0.05, timeout=0.3)
    with pytest.raises(client.ServerUnavailable):
        found.predict("sentiment", {"text": ["x"]})
    assert 1 < transport.asked < 10
