"""Folders and files in which transcribed recordings are published."""

import json

import pytest

from rnnsuite.core.errors import UserError
from rnnsuite.data.transcript_layouts import read_utterances
from rnnsuite.data.transcripts import TranscriptsConfig


def write(path, content=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def read(root, **options):
    by_split = read_utterances(root, TranscriptsConfig(**options))
    return {
        split: [(each.path.relative_to(root).as_posix(), each.text, each.person) for each in many]
        for split, many in by_split.items()
    }


def test_a_table_with_a_column_of_splits(tmp_path):
    rows = ["file\tspeaker\tsplit\ttranscript", "a/1.flac\tann\ttrain\tONE", "2.wav\tben\tval\tTWO"]
    write(tmp_path / "train.tsv", "\n".join(rows))
    assert read(tmp_path) == {
        "train": [("a/1.flac", "ONE", "ann")],
        "validation": [("2.wav", "TWO", "ben")],
    }


def test_tables_for_every_split(tmp_path):
    write(tmp_path / "train.csv", "path,sentence\n1.wav,one\n")
    write(tmp_path / "test.tsv", "File\tText\n2.wav\ttwo\n")
    assert read(tmp_path) == {
        "train": [("1.wav", "one", "1.wav")],
        "test": [("2.wav", "two", "2.wav")],
    }


def test_one_table(tmp_path):
    path = write(tmp_path / "mine.csv", "sound,words,who\n1.wav,one,ann\n")
    config = TranscriptsConfig(file="sound", text="words", speaker="who")
    assert read_utterances(path, config)["all"][0].person == "ann"


def test_common_voice(tmp_path):
    write(tmp_path / "clips" / "1.mp3")
    for name in ("train", "dev", "test"):
        rows = f"client_id\tpath\tsentence\nann-{name}\t1.mp3\tHello, you!\n"
        write(tmp_path / f"{name}.tsv", rows)
    found = read(tmp_path)
    assert found.keys() == {"train", "validation", "test"}
    assert found["train"] == [("clips/1.mp3", "Hello, you!", "ann-train")]


def test_nemo(tmp_path):
    row = {"audio_filepath": "a.wav", "duration": 1.2, "text": "one two"}
    write(tmp_path / "train.jsonl", json.dumps(row) + "\n")
    assert read(tmp_path) == {"train": [("a.wav", "one two", "a.wav")]}


def test_librispeech(tmp_path):
    for subset in ("train-clean-100", "dev-clean", "test-other"):
        folder = tmp_path / subset / "19" / "198"
        write(folder / "19-198.trans.txt", "19-198-0000 ONE TWO\n19-198-0001 THREE\n")
        for number in range(2):
            write(folder / f"19-198-000{number}.flac")
    found = read(tmp_path)
    assert found.keys() == {"train", "validation", "test"}
    assert found["test"][0] == ("test-other/19/198/19-198-0000.flac", "ONE TWO", "19")


def test_ljspeech(tmp_path):
    write(tmp_path / "metadata.csv", "LJ001-0001|In 1450|In fourteen fifty\n")
    write(tmp_path / "wavs" / "LJ001-0001.wav")
    found = read(tmp_path)
    assert found == {"all": [("wavs/LJ001-0001.wav", "In fourteen fifty", "LJ001-0001")]}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "holds no transcripts that are known here"),
        ({"train.tsv": "file\tx\n1.wav\ty\n"}, "has no column transcript or text"),
        ({"train.tsv": "file\ttext\n\tone\n"}, "line 2: no sound file"),
        ({"metadata.csv": "LJ1|one\n"}, "line 1: no sound file LJ1"),
        ({"a/1.trans.txt": "1-1 ONE\n"}, "there is no sound file 1-1"),
        ({"train.tsv": "file\ttext\n"}, "holds no transcribed recordings"),
    ],
)
def test_what_cannot_be_read(tmp_path, files, said):
    for name, content in files.items():
        write(tmp_path / name, content)
    with pytest.raises(UserError, match=said):
        read(tmp_path)


def test_bad_rows_can_be_left_out(tmp_path):
    write(tmp_path / "train.tsv", "file\ttext\n\tone\n1.wav\ttwo\n")
    assert len(read(tmp_path, on_error="skip")["train"]) == 1


def test_nothing_there(tmp_path):
    with pytest.raises(UserError, match="There is no"):
        read(tmp_path / "nowhere")
