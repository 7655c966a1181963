"""What a served language model answers, to anything: text that goes on, next words, log P."""

import numpy as np
import pytest

from apps.language_model import APP
from rnnsuite.app import Trained
from rnnsuite.core.errors import UserError
from rnnsuite.inputs.subword import END, PADDING, START, UNKNOWN
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.inference.models import fitted_of, open_model
from rnnsuite.pipeline.inference.predictor import graph_predictor

TEXTS = [b"the fox near the river", b"the", b"", b"the oak above"]
ODD = {
    "empty": b"",
    "space": b"  \n ",
    "unknown words only": b"xyzzy plugh",
    "1 MB": b"the fox " * 130_000,
    "one word of 1 MB": b"x" * 1_000_000,
    "invalid UTF-8": b"the \xff\xfe fox",
    "nul": b"the \0 fox",
    "line ends": b"the fox\n\nthe oak",
}


@pytest.fixture(scope="module")
def model(language_model):
    return language_model.open("saved_model")


def records(texts):
    return [{"text": text} for text in texts]


def ask(model, texts, signature="serving_default", **options):
    return model.answer(records(texts), signature, options or None)


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
@pytest.mark.parametrize("signature", ["serving_default", "greedy", "nbest", "next", "score"])
def test_anything_is_answered_and_changes_nobody_else_s_answer(model, text, signature):
    together = ask(model, [TEXTS[0], text], signature)
    alone = ask(model, [TEXTS[0]], signature)
    for name, column in alone.items():
        found = np.asarray(together[name][0])
        if name in ("tokens", "log_probabilities") and found.ndim:
            found = found[: len(column[0])]
        if found.dtype.kind == "f":
            np.testing.assert_allclose(found, column[0], atol=1e-4)
        else:
            np.testing.assert_array_equal(found, column[0])


class TestGenerate:
    def test_the_seed_and_the_text_decide(self, model):
        first = ask(model, TEXTS, "generate", seed=3)["text"]
        assert list(first) == list(ask(model, TEXTS, "generate", seed=3)["text"])
        assert list(first) != list(ask(model, TEXTS, "generate", seed=4)["text"])
        # In another order each text gets what it got.
        turned = ask(model, TEXTS[::-1], "generate", seed=3)["text"]
        assert list(turned)[::-1] == list(first)

    def test_what_may_not_come_never_comes(self, model, language_model):
        vocabulary = fitted_of(language_model.app, language_model.run).vocabulary()
        texts = ask(model, TEXTS * 8, "generate", temperature=50.0, top_p=1.0, max_length=40)
        for text in texts["text"]:
            for name in (PADDING, UNKNOWN, START):
                assert vocabulary.pieces[name].encode() not in text

    def test_no_more_tokens_than_wanted(self, model):
        for length in (0, 1, 7):
            for text in ask(model, TEXTS, "generate", max_length=length)["text"]:
                assert len(text.split()) <= length

    def test_a_stop_ends_the_text_and_is_left_out(self, model):
        plain = ask(model, TEXTS, "generate", max_length=30, seed=1)["text"]
        word = plain[0].split()[2].decode()
        cut = ask(model, TEXTS, "generate", max_length=30, seed=1, stop=word)["text"]
        for before, after in zip(plain, cut, strict=True):
            assert after == before.split(word.encode())[0]
        several = ask(model, TEXTS, "generate", max_length=30, seed=1, stop=f"qqq\n{word}")["text"]
        assert list(several) == list(cut)

    def test_a_stop_that_never_comes(self, model):
        plain = ask(model, TEXTS, "generate", seed=1)["text"]
        assert list(ask(model, TEXTS, "generate", seed=1, stop="@@@")["text"]) == list(plain)

    def test_one_token_to_draw_from_is_greedy(self, model):
        greedy = ask(model, TEXTS, "greedy")["text"]
        assert list(ask(model, TEXTS, "generate", top_k=1)["text"]) == list(greedy)
        assert list(ask(model, TEXTS, "generate", top_p=1e-6)["text"]) == list(greedy)
        assert list(ask(model, TEXTS, "generate", temperature=0.0)["text"]) == list(greedy)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"temperature": float("nan")}, "temperature must be a number from 0"),
            ({"temperature": -1.0}, "temperature must be a number from 0"),
            ({"top_p": 0.0}, "top_p must be over 0, to 1"),
            ({"top_p": 1.5}, "top_p must be over 0, to 1"),
            ({"top_k": -1}, "top_k must be from 0"),
            ({"max_length": -1}, "max_length must be from 0 to 10000"),
            ({"max_length": 10**8}, "max_length must be from 0 to 10000"),
        ],
    )
    def test_impossible_settings(self, model, options, message):
        with pytest.raises(UserError, match=message):
            ask(model, TEXTS[:1], "generate", **options)


