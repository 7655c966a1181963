"""The REST transport against a server that is a function."""

import base64
import dataclasses
import json

import numpy as np
import pytest

from rnnsuite.client.client import Client
from rnnsuite.client.errors import (
    ModelMissing,
    RequestRefused,
    ServerFailed,
    ServerUnavailable,
    SignatureMissing,
    TimedOut,
    VersionMissing,
)
from rnnsuite.client.rest import Rest
from rnnsuite.client.transport import Failed, Which

SIGNATURE = {
    "inputs": {"text": {"dtype": "DT_STRING"}},
    "outputs": {"label": {"dtype": "DT_STRING"}, "scores": {"dtype": "DT_FLOAT"}},
}
METADATA = {"metadata": {"signature_def": {"signature_def": {"serving_default": SIGNATURE}}}}
STATUS = {"model_version_status": [{"version": "3", "state": "AVAILABLE"}]}


@dataclasses.dataclass
class Request:
    """What a function that is a server is given."""

    method: str
    path: str
    content: bytes | None
    headers: dict


def transport(answer):
    """A transport whose every request `answer(request)` answers with status and value."""
    made = Rest("http://models", {"authorization": "Bearer 7"})

    def ask(method, path, timeout, content=None):
        result = answer(Request(method, path, content, made.connection.headers))
        if isinstance(result, Exception):
            raise result
        status, value = result
        return status, value if isinstance(value, bytes) else json.dumps(value).encode()

    made.connection.ask = ask
    return made


def test_a_request_and_its_answer():
    seen = []

    def answer(request):
        seen.append((request.method, request.path, request.headers["authorization"]))
        if request.method == "GET":
            return 200, METADATA
        asked = json.loads(request.content)
        assert asked["signature_name"] == "serving_default"
        text = base64.b64decode(asked["inputs"]["text"][0]["b64"]).decode()
        return 200, {"outputs": {"label": [text.upper()], "scores": [[0.25, 0.75]]}}

    rest = transport(answer)
    which = Which("a", 3)
    for _ in range(2):
        inputs = {"text": np.array(["å".encode()], object)}
        found = rest.predict(which, "serving_default", inputs, 1.0)
        assert found["label"].tolist() == ["Å".encode()]
        assert found["scores"].dtype == np.float32
        assert found["scores"].tolist() == [[0.25, 0.75]]
    path = "/v1/models/a/versions/3"
    # Types are asked for once.
    assert [(method, where) for method, where, _ in seen] == [
        ("POST", f"{path}:predict"),
        ("GET", f"{path}/metadata"),
        ("POST", f"{path}:predict"),
    ]
    assert {header for _, _, header in seen} == {"Bearer 7"}


def test_states_signatures_and_labels():
    rest = transport(lambda request: (200, METADATA if "meta" in request.path else STATUS))
    assert rest.states(Which("a"), 1.0) == {3: "AVAILABLE"}
    expected = {"serving_default": (["text"], ["label", "scores"])}
    assert rest.signatures(Which("a", label="stable"), 1.0) == expected
    assert str(Which("a", label="stable")) == "a, label stable"
    assert str(Which("a", 3)) == "a, version 3"
    with pytest.raises(ValueError, match="not both"):
        Which("a", 3, "stable")


@pytest.mark.parametrize(
    ("result", "code", "said"),
    [
        ((400, {"error": "bad shape"}), "INVALID_ARGUMENT", "bad shape"),
        ((404, {"error": "no"}), "NOT_FOUND", "no"),
        ((413, {"error": "large"}), "INVALID_ARGUMENT", "large"),
        ((500, {"error": "x"}), "INTERNAL", "x"),
        ((503, {"error": "busy"}), "UNAVAILABLE", "busy"),
        ((502, b"<html>gateway</html>"), "UNAVAILABLE", "no JSON"),
        ((200, b"<html>hello</html>"), "INTERNAL", "no JSON"),
        ((200, [1]), "INTERNAL", "no answer of a model"),
        ((418, ["odd"]), "INTERNAL", "odd"),
    ],
)
def test_what_is_no_answer_has_a_code(result, code, said):
    rest = transport(lambda request: result)
    with pytest.raises(Failed, match=said) as caught:
        rest.predict(Which("a"), "serving_default", {"text": np.array([b"x"], object)}, 1.0)
    assert caught.value.code == code


def refused(status=None, metadata=None):
    """A server that refuses every prediction and answers other questions as told."""

    def answer(request):
        if request.method == "POST":
            return 400, {"error": "refused"}
        if "metadata" in request.path:
            return metadata or (404, {"error": "no such version"})
        return status or (404, {"error": "no such model"})

    return answer


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (refused(), ModelMissing, "no model 'a'"),
        (refused((200, STATUS)), VersionMissing, "it has 3"),
        (refused((200, STATUS), (200, METADATA)), RequestRefused, "refused"),
        (lambda request: (500, {"error": "x"}), ServerFailed, "INTERNAL"),
        (lambda request: (503, {"error": "x"}), ServerUnavailable, "after 2 attempts"),
        (lambda request: Failed("DEADLINE_EXCEEDED", "no answer in time"), TimedOut, "in time"),
    ],
)
def test_a_failure_has_a_name(answer, kind, said):
    with (
        Client(transport(answer), attempts=2, pause=0.001) as client,
        pytest.raises(kind, match=said),
    ):
        client.predict("a", {"text": ["x"]})


def test_an_unknown_signature_is_named_with_the_nearest():
    client = Client(transport(refused((200, STATUS), (200, METADATA))))
    with pytest.raises(SignatureMissing, match="serving_default"):
        client.predict("a", {"text": ["x"]}, "serving_defualt")


def test_a_server_that_comes_back_is_asked_again():
    answers = [(503, {"error": "x"}), Failed("UNAVAILABLE", "down"), (200, STATUS)]
    client = Client(transport(lambda request: answers.pop(0)), attempts=3, pause=0.001)
    assert client.versions("a") == {3: "AVAILABLE"}
    assert answers == []


@pytest.mark.parametrize("wrong", [{"timeout": 0}, {"attempts": 0}, {"pause": -1}])
def test_settings_that_make_no_sense(wrong):
    with pytest.raises(ValueError, match="timeout must be"):
        Client("http://models", **wrong)
