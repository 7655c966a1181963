"""What the shell tells: events of requests, files of many, and mistakes."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from apps.anomaly_detection.sample import CHANNELS, anomalous
from rnnsuite.cli.main import main
from tests.conftest import train_and_export


@pytest.fixture(scope="module")
def finished(tmp_path_factory, _cache):
    return train_and_export("anomaly_detection", tmp_path_factory)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    x, _ = anomalous(np.random.default_rng(1), ["stop", "spike"])
    path = tmp_path_factory.mktemp("tables") / "machine.csv"
    rows = [",".join(CHANNELS), *(",".join(f"{cell:.6g}" for cell in row) for row in x[:400])]
    path.write_text("\n".join(rows) + "\n")
    return path


def run(*words, **more):
    return CliRunner().invoke(main, [str(word) for word in words], **more)


def test_the_events_of_a_table_are_lines(finished, table):
    words = ["predict", "anomaly_detection", "--model", finished.run]
    low = run(*words, table, "--set", "detect.threshold=fixed", "--set", "detect.level=4.0")
    assert low.exit_code == 0, low.output
    lines = low.stdout.splitlines()
    assert lines[0] == str(table)
    assert all(line.startswith("  anomaly from ") for line in lines[1:])
    assert all(line.rsplit(" ", 1)[1] in CHANNELS for line in lines[1:])
    high = run(*words, table, "--set", "detect.threshold=fixed", "--set", "detect.level=1e6")
    assert "no anomaly: the largest score is" in high.stdout


def test_settings_of_an_export_cannot_be_changed(finished, table):
    words = ["predict", "anomaly_detection", "--model", finished.saved_model]
    done = run(*words, table, "--set", "detect.risk=0.01")
    assert done.exit_code == 2
    assert "answers as it was exported; detect.risk=0.01 holds for a run only" in done.output


def test_a_risk_that_is_lower_raises_the_threshold(finished, table):
    thresholds = []
    for risk in (0.01, 0.0001):
        words = ["predict", "anomaly_detection", "--model", finished.run, "--json"]
        done = run(*words, table, "--set", f"detect.risk={risk}")
        thresholds.append(json.loads(done.stdout)["answers"][0]["threshold"][0])
    assert thresholds[0] < thresholds[1]


@pytest.mark.parametrize("form", ["saved_model", "float32.tflite"])
def test_a_file_of_many_series(finished, tmp_path, form):
    path = finished.lite / form if form.endswith("tflite") else finished.saved_model
    rng = np.random.default_rng(0)
    lengths = (5, 130, 1)
    with open(tmp_path / "series.jsonl", "w") as stream:
        for length in lengths:
            values = rng.normal(size=[length, 3]).round(3).tolist()
            values[0][1] = None
            stream.write(json.dumps({"values": values}) + "\n")
        stream.write(json.dumps({"values": [[1, 2, "three"]]}) + "\n")
    words = ["predict", "anomaly_detection", "--model", path]
    done = run(*words, "--input", tmp_path / "series.jsonl", "--output", tmp_path / "answers.jsonl")
    assert done.exit_code == 3, done.output  # some have no answer
    lines = [json.loads(line) for line in (tmp_path / "answers.jsonl").read_text().splitlines()]
    for line, length in zip(lines, lengths, strict=False):
        assert len(line["score"]) == len(line["event"]) == length
        assert np.shape(line["channels"]) == (length, 3)
    assert "error" in lines[3]


MISTAKES = {
    "model.evidence=[forecasts]": "model.evidence",
    "model.tails=likelihood": "Did you mean model.tail",
    "detect.risk=0.5": "detect.risk",
    "data.cuts=[0.5]": "data.cuts",
    "detect.threshold=spot": "detect.threshold",
    "model.largest=1": "model.largest",
}


@pytest.mark.parametrize("setting", MISTAKES)
def test_mistakes_are_told_before_anything_is_read(tmp_path, setting):
    words = ["train", "anomaly_detection", "-c", "tiny", "--run", tmp_path / "run"]
    done = run(*words, "--set", setting, "--data", tmp_path / "nowhere")
    assert done.exit_code == 2
    assert MISTAKES[setting] in done.output
    assert not (tmp_path / "run").exists()


def test_a_source_that_is_not_there(tmp_path):
    done = run(
        "train", "anomaly_detection", "--data", tmp_path / "nowhere", "--run", tmp_path / "r"
    )
    assert done.exit_code == 2
    assert f"There is no {tmp_path / 'nowhere'}" in done.output


def test_a_table_of_texts_is_told(tmp_path):
    (tmp_path / "texts.csv").write_text("a,b\n1,cold\n")
    words = ["train", "anomaly_detection", "--data", tmp_path / "texts.csv"]
    done = run(*words, "--run", tmp_path / "run")
    assert done.exit_code == 2
    assert "line 2: b is 'cold', which is no number" in done.output