class TestNext:
    def test_the_most_probable_first(self, model):
        answer = ask(model, TEXTS, "next", count=7)
        for tokens, shares in zip(answer["tokens"], answer["probabilities"], strict=True):
            assert len(set(tokens)) == len(shares) == 7
            assert np.all(np.diff(shares) <= 0)

    def test_all_of_them_sum_to_one(self, model, language_model):
        size = len(fitted_of(language_model.app, language_model.run).tokens)
        answer = ask(model, TEXTS, "next", count=size)
        np.testing.assert_allclose([sum(row) for row in answer["probabilities"]], 1, atol=1e-5)

    @pytest.mark.parametrize("count", [0, -2, 10_000])
    def test_impossible_numbers(self, model, count):
        with pytest.raises(UserError, match=r"count must be from 1 to .* the vocabulary"):
            ask(model, TEXTS, "next", count=count)


class TestScore:
    def test_it_is_the_product_of_what_next_says(self, model):
        """The text is built up word by word."""
        words = TEXTS[0].split()
        answer = ask(model, [TEXTS[0]], "score")
        assert list(answer["tokens"][0]) == [*words, b"<eos>"]
        prefixes = [b" ".join(words[:number]) for number in range(len(words) + 1)]
        after = ask(model, prefixes, "next", count=80)
        for place, word in enumerate([*words, b"<eos>"]):
            number = list(after["tokens"][place]).index(word)
            log = np.log(after["probabilities"][place][number])
            assert answer["log_probabilities"][0][place] == pytest.approx(log, abs=1e-4)
        total = np.sum(answer["log_probabilities"][0])
        assert answer["log_probability"][0] == pytest.approx(total, abs=1e-4)

    def test_the_answer_has_the_text_s_without_its_end(self, model):
        scored = ask(model, TEXTS, "score")
        answer = ask(model, TEXTS)
        for row, text in enumerate(TEXTS):
            count = len(text.split())
            assert answer["tokens"][row] == count
            wanted = np.sum(scored["log_probabilities"][row][:count])
            assert answer["log_probability"][row] == pytest.approx(wanted, abs=1e-4)


def proceed(model, text, count, **options):
    """A text piece by piece, as a stream gets it."""
    states = {name: column[0] for name, column in ask(model, [text], "begin").items()}
    pieces = []
    for _ in range(count):
        outputs = model.answer([states], "proceed", options or None)
        if outputs["is_last"][0]:
            break
        pieces.append(outputs["text"][0])
        states = {name: outputs[name][0] for name in states}
    return b"".join(pieces)


@pytest.mark.parametrize("text", TEXTS)
def test_piece_by_piece_it_is_the_same_text(model, text):
    whole = ask(model, [text])["text"][0]
    assert proceed(model, text, 12).strip() == whole
    greedy = ask(model, [text], "greedy")["text"][0]
    assert proceed(model, text, 12, temperature=0.0).strip() == greedy


