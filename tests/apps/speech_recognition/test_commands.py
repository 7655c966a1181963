"""People's own recordings, by the commands."""

import json

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from apps.speech_recognition import sample
from rnnsuite.cli.main import main
from tests.conftest import train_and_export


@pytest.fixture(scope="module")
def finished(tmp_path_factory, _cache):
    return train_and_export("speech_recognition", tmp_path_factory)


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def folder(root, texts=("amu eko asi", "UMA, sela oli!", "ilo oke isa")):
    rows = ["file\ttranscript\tspeaker"]
    for number, text in enumerate(texts):
        spoken = sample.spoken(["amu", "eko", "asi"], number, number)
        soundfile.write(root / f"{number}.flac", spoken.samples, 16_000)
        rows.append(f"{number}.flac\t{text}\tvoice {number}")
    (root / "test.tsv").write_text("\n".join(rows), encoding="utf-8")
    return root / "test.tsv"


def evaluated(model, source, *words):
    return run(
        "evaluate", "speech_recognition", "--model", model, "--data", source, *words, "--json"
    )


def test_a_table_is_scored_whole(finished, tmp_path):
    done = evaluated(finished.saved_model, folder(tmp_path))
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert result["records"] == 3
    assert {"wer", "cer", "exact_match"} <= result["metrics"].keys()
    assert result["metrics"]["cer"] > 0


def test_characters_that_training_did_not_have_are_told(finished, tmp_path):
    done = evaluated(finished.run, folder(tmp_path, ["amu zwölf", "uma", "ilo"]))
    assert done.exit_code == 0, done.output
    assert (
        "characters of the transcripts are not in training"
        in json.loads(done.stdout)["notes"]["wer"]
    )


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda root: (root / "1.flac").write_bytes(b"no sound"), "1.flac: not a sound file"),
        (lambda root: (root / "1.flac").unlink(), "1.flac: no such file"),
        (lambda root: (root / "test.tsv").write_text(""), "is empty"),
        (lambda root: (root / "test.tsv").write_text("a\tb\n1\t2\n"), "has no column file or path"),
        (
            lambda root: soundfile.write(root / "1.flac", np.zeros(0), 16_000),
            "1.flac: not a sound file",
        ),
    ],
)
def test_what_cannot_be_read_is_named(finished, tmp_path, break_it, message):
    source = folder(tmp_path)
    break_it(tmp_path)
    done = evaluated(finished.run, source)
    assert done.exit_code == 2, done.output
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_bad_recordings_can_be_left_out(finished, tmp_path):
    source = folder(tmp_path)
    (tmp_path / "1.flac").unlink()
    done = evaluated(finished.run, source, "--set", "data.on_error=skip")
    assert json.loads(done.stdout)["records"] == 2


def test_a_recording_is_written_down(finished, tmp_path):
    folder(tmp_path)
    done = run("predict", "speech_recognition", "--model", finished.run, tmp_path / "0.flac")
    assert done.exit_code == 0, done.output
    missing = run("predict", "speech_recognition", "--model", finished.run, tmp_path / "none.flac")
    assert missing.exit_code == 2
    assert "There is no sound file" in missing.stderr


def test_a_stream_waits_no_longer_than_the_silence_behind_a_file():
    done = run("train", "speech_recognition", "--set", "model.look_ahead=17")
    assert done.exit_code == 2
    assert "model.look_ahead" in done.stderr


def test_an_unknown_key_is_told_before_work_begins():
    done = run("train", "speech_recognition", "--set", "transcribe.bean=3")
    assert done.exit_code == 2
    assert "transcribe.beam" in done.stderr
