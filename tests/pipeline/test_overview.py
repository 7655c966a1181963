"""The list of runs."""

import json

from click.testing import CliRunner

from rnnsuite.cli.main import main
from rnnsuite.pipeline.overview import runs


def made(folder, units=8, history="", metrics=None):
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(
        f"app: bag\nmodel: {{units: {units}}}\ntrain: {{epochs: 3, monitor: val_loss}}\n"
    )
    if history:
        (folder / "history.csv").write_text(history)
    if metrics:
        (folder / "metrics.json").write_text(json.dumps(metrics))


def test_states_scores_and_what_differs(tmp_path):
    made(tmp_path / "bag" / "a", 8, "epoch,val_loss\n1,0.5\n2,0.25\n")
    made(tmp_path / "bag" / "b", 16, "epoch,val_loss\n1,1\n", {"val_loss": 0.125, "app": "bag"})
    made(tmp_path / "bag" / "c")
    found = {row["run"].rsplit("/", 1)[1]: row for row in runs(tmp_path)}
    assert found["a"]["state"] == "begun"
    assert found["a"]["epochs"] == "2 of 3"
    assert found["a"]["scores"] == {"last val_loss": 0.25}
    assert found["b"]["state"] == "finished"
    assert found["b"]["scores"] == {"val_loss": 0.125}
    assert (found["c"]["state"], found["c"]["scores"]) == ("no epoch yet", {})
    assert [found[name]["settings"] for name in "abc"] == [
        {"model.units": "8"},
        {"model.units": "16"},
        {"model.units": "8"},
    ]


def test_what_is_damaged_is_told_and_hides_no_other(tmp_path):
    made(tmp_path / "good", history="epoch,val_loss\n1,x\n")
    made(tmp_path / "bad")
    (tmp_path / "bad" / "config.yaml").write_bytes(b"\xff: [")
    (tmp_path / "good" / "metrics.json").write_text("[1")
    states = {row["run"].rsplit("/", 1)[1]: row["state"] for row in runs(tmp_path)}
    assert states == {"good": "begun", "bad": "config.yaml is damaged"}


def test_the_command(tmp_path):
    made(tmp_path / "runs" / "a", metrics={"val_loss": 0.5})
    shown = CliRunner().invoke(main, ["runs", str(tmp_path)])
    assert shown.exit_code == 0
    assert "(bag)" in shown.output
    assert "finished, epochs 0 of 3, val_loss 0.5000" in shown.output
    told = CliRunner().invoke(main, ["runs", str(tmp_path), "--json"])
    assert json.loads(told.stdout)["runs"][0]["app"] == "bag"
    nothing = CliRunner().invoke(main, ["runs", str(tmp_path / "no")])
    assert nothing.exit_code == 2
    (tmp_path / "empty").mkdir()
    assert "No runs" in CliRunner().invoke(main, ["runs", str(tmp_path / "empty")]).output


def test_models_are_listed(monkeypatch):
    shown = CliRunner().invoke(main, ["models"])
    assert shown.exit_code == 0
    assert "licence" in shown.output
    told = json.loads(CliRunner().invoke(main, ["models", "--json"]).stdout)
    assert {row["model"] for row in told["models"]} >= {"sentiment", "translation"}
