"""Malformed requests of every kind: each is answered with 4xx and TF Serving's error object;
nothing is left behind.

RNNSUITE_FUZZ sets how many; 10,000 take some minutes.
"""

import base64
import json
import os
import socket
import urllib.parse

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

COUNT = int(os.environ.get("RNNSUITE_FUZZ", "200"))
NAMES = ("captioning", "sentiment", "speech_commands", "translation")

DEFAULT = ("serving_default", "")


def _decodes(text):
    try:
        return base64.b64decode(text, validate=True) is not None
    except ValueError:
        return False


def _encoded(body):
    return {"b64": base64.b64encode(body).decode()}


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
)
# What can be no text, in a list that is no list of texts.
no_texts = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["text", "b64", "x", ""]), inner, max_size=2)
    ),
)
wrong_json = st.one_of(
    values.filter(lambda value: not isinstance(value, dict)),
    st.dictionaries(
        st.text(max_size=10).filter(lambda key: key not in ("instances", "inputs")),
        values,
        max_size=4,
    ),
    st.fixed_dictionaries({"instances": st.lists(no_texts, min_size=1, max_size=3)}),
    st.fixed_dictionaries({"inputs": no_texts}),
    st.fixed_dictionaries({"instances": values, "inputs": values}),
    st.fixed_dictionaries(
        {"signature_name": values.filter(lambda name: name not in DEFAULT), "inputs": st.just("x")}
    ),
    st.text("=/+?*A", max_size=9)
    .filter(lambda text: not _decodes(text))
    .map(lambda text: {"inputs": [{"b64": text}]}),
)
bodies = st.one_of(
    wrong_json.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass")),
    st.binary(max_size=200).filter(lambda body: not body.strip().startswith(b"{")),
    st.integers(1, 300).map(lambda depth: b'{"instances": ' + b"[" * depth * 100),
    st.binary(max_size=50).map(lambda body: b'{"instances": ["' + body),
)
no_files = st.lists(
    st.text(max_size=50) | st.binary(max_size=80).map(lambda body: _encoded(body)),
    min_size=1,
    max_size=3,
)
paths = st.one_of(
    st.sampled_from(
        [
            "/v1",
            "/v1",
            "/v1/models",
            "/v1/models/",
            "/metrics",
            "/v1/models/sentiment/versions/",
            "/v2/models/x",
        ]
    ),
    st.text(max_size=30)
    .map(lambda name: f"/v1/models/{name}:predict")
    .filter(lambda p: not any(n in p for n in NAMES)),
    st.tuples(st.sampled_from(NAMES), st.integers(2, 10**30)).map(
        lambda at: f"/v1/models/{at[0]}/versions/{at[1]}:predict"
    ),
    st.tuples(st.sampled_from(NAMES), st.text(max_size=9)).map(
        lambda at: f"/v1/models/{at[0]}/labels/{at[1]}x:predict"
    ),
    st.sampled_from(NAMES).map(lambda name: f"/v1/models/{name}:explain"),
)
methods = st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
requests = st.one_of(
    st.tuples(
        st.just("POST"),
        st.sampled_from(NAMES).map(lambda name: f"/v1/models/{name}:predict"),
        bodies,
    ),
    st.tuples(
        st.just("POST"),
        st.sampled_from(["captioning", "speech_commands"]).map(
            lambda name: f"/v1/models/{name}:predict"
        ),
        no_files.map(lambda files: json.dumps({"instances": files}).encode()),
    ),
    st.tuples(methods, paths, st.binary(max_size=100)),
    st.tuples(
        st.sampled_from(["PUT", "DELETE", "PATCH", "OPTIONS"]),
        st.just("/v1/models/sentiment:predict"),
        st.binary(max_size=9),
    ),
)


def memory(process):
    with open(f"/proc/{process.pid}/status") as stream:
        return next(int(line.split()[1]) for line in stream if line.startswith("VmRSS"))


@pytest.fixture(scope="module")
def asking(released):
    with httpx.Client(base_url=released.url, timeout=60) as client:
        yield client


def test_malformed_requests(released, asking):
    once = settings(
        max_examples=COUNT,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    sent = []

    @once
    @given(requests)
    def send(request):
        method, path, body = request
        response = asking.request(
            method, urllib.parse.quote(path, safe="/:", errors="replace"), content=body
        )
        assert 400 <= response.status_code < 500, (request, response.text)
        assert response.headers["content-type"] == "application/json"
        assert list(response.json()) == ["error"]
        assert isinstance(response.json()["error"], str)
        sent.append(request)

    few = settings(once, max_examples=min(COUNT, 200))
    few(given(requests)(send.hypothesis.inner_test))()  # memory that is taken once
    before = memory(released.process)
    send()
    after = memory(released.process)
    print(f"{len(sent)} malformed requests; {before} KiB before, {after} KiB after")
    assert len(sent) >= COUNT
    assert after < 1.1 * before
    assert released.process.poll() is None
    assert asking.post("/v1/models/sentiment:predict", json={"instances": ["x"]}).status_code == 200


@settings(max_examples=max(COUNT // 20, 20), deadline=None, derandomize=True, database=None)
@given(st.binary(min_size=1, max_size=300))
def test_bytes_that_are_no_http(released, content):
    host, port = released.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        raw.sendall(content.replace(b"\r\n\r\n", b"") + b"\r\n\r\n")
        raw.shutdown(socket.SHUT_WR)
        answer = raw.recv(65536)
    if answer:
        assert answer.split(b" ")[1].startswith(b"4")
        assert list(json.loads(answer.split(b"\r\n\r\n", 1)[1])) == ["error"]
