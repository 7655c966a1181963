"""TF Serving's REST contract, asked of a real server with all released models."""

import base64
import concurrent.futures
import json
import socket
import time

import httpx
import numpy as np
import pytest
from google.protobuf import json_format
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from rnnsuite import catalog
from tests.conftest import NEWEST, RELEASED, open_released
from tests.files import daily, phone, picture, sound

TEXTS = ["What a film.", "", "Zwei Männer sitzen auf einer Bank. " * 30, "数 \u0000 😀"]


@pytest.fixture(scope="module")
def ask(released):
    with httpx.Client(base_url=released.url, timeout=60) as client:
        yield lambda path, **body: client.post(f"/v1/models/{path}", json=body)


@pytest.fixture(scope="module")
def get(released):
    with httpx.Client(base_url=released.url, timeout=60) as client:
        yield client.get


def requests_of(name):
    """Values of every field of some requests, which can share a batch."""
    if name == "forecasting":
        return [{"values": daily(days, 72), "times": list(range(72))} for days in (0, 9)]
    (field,) = catalog.find(name).serving.fields
    values = {
        "captioning": [picture(80, 60), picture(33, 47)],
        "speech_commands": [sound(440), sound(1000, 0.3)],
        "speech_recognition": [sound(440), sound(1000, 0.3)],
        "anomaly_detection": [[[value] for value in daily(days, 120)] for days in (0, 9)],
        "event_detection": [phone(60), phone(64)[4:]],
        "activity_recognition": [phone(64), phone(70)[6:]],
        "object_recognition": [picture(80, 60), picture(33, 47)],
        "video_captioning": [[[0.5, 0.0, 0.25, scale] * 128] * 3 for scale in (1.0, 0.5)],
    }.get(name, TEXTS)
    return [{field: value} for value in values]


def record_of(app, request):
    return {
        field: value if isinstance(value, str | bytes) else app.serving.fields[field].accept(value)
        for field, value in request.items()
    }


