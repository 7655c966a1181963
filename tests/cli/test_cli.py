import json
import shutil
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from rnnsuite.cli.main import COMMANDS, main


def call(*words, **options):
    return CliRunner().invoke(main, [str(word) for word in words], **options)


def test_help_does_not_import_tensorflow():
    program = (
        "import sys, rnnsuite.cli.main; print([m for m in ('tensorflow', 'keras', 'numpy') "
        "if m in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout
        == "[]\n"
    )


@pytest.mark.parametrize("verb", COMMANDS)
def test_every_verb_has_help_with_an_example_and_every_option_described(verb):
    result = call(verb, "--help")
    assert result.exit_code == 0
    assert f"Example: rnnsuite {verb}" in " ".join(result.stdout.split())
    command = main.get_command(None, verb)
    options = [each for each in command.params if isinstance(each, click.Option)]
    assert all(option.help for option in options)


def test_verbs_stand_in_the_order_of_work():
    lines = call("--help").stdout.split("Commands:")[1].split("\n")
    assert [line.split()[0] for line in lines if line.strip()] == list(COMMANDS)


def test_apps_lists_every_one():
    assert "sentiment" in json.loads(call("apps", "--json").stdout)


def test_python_m_apps_is_the_same():
    command = [sys.executable, "-m", "apps.sentiment", "train", "--set", "model.unit=3"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert "Did you mean model.units?" in done.stderr


def test_predict_prints_one_json_object(sentiment):
    result = call(
        "predict",
        "sentiment",
        "--json",
        "--model",
        sentiment.saved_model,
        "a dull plot",
        "a moving plot",
    )
    answers = json.loads(result.stdout)["answers"]
    assert [answer["input"] for answer in answers] == ["a dull plot", "a moving plot"]
    assert all(answer["label"] in ("negative", "positive") for answer in answers)
    assert sum(answers[0]["probabilities"]) == pytest.approx(1, abs=1e-5)


def test_predict_reads_standard_input(sentiment):
    result = call(
        "predict", "sentiment", "--json", "--model", sentiment.run, "-", input="one\ntwo\n"
    )
    assert len(json.loads(result.stdout)["answers"]) == 2


def test_predict_another_signature(sentiment):
    result = call(
        "predict",
        "sentiment",
        "--json",
        "--model",
        sentiment.saved_model,
        "--signature",
        "explain",
        "fine plot",
    )
    answer = json.loads(result.stdout)["answers"][0]
    assert len(answer["tokens"]) == len(answer["weights"])
    unknown = call(
        "predict", "sentiment", "--model", sentiment.saved_model, "--signature", "nope", "x"
    )
    assert unknown.exit_code == 2
    assert "explain" in unknown.stderr


def test_evaluate_a_path_of_one_split_whole(sentiment, tmp_path):
    (tmp_path / "r.csv").write_text(
        "text,label\nthe plot was dull,negative\nthe plot was moving,positive\n"
    )
    result = call(
        "evaluate",
        "sentiment",
        "--json",
        "--model",
        sentiment.saved_model,
        "--data",
        tmp_path / "r.csv",
    )
    assert json.loads(result.stdout)["records"] == 2


def test_evaluate_keeps_the_score_in_the_card(sentiment, tmp_path):
    model = shutil.copytree(sentiment.saved_model, tmp_path / "models" / "1")
    table = tmp_path / "r.csv"
    table.write_text("text,label\nthe plot was dull,negative\nthe plot was moving,positive\n")
    words = ["evaluate", "sentiment", "--data", table, "--bootstrap", "10", "--card"]
    printed = json.loads(call(*words, "--json", "--model", model).stdout)
    card = json.loads((model / "assets.extra" / "model_card.json").read_text())
    (kept,) = card["scores"]
    assert kept["metrics"] == printed["metrics"]
    assert kept["interval"] == printed["interval"]
    assert (kept["records"], kept["source"]) == (2, str(table))
    before = {path: path.read_bytes() for path in sentiment.run.rglob("*") if path.is_file()}
    refused = call(*words, "--model", sentiment.run)
    assert (refused.exit_code, "no exported SavedModel" in refused.stderr) == (2, True)
    assert {path: path.read_bytes() for path in before} == before


def test_evaluate_unlabelled_records(sentiment, tmp_path):
    (tmp_path / "r.csv").write_text("text,label\nthe plot was dull,\n")
    result = call(
        "evaluate", "sentiment", "--model", sentiment.saved_model, "--data", tmp_path / "r.csv"
    )
    assert result.exit_code == 2
    assert "line 2: no label" in result.stderr
