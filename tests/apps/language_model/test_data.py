"""From text to tokens, each with the one that comes next."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.language_model.config import DataConfig
from apps.language_model.data import DATA, Fitted, examples, fit, load
from rnnsuite.core.errors import NoSplit, UserError
from rnnsuite.data import sources
from rnnsuite.data.sources import from_records
from rnnsuite.inputs.subword import END, UNKNOWN

LINES = [f"line {number} of the text" for number in range(20)]


def texts(config, split):
    return [record["text"].decode() for record in load(config, split).as_numpy_iterator()]


def config(source, **changes):
    return DataConfig(**{"source": str(source), "unit": "words", **changes})


def fitted(*lines, **changes):
    records = from_records([{"text": line.encode()} for line in lines])
    return fit(config("x", **changes), records), records


class TestSources:
    def test_files_by_the_names_that_splits_give(self, tmp_path):
        for name in ("ptb.train.txt", "ptb.valid.txt", "ptb.test.txt"):
            (tmp_path / name).write_text(f"{name}\n")
        names = {"train": "ptb.train.txt", "validation": "ptb.valid.txt", "test": "ptb.test.txt"}
        for split, name in names.items():
            assert texts(config(tmp_path, splits=names), split) == [name]

    def test_of_one_file_the_last_lines_are_held_out(self, tmp_path):
        (tmp_path / "a.txt").write_text("\n".join(LINES))
        source = config(tmp_path / "a.txt", validation=0.2)
        assert texts(source, "train") == LINES[:16]
        assert texts(source, "validation") == LINES[16:]
        with pytest.raises(NoSplit, match="no test split; it has all"):
            load(source, "test")

    def test_of_one_document_its_last_lines_are(self, tmp_path):
        (tmp_path / "a.txt").write_text("\n".join(LINES))
        source = config(tmp_path / "a.txt", validation=0.1, documents="file")
        (train,) = texts(source, "train")
        (validation,) = texts(source, "validation")
        assert train + validation == "\n".join(LINES)
        assert validation == "\n".join(LINES[18:])

    def test_a_share_of_one_document_is_one_of_its_text_not_of_its_lines(self, tmp_path):
        lines = ["a" * 89 + "\n"] * 10 + ["b\n"] * 50
        (tmp_path / "a.txt").write_text("".join(lines))
        source = config(tmp_path / "a.txt", validation=0.05, documents="file")
        assert texts(source, "validation") == ["".join(lines[-25:])]
        assert texts(source, "train") == ["".join(lines[:-25])]

    def test_a_corpus_without_line_ends_is_divided_at_a_space(self, tmp_path):
        (tmp_path / "a.txt").write_text(" ".join(LINES))
        source = config(tmp_path / "a.txt", validation=0.5)
        (train,) = texts(source, "train")
        (validation,) = texts(source, "validation")
        assert f"{train} {validation}" == " ".join(LINES)

    def test_the_files_of_a_folder_are_documents(self, tmp_path):
        for number in range(4):
            (tmp_path / f"{number}.txt").write_text(f"a{number}\nb")
        assert texts(config(tmp_path, validation=0.25), "train") == ["a0\nb", "a1\nb", "a2\nb"]
        lines = texts(config(tmp_path, documents="line", validation=0.25), "validation")
        assert lines == ["a3", "b"]

    def test_folders_of_splits(self, tmp_path):
        for split in ("train", "test"):
            (tmp_path / split).mkdir()
            (tmp_path / split / "a.txt").write_text(f"{split}\n")
            (tmp_path / split / "b.txt").write_text(f"{split} b\n")
        assert texts(config(tmp_path), "test") == ["test\n", "test b\n"]
        assert texts(config(tmp_path, validation=0.5), "validation") == ["train b\n"]

    def test_the_sample(self, monkeypatch):
        monkeypatch.delenv(sources.FIRST)
        assert len(texts(config("sample"), "validation")) == 1000


@pytest.mark.parametrize("content", ["", "\n\n\n", "   \n \n"])
def test_a_corpus_without_text(tmp_path, content):
    (tmp_path / "a.txt").write_text(content)
    with pytest.raises(UserError, match="holds no text"):
        load(config(tmp_path / "a.txt"), "train")


def test_a_corpus_of_one_word_cannot_be_divided(tmp_path):
    (tmp_path / "a.txt").write_text("word")
    for split in ("train", "validation"):
        with pytest.raises(UserError, match=rf"leaves the {split} split of 1 pieces .*empty"):
            load(config(tmp_path / "a.txt"), split)


class TestFit:
    def test_words_by_frequency_with_a_cut_off(self):
        result, _ = fitted("b a b", "c b a", vocabulary_size=8)
        assert result.tokens[4:] == ("b", "a", "c")
        assert fitted("b a b", "c b a", least_count=2)[0].tokens[4:] == ("b", "a")

    def test_a_vocabulary_larger_than_the_corpus(self):
        for unit in ("words", "characters", "subwords"):
            result, _ = fitted("a bc", "bc a", unit=unit, vocabulary_size=5000)
            assert 4 < len(result.vocabulary().pieces) < 20

    def test_subwords_turn_back_into_the_text(self):
        result, _ = fitted(*["the cat sat on the mat"] * 9, unit="subwords", vocabulary_size=40)
        vocabulary = result.vocabulary()
        ids = vocabulary(["the cat sat"]).to_tensor()
        assert vocabulary.text(ids).numpy()[0] == b"the cat sat"

    def test_nothing_to_learn(self):
        with pytest.raises(UserError, match="no words to learn"):
            fitted("", " ")


class TestExamples:
    def test_targets_are_the_next_tokens_and_the_end(self):
        result, records = fitted("a b", "c")
        rows = list(examples(DataConfig(), result, records).as_numpy_iterator())
        a, b, c = (result.tokens.index(name) for name in "abc")
        for (inputs, targets), wanted in zip(rows, [[a, b, END], [c, END]], strict=True):
            assert targets.tolist() == inputs["next"].tolist() == wanted
            assert inputs["ids"].tolist() == [END, *wanted[:-1]]
            assert "fresh" not in inputs

    def test_backward_the_text_is_read_from_its_end(self):
        result, records = fitted("a b c", direction="backward")
        (inputs, targets), *_ = examples(DataConfig(), result, records).as_numpy_iterator()
        wanted = [result.tokens.index(name) for name in "cba"]
        assert targets.tolist() == [*wanted, END]
        assert inputs["ids"].tolist() == [END, *wanted]

    def test_both_directions_side_by_side(self):
        result, records = fitted("a b c", direction="both", reset=True)
        (inputs, _), *_ = examples(DataConfig(), result, records).as_numpy_iterator()
        assert inputs["backward_ids"].tolist()[1:] == inputs["ids"].tolist()[:0:-1]
        assert inputs["fresh"].tolist() == inputs["backward_fresh"].tolist()

    def test_states_begin_anew_where_a_document_does(self):
        result, records = fitted("a b", "c", "", reset=True)
        rows = list(examples(DataConfig(), result, records).as_numpy_iterator())
        assert [inputs["fresh"].tolist() for inputs, _ in rows] == [
            [True, False, False],
            [True, False],
            [True],
        ]
        assert [int(DATA.length(inputs)) for inputs, _ in rows] == [3, 2, 1]

    def test_unknown_words_are_targets_too(self):
        result, _ = fitted("a a b", least_count=2)
        records = from_records([{"text": b"a zebra a"}])
        ((_, targets),) = examples(DataConfig(), result, records).as_numpy_iterator()
        assert targets.tolist() == [4, UNKNOWN, 4, END]


@settings(max_examples=8, deadline=None)
@given(st.lists(st.text(alphabet="ab \n", max_size=8), min_size=1, max_size=5))
def test_every_token_is_predicted_once(lines):
    tokens = ("<pad>", "<unk>", "<start>", "<eos>", "a", "b", "ab")
    result = Fitted("words", tokens, "", False, "forward", False, 50)
    records = from_records([{"text": line.encode()} for line in lines])
    rows = list(examples(DataConfig(), result, records).as_numpy_iterator())
    joined = np.concatenate([targets for _, targets in rows])
    wanted = [[*ids, END] for ids in result.vocabulary(whole=True)(lines).to_list()]
    assert joined.tolist() == [number for row in wanted for number in row]