class TestStates:
    """The same text fed whole, in pieces of 7 tokens, and token by token, in every form."""

    IDS = np.random.default_rng(0).integers(END, 80, 50).astype("int32")

    def read(self, model, ids, size):
        inputs = np.concatenate([[END], ids[:-1]]).astype("int32")
        names = [f"state_0_{number}" for number in range(2)]
        states = {name: np.zeros([12], np.float32) for name in names}
        logs = []
        for start in range(0, len(ids), size):
            piece = {"ids": inputs[start : start + size], "targets": ids[start : start + size]}
            outputs = model.answer([{**piece, **states}], "read")
            logs.append(outputs["log_probabilities"][0])
            states = {name: outputs[name][0] for name in names}
        return np.concatenate(logs)

    def step(self, model, ids):
        inputs = np.concatenate([[END], ids[:-1]]).astype("int32")
        names = [f"state_0_{number}" for number in range(2)]
        states = {name: np.zeros([12], np.float32) for name in names}
        logs = []
        for token, target in zip(inputs, ids, strict=True):
            outputs = model.answer([{"token": token, **states}], "step")
            logs.append(outputs["log_probabilities"][0][target])
            states = {name: outputs[name][0] for name in names}
        return np.array(logs)

    def test_all_are_equal(self, language_model):
        wanted = self.read(language_model.open("run"), self.IDS, len(self.IDS))
        for form in ("run", "saved_model"):
            model = language_model.open(form)
            np.testing.assert_allclose(self.read(model, self.IDS, 7), wanted, atol=1e-5)
            np.testing.assert_allclose(self.step(model, self.IDS), wanted, atol=1e-5)
        lite = language_model.open("float32.tflite")
        np.testing.assert_allclose(self.step(lite, self.IDS), wanted, atol=1e-5)


class TestTemperature:
    """Of the probabilities themselves, whatever is asked for."""

    IDS = np.array([5, 9, 4, END, 7], "int32")

    @pytest.fixture(scope="class")
    def warm(self, language_model):
        return open_model(language_model.app, language_model.run, ["score.temperature=2"])

    def test_scores_are_divided_by_it(self, language_model, warm):
        states = {f"state_0_{number}": np.full([12], 0.3, np.float32) for number in range(2)}
        record = [{"token": np.int32(5), **states}]
        plain = language_model.open("run").answer(record, "step")["log_probabilities"][0]
        halved = np.asarray(plain, np.float64) / 2
        wanted = halved - np.log(np.exp(halved).sum())
        found = warm.answer(record, "step")["log_probabilities"][0]
        np.testing.assert_allclose(found, wanted, atol=1e-5)

    @pytest.mark.parametrize("value", ["0", "nan", "-1", "inf"])
    def test_what_is_none_is_refused(self, value):
        with pytest.raises(UserError, match=r"score\.temperature"):
            configuration.load(APP, "tiny", [f"score.temperature={value}"])

    def test_steps_pieces_and_scores_agree(self, warm):
        pieces = TestStates()
        by_step = pieces.step(warm, self.IDS)
        np.testing.assert_allclose(pieces.read(warm, self.IDS, 2), by_step, atol=1e-5)
        scored = ask(warm, [TEXTS[0]], "score")
        first = ask(warm, [b""], "next", count=80)
        place = list(first["tokens"][0]).index(scored["tokens"][0][0])
        log = np.log(first["probabilities"][0][place])
        assert scored["log_probabilities"][0][0] == pytest.approx(log, abs=1e-4)


def test_a_backward_model_is_scored_from_its_end():
    """Its tokens are told in the order of the text, and its continuation stands before it."""
    config = configuration.load(APP, "tiny", ["data.direction=backward", "model.cell=gru"])
    fitted = APP.data.fit(config.data, APP.data.load(config.data, "train"))
    network = APP.model.build(config.model, fitted)
    trained = Trained(config=config, fitted=fitted, model=network)
    model = graph_predictor("run", APP.serving.signatures(trained))
    forms = ask(model, [b"the fox", b"the"], "score")
    assert list(forms["tokens"][0]) == [b"the", b"fox", b"<eos>"]
    before = ask(model, [b"fox"], "score")
    # P(fox) is first in reading: it does not depend on what stands before it in the text.
    assert forms["log_probabilities"][0][1] == pytest.approx(
        before["log_probabilities"][0][0], abs=1e-4
    )
    assert len(ask(model, [b"the fox"], "greedy")["text"]) == 1


def test_the_graph_needs_no_state_of_another_call(model):
    """What was asked before changes nothing."""
    first = ask(model, TEXTS)["text"]
    ask(model, [b"the oak behind the barn"] * 9)
    assert list(ask(model, TEXTS)["text"]) == list(first)
