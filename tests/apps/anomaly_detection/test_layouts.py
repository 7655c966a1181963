"""Small copies of published folders, scored with models that were trained on others."""

import json
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from apps.anomaly_detection.sample import CHANNELS, anomalous, normal
from rnnsuite import catalog
from rnnsuite.cli.main import main
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.run import Run
from rnnsuite.pipeline.train.train import train
from tests.apps.test_on_device import WITHOUT
from tests.conftest import train_and_export

APP = catalog.find("anomaly_detection")


@pytest.fixture(scope="module")
def finished(tmp_path_factory, _cache):
    return train_and_export("anomaly_detection", tmp_path_factory)


def evaluated(*words):
    done = CliRunner().invoke(main, ["evaluate", "anomaly_detection", "--json", *map(str, words)])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def telemanom(folder, channels, form):
    """Two channels with an anomaly each, as one kind of file or the other."""
    rng = np.random.default_rng(1)
    arrays = {}
    rows = ["chan_id,spacecraft,anomaly_sequences,class,num_values"]
    for name in ("A-1", "B-2"):
        train_part = np.tile(normal(rng)[:400], 10)[:, :channels]
        test_part = np.tile(anomalous(rng, ["stop"])[0][:700], 10)[:, :channels].copy()
        test_part[500:540] = 0
        arrays[name] = train_part.astype(np.float32), test_part.astype(np.float32)
        rows.append(f'{name},X,"[[500, 539]]",contextual,700')
    (folder / "labeled_anomalies.csv").write_text("\n".join(rows) + "\n")
    if form == "npz":
        parts = {}
        for name, (train_part, test_part) in arrays.items():
            for split, values in (("train", train_part), ("test", test_part)):
                parts[f"{name}/{split}/value"] = values[:, 0]
                parts[f"{name}/{split}/command"] = values[:, 1:].astype(np.uint8)
        np.savez(folder / "mission.npz", **parts)
        return folder
    for place, split in enumerate(("train", "test")):
        (folder / split).mkdir()
        for name, pair in arrays.items():
            np.save(folder / split / f"{name}.npy", pair[place])
    return folder


@pytest.mark.parametrize("form", ["npz"])
def test_another_mission_with_a_model_that_is_there(finished, tmp_path, form):
    found = evaluated("--model", finished.run, "--data", telemanom(tmp_path, 3, form))
    assert (found["split"], found["records"]) == ("test", 2)
    assert found["metrics"].keys() >= {"f1", "precision", "recall", "auc_pr", "nab_standard"}
    assert all(np.isfinite(list(found["metrics"].values())))


def test_another_mission_fitted_with_the_stored_settings(tmp_path):
    """More channels than the settings were made with, of which the first one is scored."""
    source = telemanom(tmp_path, 7, "npy")
    settings = ["data.window=32", "model.recent=300", "model.units=4", "data.memory=500.0"]
    config = configuration.load(APP, "smap", [f"data.source={source}", *settings])
    train(APP, config, tmp_path / "run")
    run = Run(APP, tmp_path / "run")
    assert run.fitted().scored == (0,)
    assert run.config().sections["detect"].threshold == "fixed"
    found = evaluated("--model", tmp_path / "run", "--set", "detect.level=1.2")
    assert found["records"] == 2
    assert found["metrics"]["recall"] > 0
    assert found["floor"]["model"] in (
        "isolation forest of single observations",
        "windowed Gaussian",
    )


def test_more_channels_than_the_model_s_are_told(finished, tmp_path):
    source = telemanom(tmp_path, 5, "npy")
    done = CliRunner().invoke(
        main,
        ["evaluate", "anomaly_detection", "--model", str(finished.run), "--data", str(source)],
    )
    assert done.exit_code == 2
    assert "Traceback" not in done.output
    assert "values: an array of shape [?, 3] expected, not [1100, 5]" in done.output


def test_one_table_with_labels_is_scored_behind_its_history(finished, tmp_path):
    x, labels = anomalous(np.random.default_rng(2), ["stop", "faster"])
    rows = [",".join([*CHANNELS, "label"])]
    rows += [
        ",".join([*(f"{cell:.5g}" for cell in row), str(label)])
        for row, label in zip(x, labels, strict=True)
    ]
    (tmp_path / "machine.csv").write_text("\n".join(rows))
    found = evaluated(
        "--model", finished.run, "--data", tmp_path / "machine.csv", "--set", "data.cuts=[0.0,0.1]"
    )
    assert (found["split"], found["records"]) == ("test", 1)
    unlabelled = tmp_path / "unlabelled.csv"
    unlabelled.write_text("\n".join(row.rsplit(",", 1)[0] for row in rows))
    found = evaluated("--model", finished.run, "--data", unlabelled)
    assert found["notes"]["f1"].startswith("no observation of this split is labelled")


def test_the_script_for_devices_tells_alarms(finished, tmp_path):
    x, _ = anomalous(np.random.default_rng(3), ["stop"])
    rows = [",".join(CHANNELS), *(",".join(f"{cell:.6g}" for cell in row) for row in x[:500])]
    (tmp_path / "machine.csv").write_text("\n".join(rows) + "\n")
    values = np.array([[float(cell) for cell in row.split(",")] for row in rows[1:]], np.float32)
    answer = finished.open("float32.tflite").answer([{"values": values}])
    expected = np.flatnonzero(answer["alarm"][0])
    script = str(catalog.place("anomaly_detection").folder / "on_device.py")
    command = [sys.executable, "-I", "-c", WITHOUT, script, str(finished.lite)]
    for source, sent in ((str(tmp_path / "machine.csv"), None), ("-", "\n".join(rows))):
        done = subprocess.run(
            [*command, source, "--file", "float32.tflite"],
            capture_output=True,
            text=True,
            input=sent,
        )
        assert done.returncode == 0, done.stderr[-1000:]
        numbers = [int(line.split()[1].rstrip(":")) for line in done.stdout.splitlines()]
        assert numbers == expected.tolist()
