"""What a served sentiment model answers, to anything."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_text  # noqa: F401

from apps.sentiment.sample import reviews
from rnnsuite.device.wordpiece import Tokenizer

TEXTS = [text for split, text, _ in reviews() if split == "test"][:64]


@pytest.fixture(scope="module")
def served(sentiment):
    return tf.saved_model.load(str(sentiment.saved_model)).signatures


def ask(served, *texts, signature="serving_default"):
    return {
        name: value.numpy()
        for name, value in served[signature](text=tf.constant(list(texts))).items()
    }


@pytest.mark.parametrize("neighbours", [TEXTS, ["good " * 5000], ["", "x"], [b"\xff\xfe"]])
def test_alone_and_in_any_company_the_same(served, neighbours):
    alone = ask(served, TEXTS[0])
    together = ask(served, TEXTS[0], *neighbours)
    np.testing.assert_allclose(together["probabilities"][0], alone["probabilities"][0], atol=1e-5)
    assert together["label"][0] == alone["label"][0]


ODD = {
    "empty": "",
    "space": " ",
    "nul": "\0",
    "inner nul": "a\0b",
    "one word of 1 MB": "x" * 1_000_000,
    "1 MB": "good film " * 100_000,
    "bytes": b"\xff\xfe\x00",
    "half a character": b"\xc3(",
    "controls and symbols": "\u202e\U0001f600 漢字",
    "line break": "<br />",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_every_text_is_answered(served, text):
    answer = ask(served, text)
    assert answer["label"][0] in (b"negative", b"positive")
    np.testing.assert_allclose(answer["probabilities"].sum(), 1, atol=1e-5)
    explained = ask(served, text, signature="explain")
    assert np.isfinite(explained["weights"]).all()


def test_an_empty_batch(served):
    answer = {
        name: value.numpy()
        for name, value in served["serving_default"](text=tf.constant([], tf.string)).items()
    }
    assert answer["probabilities"].shape == (0, 2)


def test_explain_gives_a_weight_for_every_token_and_none_to_padding(served):
    text = next(text for text in TEXTS if 3 < len(text.split()) < 20)
    answer = ask(served, text, "good", signature="explain")
    assert answer["tokens"].shape == answer["weights"].shape
    padding = answer["tokens"] == b""
    assert padding[1].any()
    np.testing.assert_array_equal(answer["weights"][padding], 0)
    np.testing.assert_allclose(answer["weights"].sum(axis=1), 1, atol=1e-5)
    joined = b"".join(token.removeprefix(b"##") for token in answer["tokens"][0] if token)
    assert joined.decode() == text.replace(" ", "")


def test_ids_of_the_reference_tokenizer_get_the_text_s_answer(sentiment, served):
    tokenizer = Tokenizer.load(sentiment.lite)
    for text in TEXTS[:5]:
        answer = served["classify_ids"](ids=tf.constant([tokenizer(text)], tf.int32))
        np.testing.assert_allclose(
            answer["probabilities"], ask(served, text)["probabilities"], atol=1e-5
        )


def test_lite_answers_an_empty_text(sentiment):
    model = sentiment.open("float32.tflite")
    answer = model.answer([{"text": ""}, {"text": "a\0\ud7ff"}])
    np.testing.assert_allclose(answer["probabilities"].sum(axis=1), 1, atol=1e-5)


def test_the_lstm_is_one_fused_operation(sentiment):
    from ai_edge_litert.interpreter import Interpreter

    for kind in ("float32", "dynamic"):
        interpreter = Interpreter(str(sentiment.lite / f"{kind}.tflite"))
        operations = [each["op_name"] for each in interpreter._get_ops_details()]
        assert operations.count("UNIDIRECTIONAL_SEQUENCE_LSTM") == 2
        assert not {name for name in operations if name == "WHILE" or name.startswith("Flex")}
