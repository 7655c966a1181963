"""Every promise, over every application."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from rnnsuite import config as configuration
from rnnsuite import evaluate, predict
from rnnsuite.errors import UserError
from rnnsuite.export import parity
from tests.conftest import APPS, quick

FILES = {"__init__.py", "__main__.py", "sample.py", "data.py", "model.py", "serve.py", "score.py", "README.md"}
ROOT = pathlib.Path(__file__).parent.parent


@pytest.mark.parametrize("name", APPS)
def test_the_same_files_in_every_app(name):
    assert {path.name for path in (ROOT / "apps" / name).iterdir() if path.is_file()} == FILES


@pytest.fixture(scope="session")
def records(trained):
    settings = evaluate.data_settings(trained.app, trained.run, None)
    return evaluate.collect(trained.app.load(settings, "test"), 40)


@pytest.fixture(scope="session")
def expected(trained, records):
    return predict.open_model(trained.app, trained.run).answer(records)


def assert_same(found, expected, bound=1e-5):
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        if values.dtype.kind == "f":
            np.testing.assert_allclose(found[name], values, atol=bound, rtol=0)
        else:
            np.testing.assert_array_equal(found[name], values)


def test_a_run_holds_what_is_promised(trained):
    held = {path.name for path in trained.run.iterdir()}
    assert held >= {
        "config.yaml",
        "fitted.json",
        "metrics.json",
        "history.csv",
        "events",
        "checkpoints",
        "best.weights.h5",
    }
    assert configuration.load(trained.app, trained.run / "config.yaml") == configuration.load(
        trained.app, "sample", quick(trained.app.name)
    )
    judged = trained.app.judged.metrics if trained.app.judged else {}
    assert {f"val_{name}" for name in (*trained.app.metrics, *judged)} <= trained.metrics.keys()
    assert 0 <= trained.metrics["padding"] < 0.5


def test_export_without_the_run_in_the_cpp_loader_answers_the_same(trained, records, expected, tmp_path):
    hidden = trained.run.rename(trained.run.with_name("hidden"))
    try:
        assert_same(parity.ask_saved_model(trained.saved_model, records, list(expected)), expected)
    finally:
        hidden.rename(trained.run)


def test_the_loader_process_imports_nothing_of_ours(trained):
    program = (
        "import runpy, sys, json, pathlib\n"
        f"sys.argv = ['loader', {str(trained.saved_model)!r}, sys.argv[1], sys.argv[2]]\n"
        f"runpy.run_path({parity.loader.__file__!r}, run_name='__main__')\n"
        "bad = [m for m in sys.modules if m.split('.')[0] in ('rnnsuite', 'apps')]\n"
        "assert not bad, bad\n"
    )
    place = trained.saved_model.parent
    (place / "requests.json").write_text("[]")
    command = [sys.executable, "-I", "-c", program, place / "requests.json", place / "answers.json"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def test_saved_model_through_tensorflow_answers_the_same(trained, records, expected):
    assert_same(predict.open_model(trained.app, trained.saved_model).answer(records), expected)


def test_each_row_gets_the_answer_that_it_gets_alone(trained, records, expected):
    model = predict.open_model(trained.app, trained.saved_model)
    alone = [model.answer([record]) for record in records[:5]]
    assert_same(
        {name: np.concatenate([each[name] for each in alone]) for name in expected},
        {n: v[:5] for n, v in expected.items()},
    )


def test_lite_float_answers_the_same_in_a_process_without_tensorflow(trained, records, tmp_path):
    like = trained.app.on_device(trained.lite).like
    expected = predict.open_model(trained.app, trained.run).answer(records, like)
    found = parity.ask_lite(trained.app, trained.lite / "float32.tflite", records, tmp_path)
    assert_same(found, {name: expected[name] for name in found}, 1e-4)


def test_lite_asked_twice_answers_the_same(trained, records):
    model = predict.open_model(trained.app, trained.lite / "float32.tflite")
    assert_same(
        model.answer(records[:1] * 3), {name: np.repeat(v, 3, axis=0) for name, v in model.answer(records[:1]).items()}
    )


def test_the_runner_imports_only_litert_and_numpy(trained, tmp_path):
    np.savez(tmp_path / "requests.npz")
    program = (
        "import runpy, sys\n"
        f"sys.argv = ['runner', {str(trained.lite / 'float32.tflite')!r}, {str(tmp_path / 'requests.npz')!r}, "
        f"{str(tmp_path / 'answers.npz')!r}]\n"
        f"runpy.run_path({str(trained.lite / 'runner.py')!r}, run_name='__main__')\n"
        "bad = {m.split('.')[0] for m in sys.modules} & {'tensorflow', 'keras', 'rnnsuite', 'apps'}\n"
        "assert not bad, bad\n"
    )
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def test_dynamic_range_is_small_and_close(trained):
    forms = trained.report["forms"]
    assert forms["dynamic.tflite"]["bytes"] < 0.5 * forms["float32.tflite"]["bytes"]


def test_no_cudnn_no_xla_and_no_custom_operation(trained):
    from tensorflow.core.protobuf import saved_model_pb2

    proto = saved_model_pb2.SavedModel()
    proto.ParseFromString((trained.saved_model / "saved_model.pb").read_bytes())
    graph = proto.meta_graphs[0].graph_def
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    assert len(nodes) > 50
    assert not {node.op for node in nodes if "Cudnn" in node.op or node.op.startswith("Xla") or node.op == "PyFunc"}
    assert not [f for f in graph.library.function if f.attr["_XlaMustCompile"].b]


def test_signatures_have_named_outputs_and_any_batch(trained):
    loaded = tf.saved_model.load(str(trained.saved_model))
    assert "serving_default" in loaded.signatures
    for signature in loaded.signatures.values():
        for name, value in signature.structured_outputs.items():
            assert not name.startswith("output")
            assert value.shape[0] is None


def test_warmup_requests_are_answered(trained):
    loaded = tf.saved_model.load(str(trained.saved_model))
    asked = set()
    for raw in tf.data.TFRecordDataset(str(trained.saved_model / "assets.extra" / "tf_serving_warmup_requests")):
        request = prediction_log_pb2.PredictionLog.FromString(raw.numpy()).predict_log.request
        assert request.model_spec.name == trained.app.name
        asked.add(request.model_spec.signature_name)
        fed = {name: tf.constant(tf.make_ndarray(value)) for name, value in request.inputs.items()}
        assert loaded.signatures[request.model_spec.signature_name](**fed)
    assert asked == set(loaded.signatures)


@pytest.mark.parametrize("place", ["saved_model", "lite"])
def test_model_card(trained, place):
    folder = trained.saved_model / "assets.extra" if place == "saved_model" else trained.lite
    card = json.loads((folder / "model_card.json").read_text())
    assert card.keys() >= {"data", "config", "metrics", "parity", "seed", "made_with", "command"}
    assert card["metrics"] == trained.metrics
    assert trained.app.name in (folder / "model_card.md").read_text()


def test_evaluate_is_the_same_for_every_form(trained):
    run, served, device = (
        evaluate.evaluate(trained.app, path, split="validation")[0].metrics
        for path in (trained.run, trained.saved_model, trained.lite / "float32.tflite")
    )
    assert run == served
    assert trained.app.headline in run
    like = trained.app.on_device(trained.lite).like
    if like != "serving_default":
        records = evaluate.collect(
            trained.app.load(evaluate.data_settings(trained.app, trained.run, None), "validation")
        )
        answers = predict.open_model(trained.app, trained.run).answer(records, like)
        run = trained.app.score(records, answers, predict.fitted_of(trained.app, trained.run)).metrics
    assert run == device
    judged = trained.app.judged
    if judged and judged.signature == like:  # what training kept the best epoch by
        assert {name: trained.metrics[f"val_{name}"] for name in judged.metrics} == pytest.approx(
            {name: run[name] for name in judged.metrics}, abs=1e-6
        )


def test_report_shows_curves_plots_and_cases(trained):
    from rnnsuite import report
    from rnnsuite.run import Run

    score, count = evaluate.evaluate(trained.app, trained.run, split="validation")
    report.write(Run(trained.app, trained.run), score, "validation", count)
    page = (trained.run / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") >= len(trained.app.metrics) + len(score.plots)
    assert any(title in page for title in score.titles)


def test_a_run_of_another_app_is_refused(trained, tmp_path):
    (tmp_path / "config.yaml").write_text("app: other\n")
    with pytest.raises(UserError, match=f"a run of other, not of {trained.app.name}"):
        predict.open_model(trained.app, tmp_path)


def test_an_export_of_another_app_is_refused(trained, tmp_path):
    (tmp_path / "assets.extra").mkdir()
    (tmp_path / "assets.extra" / "model_card.json").write_text('{"config": {"app": "other"}}')
    with pytest.raises(UserError, match=f"a model of other, not of {trained.app.name}"):
        evaluate.evaluate(trained.app, tmp_path)


@pytest.mark.parametrize("damage", ["best.weights.h5", "fitted.json"])
def test_a_damaged_run_is_named(trained, tmp_path, damage):
    import shutil

    run = tmp_path / "run"
    shutil.copytree(trained.run, run)
    (run / damage).write_bytes((run / damage).read_bytes()[:100])
    with pytest.raises(UserError, match=f"{damage} is damaged"):
        predict.open_model(trained.app, run)
