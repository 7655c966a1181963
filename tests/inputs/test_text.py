import unicodedata

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnsuite.device.wordpiece import Tokenizer
from rnnsuite.device.wordpiece import normalize as reference_normalize
from rnnsuite.device.wordpiece import split_words as reference_split
from rnnsuite.inputs.text import TextToIds, learn_vocabulary, normalize, split_words

CORPUS = [
    "the film was unbelievably good, not bad",
    "believable acting; <br />bad pacing",
    "naïve plot 電影 good!",
] * 5


@pytest.fixture(scope="module")
def vocabulary():
    return learn_vocabulary(tf.data.Dataset.from_tensor_slices(CORPUS), 200)


@pytest.fixture(scope="module")
def both(vocabulary):
    return TextToIds(vocabulary, max_tokens=12), Tokenizer(vocabulary, max_tokens=12)


def ids(graph, *texts):
    return graph(tf.constant(list(texts))).to_list()


def test_vocabulary_is_deterministic_and_begins_with_padding_and_unknown(vocabulary):
    assert vocabulary[:2] == ("[PAD]", "[UNK]")
    assert learn_vocabulary(tf.data.Dataset.from_tensor_slices(CORPUS), 200) == vocabulary
    assert len(set(vocabulary)) == len(vocabulary)


def test_pieces_give_the_words_back(vocabulary):
    graph = TextToIds(vocabulary, max_tokens=64)
    pieces = graph.tokens(graph(tf.constant(["unbelievably good"])).to_tensor())[0].numpy()
    assert "".join(piece.decode().removeprefix("##") for piece in pieces) == "unbelievablygood"
    assert len(pieces) > 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It's GOOD<br /><br />Really", ["it", "'", "s", "good", "really"]),
        ("Cafe\u0301 ﬁne", ["café", "fine"]),
        ("Straße $5", ["strasse", "$", "5"]),
        ("\u6f22\u5b57ok", ["漢", "字", "ok"]),
        ("a\0b\u200bc\td", ["a", "bc", "d"]),
        ("", []),
        ("  \n ", []),
    ],
)
def test_normalisation(text, words):
    assert [
        word.decode() for word in split_words(normalize(tf.constant([text]))).to_list()[0]
    ] == words
    assert reference_split(reference_normalize(text)) == words


def test_case_is_kept_where_asked():
    assert normalize(tf.constant("Good"), lower=False).numpy() == b"Good"
    assert reference_normalize("Good", lower=False) == "Good"


@pytest.mark.parametrize(
    "text",
    [
        b"\xff\xfe good",
        b"good \xc3",
        b"\xed\xa0\x80 bad",
        b"\xf5bad\xe2\x82 ok",
        b"\xe2\x28\xa1",
        b"a\0\0b",
    ],
)
def test_invalid_utf8_is_answered_alike(both, text):
    graph, reference = both
    assert ids(graph, text)[0] == reference(text)


def test_long_texts_keep_both_ends(both):
    graph, reference = both
    text = "good " + "the " * 1000 + "bad"
    assert ids(graph, text)[0] == reference(text)
    assert len(reference(text)) == 12
    assert reference(text)[0] == reference("good")[0]
    assert reference(text)[-1] == reference("bad")[0]


def test_a_megabyte_without_a_space_is_one_unknown_word(both):
    graph, reference = both
    assert ids(graph, "a" * 1_000_000)[0] == reference("a" * 1_000_000) == [1]


# The graph's tables are of Unicode 15.0; Python 3.13's know these five symbols of 15.1 too.
NEWER = "\u2ffc\u2ffd\u2ffe\u2fff\u31ef"


def _assigned_everywhere(character: str) -> bool:
    return unicodedata.category(character) != "Cn" and character not in NEWER


def test_every_assigned_character_is_normalised_and_split_alike():
    numbers = (n for n in range(1, 0x110000) if not 0xD800 <= n <= 0xDFFF)
    texts = [f"a{chr(n)}b" for n in numbers if _assigned_everywhere(chr(n))]
    found = split_words(normalize(tf.constant(texts))).to_list()
    unequal = [
        text
        for text, words in zip(texts, found, strict=True)
        if [word.decode() for word in words] != reference_split(reference_normalize(text))
    ]
    assert unequal == []


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.text(st.characters(codec="utf-8").filter(_assigned_everywhere), max_size=60),
        min_size=1,
        max_size=4,
    )
)
def test_graph_and_reference_agree_on_any_text(both, texts):
    graph, reference = both
    assert ids(graph, *texts) == [reference(text) for text in texts]


@settings(max_examples=200, deadline=None)
@given(st.text("the film wasgod,!<br/> ü漢", max_size=80))
def test_graph_and_reference_agree_on_likely_text(both, text):
    graph, reference = both
    assert ids(graph, text)[0] == reference(text)


def test_no_words_at_all_is_an_error():
    with pytest.raises(ValueError, match="no words"):
        learn_vocabulary(tf.data.Dataset.from_tensor_slices(["", "  "]), 100)
