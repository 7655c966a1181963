"""The ASGI application by its own protocol, with a model that is a function."""

import asyncio
import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf

from rnnsuite.server import overview
from rnnsuite.server import service as module
from rnnsuite.server.library import Loaded
from rnnsuite.server.servable import Field, Signature
from rnnsuite.server.service import METRICS, Service, Settings

X = Field("x:0", tf.float32, (None,))


@dataclasses.dataclass
class Doubling:
    """Gives 2 x; fails on negative numbers with an error of its own, and waits on large ones."""

    name: str = "double"
    version: int = 1
    slow: float = 0.0
    signatures = {"serving_default": Signature({"x": X}, {"y": X}, {})}

    def run(self, signature, inputs):
        if (inputs["x"] < 0).any():
            raise ZeroDivisionError("of the model's own")
        if (inputs["x"] > 100).any():
            import time

            time.sleep(0.3)
        return {"y": 2 * inputs["x"]}

    def close(self):
        pass


@pytest.fixture
def service(tmp_path):
    made = Service(Settings(models=tmp_path, timeout=0.1, body=1000))
    model = Doubling()
    made.library.models["double"] = {1: Loaded(model, made._batchers(model))}
    return made


def ask(service, method, path, body=b"", parts=1):
    """Status, headers and body of one request, whose body comes in parts."""
    size = max(len(body) // parts, 1)
    pieces = [body[start : start + size] for start in range(0, len(body), size)] or [b""]
    messages = [
        {"type": "http.request", "body": piece, "more_body": number < len(pieces) - 1}
        for number, piece in enumerate(pieces)
    ]
    sent = []

    async def receive():
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path}
    asyncio.run(service(scope, receive, send))
    if not sent:
        return None, {}, b""
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


PREDICT = "/v1/models/double:predict"


@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize(
    "path",
    [
        PREDICT,
        "/v1/models/double/versions/1:predict",
        "/v1/models/double/labels/stable:predict",
        "/V1/Models/double:PREDICT",
    ],
)
def test_a_model_is_asked_at_each_of_its_addresses(service, path, parts):
    status, headers, body = ask(service, "POST", path, b'{"instances": [1, 2.5]}', parts)
    assert status == 200
    assert json.loads(body) == {"predictions": [2.0, 5.0]}
    assert int(headers[b"content-length"]) == len(body)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        ("POST", PREDICT, b"{", 400, "JSON Parse error"),
        ("POST", PREDICT, b'{"instances": [-1]}', 500, "the server's log says more"),
        ("POST", PREDICT, b'{"instances": [101]}', 504, "No answer within 0.1 s"),
        ("POST", PREDICT, b" " * 1001, 413, "larger than 1000 bytes"),
        ("POST", PREDICT, b'{"instances": [1], "signature_name": "b"}', 400, "not found in"),
        ("POST", "/v1/models/double:regress", b"{}", 400, "not for regress"),
        ("POST", "/v1/models/triple:predict", b"{}", 404, "Servable not found"),
        ("POST", "/v1/models/double/versions/2:predict", b"{}", 404, "Specific"),
        ("GET", PREDICT, b"", 400, "Malformed request"),
        ("DELETE", "/v1/models/double", b"", 400, "Malformed request"),
        ("GET", "/v1/models/triple", b"", 404, "any versions of model triple"),
        ("GET", "/v1/models/double/versions/x", b"", 400, "Malformed request"),
    ],
)
def test_a_refusal_says_why(service, method, path, body, status, said):
    found, _, answer = ask(service, method, path, body)
    assert (found, said in json.loads(answer)["error"]) == (status, True), answer


def test_too_many_at_a_time_are_told_to_come_again(service):
    service.under_way = service.settings.concurrency
    status, headers, _ = ask(service, "POST", PREDICT, b'{"instances": [1]}')
    assert status == 503
    assert headers[b"retry-after"] == b"1"
    assert service.under_way == service.settings.concurrency


def test_whoever_has_gone_gets_no_answer(service):
    service.settings = dataclasses.replace(service.settings, body=10**6)

    async def story():
        async def receive():
            return {"type": "http.disconnect"}

        async def send(message):
            raise AssertionError("nobody is there")

        await service({"type": "http", "method": "POST", "path": PREDICT}, receive, send)

    asyncio.run(story())
    assert service.under_way == 0


def test_state_and_metrics(service):
    status, _, body = ask(service, "GET", "/v1/models/double")
    assert status == 200
    assert json.loads(body)["model_version_status"][0]["state"] == "AVAILABLE"
    assert ask(service, "HEAD", "/v1/models/double")[2] == b""
    status, headers, page = ask(service, "GET", METRICS)
    assert status == 200
    assert headers[b"content-type"].startswith(b"text/plain")
    assert b'rnnsuite_model_loaded{model="double",version="1"} 1.0' in page


def test_the_first_address_tells_what_can_be_asked(service):
    status, _, body = ask(service, "GET", "/")
    assert status == 200
    found = json.loads(body)
    assert found["metrics"] == METRICS
    assert found["models"]["double"] == {
        "versions": [1],
        "predict": "/v1/models/double:predict",
        "metadata": "/v1/models/double/metadata",
        "signatures": {"serving_default": {"inputs": ["x"], "optional": [], "outputs": ["y"]}},
    }
    assert overview.example(service.library) == "/"
    Doubling.signatures["serving_default"].inputs["text"] = X
    del Doubling.signatures["serving_default"].inputs["x"]
    try:
        line = overview.example(service.library)
    finally:
        Doubling.signatures["serving_default"].inputs["x"] = X
        del Doubling.signatures["serving_default"].inputs["text"]
    assert line == '/v1/models/double:predict -d \'{"instances": ["What a film."]}\''


def test_large_requests_and_answers_go_through_a_thread(service, monkeypatch):
    monkeypatch.setattr(module, "LARGE", 8)
    body = json.dumps({"inputs": np.arange(50).tolist()}).encode()
    status, _, answer = ask(service, "POST", PREDICT, body)
    assert status == 200
    assert json.loads(answer) == {"outputs": (2.0 * np.arange(50)).tolist()}
