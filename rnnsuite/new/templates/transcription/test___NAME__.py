"""What every application promises, of this one: python -m pytest test___NAME__.py"""

import json
import pathlib

import numpy as np
from click.testing import CliRunner

from rnnsuite.cli.main import main
from rnnsuite.device import wave

FOLDER = str(pathlib.Path(__file__).resolve().parent.parent)


def rnnsuite(*words):
    done = CliRunner().invoke(main, ["--apps", FOLDER, *map(str, words)], catch_exceptions=False)
    assert done.exit_code == 0, done.stderr[-3000:]
    return done.stdout


def test_it_trains_is_exported_with_proof_and_answers(tmp_path):
    run, models = tmp_path / "run", tmp_path / "models"
    rnnsuite("train", "__NAME__", "-c", "tiny", "--run", run)
    rnnsuite("export", "__NAME__", "--run", run, "--to", models)
    sound = tmp_path / "sound.wav"
    sound.write_bytes(wave.write(0.1 * np.sin(np.arange(8000, dtype=np.float32))))
    for model in (run, models / "__NAME__" / "1"):
        words = ["predict", "__NAME__", "--model", model, "--json", sound]
        (answer,) = json.loads(rnnsuite(*words))["answers"]
        assert len(answer["words"]) == len(answer["starts"]) == len(answer["ends"])


def test_a_recording_that_is_missing_is_named(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("file,transcript\nnone.wav,a\n")
    done = CliRunner().invoke(main, ["--apps", FOLDER, "train", "__NAME__", "--data", str(path)])
    assert "none.wav: no such file" in done.output