def encoded(value):
    return {"b64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


@pytest.mark.parametrize("name", RELEASED)
def test_rows_and_columns_answer_as_predict_does(ask, name):
    app = catalog.find(name)
    requests = requests_of(name)
    model = open_released(name)
    expected = model.answer([record_of(app, each) for each in requests])
    encoded_requests = [
        {field: encoded(value) for field, value in each.items()} for each in requests
    ]
    rows = ask(f"{name}:predict", instances=encoded_requests).json()["predictions"]
    inputs = {field: [each[field] for each in encoded_requests] for field in requests[0]}
    columns = ask(f"{name}/versions/{NEWEST[name]}:predict", inputs=inputs).json()
    if len(inputs) == 1:  # a bare value stands for an object with it
        (bare,) = inputs.values()
        assert ask(f"{name}:predict", instances=bare).json()["predictions"] == rows
        assert ask(f"{name}/labels/stable:predict", inputs=bare).json() == columns
    for key in expected.keys() - set(app.serving.drawn):
        column = expected[key]
        assert [row[key] for row in rows] == columns["outputs"][key]
        if column.dtype.kind in "bfi":
            np.testing.assert_allclose(columns["outputs"][key], column, atol=1e-5, rtol=1e-5)
        else:
            assert columns["outputs"][key] == decoded(column)


def decoded(values):
    """Texts of bytes, and lists of such."""
    return [
        value.decode() if isinstance(value, bytes) else decoded(value.tolist()) for value in values
    ]


def test_other_signatures_and_optional_inputs(ask):
    found = ask("sentiment:predict", signature_name="explain", instances=["What a film."]).json()[
        "predictions"
    ][0]
    assert abs(sum(found["weights"]) - 1) < 1e-5
    few, more = (
        ask(
            "translation:predict",
            signature_name="nbest",
            inputs={"text": ["Ein Hund rennt."], **options},
        ).json()
        for options in ({}, {"beam": 2})
    )
    assert few["outputs"].keys() == more["outputs"].keys()
    assert few != more
    assert "predictions" in ask("sentiment:predict", signature_name="", instances=["x"]).json()


def test_status_and_metadata_are_tf_servings_messages(get):
    newest = NEWEST["sentiment"]
    status = json_format.ParseDict(
        get("/v1/models/sentiment").json(), get_model_status_pb2.GetModelStatusResponse()
    )
    assert [(each.version, each.state) for each in status.model_version_status] == [(newest, 30)]
    assert (
        get(f"/v1/models/sentiment/versions/{newest}").json()
        == get("/V1/MODELS/sentiment/labels/canary").json()
    )
    found = get("/v1/models/captioning/metadata").json()
    assert found["model_spec"] == {"name": "captioning", "signature_name": "", "version": "1"}
    definitions = json_format.ParseDict(
        found["metadata"]["signature_def"], get_model_metadata_pb2.SignatureDefMap()
    ).signature_def
    assert definitions["serving_default"].inputs["image"].dtype == 7
    assert "__saved_model_init_op" not in definitions


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        (
            "sentimental:predict",
            {"instances": ["x"]},
            404,
            "Servable not found for request: Latest(sentimental)",
        ),
        ("sentiment/versions/7:predict", {"instances": ["x"]}, 404, "Specific(sentiment, 7)"),
        (
            "sentiment/labels/gold:predict",
            {"instances": ["x"]},
            400,
            "Unrecognized servable version label: gold",
        ),
        ("sentiment:classify", {"instances": ["x"]}, 400, "for predict"),
        ("sentiment:guess", {"instances": ["x"]}, 400, "Malformed request: POST"),
        ("sentiment:predict", {}, 400, "either 'instances'"),
        ("sentiment:predict", {"instances": ["x"], "inputs": ["x"]}, 400, "either 'instances'"),
        ("sentiment:predict", {"instances": []}, 400, "one value at least"),
        ("sentiment:predict", {"inputs": []}, 400, "no rows"),
        ("sentiment:predict", {"instances": "x"}, 400, "to be a list"),
        ("sentiment:predict", {"instances": [5]}, 400, "not of expected type: string"),
        ("sentiment:predict", {"instances": [["x"]]}, 400, "not of expected type: string"),
        ("sentiment:predict", {"instances": [{"text": "x"}, {"txt": "y"}]}, 400, "Element 1"),
        ("sentiment:predict", {"instances": [{"txt": "x"}]}, 400, "Inputs expected: {text}"),
        ("sentiment:predict", {"inputs": {}}, 400, "Missing named input: text"),
        ("sentiment:predict", {"instances": [{"b64": "?"}]}, 400, "base64"),
        (
            "sentiment:predict",
            {"signature_name": "x", "instances": ["x"]},
            400,
            "not found in signature def",
        ),
        ("sentiment:predict", {"signature_name": 3, "instances": ["x"]}, 400, "must be a string"),
        (
            "sentiment:predict",
            {"signature_name": "classify_ids", "inputs": {"ids": [[1], [1, 2]]}},
            400,
            "lengths",
        ),
        (
            "sentiment:predict",
            {"signature_name": "classify_ids", "inputs": {"ids": [1]}},
            400,
            "must have shape [?, ?]",
        ),
        (
            "sentiment:predict",
            {"signature_name": "classify_ids", "inputs": {"ids": [[1.5]]}},
            400,
            "expected type",
        ),
        (
            "sentiment:predict",
            {"signature_name": "classify_ids", "inputs": {"ids": [[2**40]]}},
            400,
            "precision",
        ),
        ("speech_commands:predict", {"instances": ["no sound"]}, 400, "not a WAV file"),
        ("captioning:predict", {"instances": ["no picture"]}, 400, ""),
        (
            "translation:predict",
            {"signature_name": "nbest", "inputs": {"text": ["x"], "beam": -1}},
            400,
            "",
        ),
    ],
)
def test_a_mistake_is_named_in_tf_servings_form(ask, path, body, status, said):
    response = ask(path, **body)
    assert response.status_code == status, response.text
    assert response.json().keys() == {"error"}
    assert said in response.json()["error"]
    assert len(response.text) < 700


