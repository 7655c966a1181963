"""TF Serving's JSON: requests to arrays, without a server."""

import json

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from rnnsuite.server import rest
from rnnsuite.server.servable import Servable
from rnnsuite.server.status import HTTP, RequestError
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def signatures():
    servable = Servable("sentiment", 1, ROOT / "saved_models" / "sentiment" / "1")
    yield servable.signatures
    servable.close()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"\xff", "not UTF-8 at byte 0"),
        (b"{", "JSON Parse error"),
        (b"[1]", "must be a JSON object"),
        (b"3", "must be a JSON object"),
        (b"[" * 100_000, "JSON Parse error"),
    ],
)
def test_a_body_that_is_no_request(body, said):
    with pytest.raises(RequestError, match=said) as caught:
        rest.read(body)
    assert caught.value.http == 400


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        ({}, "serving_default"),
        ({"signature_name": ""}, "serving_default"),
        ({"signature_name": "explain"}, "explain"),
    ],
)
def test_the_signature(request_, name):
    assert rest.signature_name(request_) == name


def test_a_signature_name_that_is_no_text():
    with pytest.raises(RequestError, match="must be a string"):
        rest.signature_name({"signature_name": 3})


@given(st.lists(st.text(max_size=20), min_size=1, max_size=5))
def test_rows_and_columns_are_the_same_arrays(signatures, texts):
    signature = signatures["serving_default"]
    asked = (
        {"instances": texts},
        {"instances": [{"text": text} for text in texts]},
        {"inputs": {"text": texts}},
        {"inputs": texts},
    )
    arrays = [rest.inputs(json.loads(json.dumps(each)), signature) for each in asked]
    for found, in_rows in arrays:
        assert found["text"].tolist() == [text.encode() for text in texts]
        assert isinstance(in_rows, bool)
    assert [in_rows for _, in_rows in arrays] == [True, True, False, False]


@pytest.mark.parametrize(
    ("values", "shape"), [([[1, 2], [3, 4]], (2, 2)), ([[1]], (1, 1)), ([[1, 2, 3]], (1, 3))]
)
def test_numbers_have_the_signatures_type(signatures, values, shape):
    signature = signatures["classify_ids"]
    found, _ = rest.inputs({"inputs": {"ids": values}}, signature)
    assert found["ids"].dtype == np.int32
    assert found["ids"].shape == shape


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([[1], [1, 2]], "lengths"),
        ([["x"]], "expected type"),
        ([[1.5]], "expected type"),
        ([[2**40]], ""),
        ([[None]], "expected type"),
        ([[True]], "expected type"),
    ],
)
def test_what_is_no_array_of_numbers(signatures, values, said):
    with pytest.raises(RequestError, match=said):
        rest.inputs({"inputs": {"ids": values}}, signatures["classify_ids"])


@pytest.mark.parametrize("code", HTTP)
def test_codes_are_tensorflows(code):
    error = RequestError(code, "x")
    assert 400 <= error.http < 600
    if code not in ("TOO_LARGE", "REQUEST_TIMEOUT"):  # which are HTTP's own
        assert hasattr(tf.errors, code)
