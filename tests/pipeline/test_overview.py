"""The list of runs."""

import json

from click.testing import CliRunner

from rnnsuite.cli.main import main
from rnnsuite.pipeline import releases
from rnnsuite.pipeline.inference import figures
from rnnsuite.pipeline.overview import compared, runs


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


def test_a_score_that_evaluate_kept_is_listed_with_its_interval(tmp_path, monkeypatch):
    extra = tmp_path / "films" / "3" / "assets.extra"
    extra.mkdir(parents=True)
    kept = {
        "records": 400,
        "split": "test",
        "primary": "accuracy",
        "metrics": {"f1": 0.5, "accuracy": 0.925},
        "interval": {"accuracy": [0.9, 0.95]},
    }
    (extra / "model_card.json").write_text(json.dumps({"scores": [kept]}))
    monkeypatch.setenv(releases.PLACE, str(tmp_path))
    row = next(row for row in releases.summaries() if row["model"] == "films")
    assert row["score"] == "accuracy 0.925 (0.9 to 0.95)"
    assert row["of"] == "400 records of test"


class TestCompare:
    def made(self, tmp_path):
        made(
            tmp_path / "a",
            8,
            "epoch,val_loss,loss,seconds\n1,0.5,0.75,9\n2,0.25,0.5,9\n",
            {"val_loss": 0.25, "val_accuracy": 0.9, "app": "bag"},
        )
        made(tmp_path / "b", 16, "epoch,val_loss,loss,seconds\n1,1,2,9\n")
        return [tmp_path / "a", tmp_path / "b"]

    def test_rows_in_the_order_that_was_asked(self, tmp_path):
        first, second = compared(self.made(tmp_path)[::-1])
        assert [row["run"] for row in (first, second)] == [str(tmp_path / "b"), str(tmp_path / "a")]
        assert second["scores"] == {"val_loss": 0.25, "val_accuracy": 0.9}
        assert first["settings"] == {"model.units": "16"}
        assert [row["val_loss"] for row in second["history"]] == [0.5, 0.25]

    def test_a_line_for_each_run_and_no_figure_of_the_time(self, tmp_path):
        rows = compared(self.made(tmp_path))
        drawn = figures.side_by_side({row["run"]: row["history"] for row in rows})
        assert list(drawn) == ["val_loss", "loss"]
        lines = drawn["val_loss"].axes[0].get_lines()
        assert [list(line.get_ydata()) for line in lines] == [[0.5, 0.25], [1.0]]

    def test_the_page(self, tmp_path):
        asked = ["compare", *map(str, self.made(tmp_path)), "--to", str(tmp_path / "page.html")]
        done = CliRunner().invoke(main, asked)
        assert done.exit_code == 0
        told = " ".join(done.stdout.split())
        assert "model.units 8 16" in told
        assert "val_accuracy 0.9000 last val_loss 1.0000" in told
        page = (tmp_path / "page.html").read_text()
        assert page.count("<img") == 2
        assert "<th>a</th><th>b</th>" in page
        assert "Configuration" not in page

    def test_what_cannot_be_compared(self, tmp_path):
        runs_of_bag = self.made(tmp_path)
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "config.yaml").write_text("app: horn\n")
        for wrong, said in ((tmp_path, "is no run"), (tmp_path / "other", "not of bag, horn")):
            done = CliRunner().invoke(main, ["compare", str(runs_of_bag[0]), str(wrong)])
            assert done.exit_code == 2
            assert said in done.stderr