def test_what_is_no_request(released, get):
    for path in (
        "/v1",
        "/v1",
        "/v1/models",
        "/v1/models/sentiment/versions/x",
        "/v1/models/sentiment:predict",
    ):
        assert get(path).status_code == 400
        assert "Malformed request: GET" in get(path).json()["error"]
    for content in (
        b"",
        b"{",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"instances": ["\\ud800"]}',
        b"9" * 5000,
    ):
        response = httpx.post(f"{released.url}/v1/models/sentiment:predict", content=content)
        assert response.status_code == 400
        assert response.json().keys() == {"error"}
    host, port = released.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as raw:
        raw.sendall(b"no HTTP at all\r\n\r\n")
        answer = raw.recv(4096)
    assert answer.startswith(b"HTTP/1.1 400")
    assert json.loads(answer.split(b"\r\n\r\n")[1]).keys() == {"error"}


def test_a_body_that_is_too_large(released):
    content = b'{"instances": ["' + b"x" * (33 * 2**20) + b'"]}'
    response = httpx.post(f"{released.url}/v1/models/sentiment:predict", content=content)
    assert response.status_code == 413
    assert "larger than" in response.json()["error"]


def test_requests_at_the_same_time_get_their_own_answers(ask, get):
    """They share batches, one of them with a file that is refused."""
    sounds = [encoded(sound(200 + 50 * number)) for number in range(12)]
    sounds[7] = "no sound"
    texts = [f"Film {number}, " + "very good. " * (number % 5) for number in range(40)]
    alike = [("speech_commands:predict", each) for each in sounds] + [
        ("sentiment:predict", each) for each in texts
    ]

    def answer(path, value):
        return ask(path, instances=[value]).json()

    alone = [answer(*each) for each in alike]
    runs = _runs(get)
    with concurrent.futures.ThreadPoolExecutor(len(alike)) as pool:
        found = list(pool.map(lambda each: answer(*each), alike))
    assert _runs(get) - runs < len(alike)
    for number, (one, other) in enumerate(zip(found, alone, strict=True)):
        assert one.keys() == other.keys() == ({"error"} if number == 7 else {"predictions"})
        if number != 7:
            assert one["predictions"][0]["label"] == other["predictions"][0]["label"]
            np.testing.assert_allclose(
                one["predictions"][0]["probabilities"],
                other["predictions"][0]["probabilities"],
                atol=1e-5,
            )


def _runs(get):
    page = get("/monitoring/prometheus/metrics").text
    return sum(
        float(line.split()[1])
        for line in page.splitlines()
        if line.startswith("rnnsuite_batch_rows_count")
    )


def test_metrics_for_prometheus(ask, get):
    ask("sentiment:predict", instances=["x"])
    ask("nobody:predict", instances=["x"])
    page = get("/monitoring/prometheus/metrics").text
    assert 'rnnsuite_requests_total{code="OK",model="sentiment"}' in page
    assert 'rnnsuite_model_loaded{model="captioning",version="1"} 1.0' in page
    assert "rnnsuite_requests_under_way 0.0" in page
    assert "nobody" not in page


def test_more_than_it_may_take_is_told_to_come_again(tmp_path):
    from tests.serving import Serving

    serving = Serving(
        tmp_path / "log", "sentiment", "--concurrency", "1", "--models", "saved_models"
    )
    try:
        host, port = serving.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as slow:
            slow.sendall(
                b"POST /v1/models/sentiment:predict HTTP/1.1\r\nHost: x\r\nContent-Length: "
                b"5\r\n\r\n{"
            )
            time.sleep(0.3)
            response = httpx.get(f"{serving.url}/v1/models/sentiment")
            assert response.status_code == 503
            assert response.headers["Retry-After"] == "1"
        time.sleep(0.3)
        assert httpx.get(f"{serving.url}/v1/models/sentiment").status_code == 200
        assert (
            httpx.get(f"{serving.url}/v1/models/captioning").status_code == 404
        )  # only sentiment was asked for
    finally:
        assert serving.stop() == 0
