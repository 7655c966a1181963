"""A text piece by piece: the same as whole, and what stops it."""

import json

import pytest
from click.testing import CliRunner

from rnnsuite.cli.main import main
from rnnsuite.core.errors import UserError
from rnnsuite.pipeline.inference import live
from rnnsuite.pipeline.inference.live import Live

RECORD = {"text": b"the fox near"}


def whole(finished, *overrides):
    return "".join(Live(finished.app, finished.run, overrides).pieces(RECORD))


@pytest.mark.parametrize("form", ["run", "saved_model"])
def test_it_is_what_comes_whole(language_model, form):
    pieces = list(Live(language_model.app, getattr(language_model, form)).pieces(RECORD))
    answer = language_model.open(form).answer([RECORD])["text"][0].decode()
    assert "".join(pieces).strip() == answer
    assert len(pieces) == len(answer.split())


def test_settings_of_decode_are_obeyed(language_model):
    text = whole(language_model)
    assert whole(language_model, "decode.seed=5") != text
    assert len(whole(language_model, "decode.max_length=3").split()) == 3
    assert whole(language_model, "decode.max_length=0") == ""


def test_it_ends_before_a_stop(language_model):
    text = whole(language_model)
    word = text.split()[3]
    assert whole(language_model, f"decode.stop=[{word!r}]") == text[: text.index(word)]


def test_nothing_of_a_stop_is_shown_too_early(language_model):
    """A stop of two words: the first of them waits until the second is known."""
    words = whole(language_model).split()
    stop = f"{words[2]} {words[3]}"
    settings = [f"decode.stop=[{stop!r}]"]
    pieces = list(Live(language_model.app, language_model.run, settings).pieces(RECORD))
    assert "".join(pieces).split() == words[:2]
    other = [f"decode.stop=['{words[2]} never']"]
    pieces = list(Live(language_model.app, language_model.run, other).pieces(RECORD))
    assert "".join(pieces).split() == words


@pytest.mark.parametrize(
    ("text", "stops", "held"),
    [("a b", ["b c"], 1), ("a b", ["xb", "ab"], 0), ("aab", ["abc", "bd"], 2), ("", ["a"], 0)],
)
def test_what_may_be_the_beginning_of_a_stop(text, stops, held):
    assert live._begun(text, stops) == held


def test_who_does_not_write_piece_by_piece(sentiment, language_model):
    with pytest.raises(UserError, match="sentiment does not write piece by piece"):
        Live(sentiment.app, sentiment.run)
    with pytest.raises(UserError, match="give the run or the SavedModel"):
        Live(language_model.app, language_model.lite / "float32.tflite")


class TestShell:
    def run(self, finished, *words, status=0):
        command = ["predict", "language_model", "--model", str(finished.saved_model), *words]
        done = CliRunner().invoke(main, command)
        assert done.exit_code == status, done.stderr
        return done

    def test_text_and_what_comes_after_it(self, language_model):
        out = self.run(language_model, "--live", "the fox near", "the").stdout
        first, second = out.splitlines()
        assert first == "the fox near" + whole(language_model)
        assert second.startswith("the ")

    def test_json_is_one_object(self, language_model):
        out = self.run(language_model, "--live", "--json", "the fox near").stdout
        (answer,) = json.loads(out)["answers"]
        assert answer == {"input": "the fox near", "text": whole(language_model)}

    def test_options_go_by_set(self, language_model):
        words = ["--live", "--option", "seed=1", "x"]
        assert "--set decode.KEY" in self.run(language_model, *words, status=2).stderr

    def test_an_option_may_be_a_text(self, language_model):
        words = ["--signature", "generate", "--json", "--option", "max_length=12"]
        plain = json.loads(self.run(language_model, *words, "the fox near").stdout)
        text = plain["answers"][0]["text"]
        stop = text.split()[2]
        words += ["--option", f"stop={stop}"]
        cut = json.loads(self.run(language_model, *words, "the fox near").stdout)
        assert cut["answers"][0]["text"] == text.split(stop)[0]

    def test_a_number_that_is_none(self, language_model):
        words = ["--signature", "generate", "--option", "seed=red", "x"]
        assert "seed must be a number" in self.run(language_model, *words, status=2).stderr
        words = ["--option", "seed", "x"]
        assert "write NAME=VALUE" in self.run(language_model, *words, status=2).stderr

    def test_people_are_shown_words_with_their_probabilities(self, language_model):
        out = self.run(language_model, "--signature", "next", "the fox near").stdout
        head, *lines = out.splitlines()
        assert head == "the fox near"
        shares = [float(line.split()[0]) for line in lines]
        assert len(shares) == 10
        assert shares == sorted(shares, reverse=True)

    def test_and_the_log_p_of_every_token(self, language_model):
        out = self.run(language_model, "--signature", "score", "the fox near").stdout
        _, *lines = out.splitlines()
        assert [line.split()[1] for line in lines[:4]] == ["the", "fox", "near", "<eos>"]
        total = sum(float(line.split()[0]) for line in lines[:4])
        assert float(lines[4].split()[0]) == pytest.approx(total, abs=0.01)
