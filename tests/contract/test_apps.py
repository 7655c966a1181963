"""Every promise, over every application."""

import functools
import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from rnnsuite import catalog
from rnnsuite.core.errors import UserError
from rnnsuite.data.records import collect
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.config import Schema
from rnnsuite.pipeline.describe import describe
from rnnsuite.pipeline.export import flatbuffer, gate, parity
from rnnsuite.pipeline.inference import saved_model
from rnnsuite.pipeline.inference.card import data_section
from rnnsuite.pipeline.inference.evaluate import evaluate
from rnnsuite.pipeline.inference.models import fitted_of, open_model
from tests.conftest import APPS, RELEASED
from tests.contract import task

LEAST = {"__init__.py", "data.py", "model.py", "serve.py"}
"""Files that every application has. What else it needs is its own business."""


@pytest.fixture(scope="module", autouse=True)
def _loaded_once():
    """A model that several tests ask is loaded and traced by the first of them."""
    patch = pytest.MonkeyPatch()
    patch.setattr(saved_model, "load", functools.cache(saved_model.load))
    yield
    patch.undo()


@pytest.mark.parametrize("name", APPS)
def test_files(name):
    files = {path.name for path in catalog.place(name).folder.iterdir() if path.is_file()}
    assert files >= LEAST


@pytest.mark.parametrize("name", APPS)
def test_sections_are_known_without_the_application(name):
    """So that a mistake in a configuration is told before TensorFlow is imported."""
    assert catalog.sections(name) == catalog.find(name).sections


@pytest.mark.parametrize("name", APPS)
def test_every_key_has_a_default_and_a_meaning(name):
    keys = describe(Schema.of(name))
    assert [key.name for key in keys] == Schema.of(name).known_keys()[1:]
    assert not [key.name for key in keys if len(key.meaning.split()) < 2 or not key.default]


@pytest.mark.parametrize("name", APPS)
def test_records_fit_together(name):
    app = catalog.find(name)
    assert app.name == name
    assert "loss" in app.model.metrics
    assert set(app.monitored.values()) <= {"min", "max"}
    if catalog.monitored(name) is not None:
        # So that a mistake in train.monitor is told before TensorFlow is imported.
        assert set(catalog.monitored(name)) == set(app.monitored)
    if app.scoring:
        assert app.scoring.primary in app.scoring.metrics
    if app.serving.stream:
        assert app.serving.stream.section in app.serving.sections
    for field in app.serving.fields.values():
        assert field.meaning
        assert json.dumps(field.describe())


@pytest.fixture(scope="module")
def records(finished):
    section = data_section(finished.app, finished.run, None)
    return collect(finished.app.data.load(section, "test"), 20)


@pytest.fixture(scope="module")
def expected(finished, records):
    return finished.open("run").answer(records)


def assert_same(found, expected, bound=1e-5):
    """The same answers; of two classes as probable as each other, either one may be named."""
    assert found.keys() == expected.keys()
    for name, column in expected.items():
        for row, (value, other) in enumerate(zip(found[name], column, strict=True)):
            if np.asarray(other).dtype.kind == "f":
                np.testing.assert_allclose(*gate.same_length(value, other), atol=bound, rtol=bound)
            elif name != "label" or not _is_tied(expected["probabilities"][row], bound):
                np.testing.assert_array_equal(*gate.same_length(value, other))


def _is_tied(probabilities, bound):
    second, first = np.sort(probabilities)[-2:]
    return first - second < 2 * bound


def bound_of(finished):
    return configuration.load(finished.app, "tiny").export.saved_model_bound


def test_a_run_holds_what_is_promised(finished):
    files = {path.name for path in finished.run.iterdir()}
    assert files >= {
        "config.yaml",
        "fitted.json",
        "metrics.json",
        "history.csv",
        "events",
        "checkpoints",
        "best.weights.h5",
    }
    stored = configuration.load(finished.app, finished.run / "config.yaml")
    assert stored == configuration.load(finished.app, "tiny")
    assert {f"val_{name}" for name in finished.app.monitored} <= finished.metrics.keys()
    assert 0 <= finished.metrics["padding"] < 0.8


def test_examples_fit_the_model(finished):
    """A contract of data.py and model.py: the loss of a batch has a value an example."""
    app = finished.app
    config = configuration.load(app, finished.run / "config.yaml")
    fitted = fitted_of(app, finished.run)
    examples = app.data.examples(config.data, fitted, app.data.load(config.data, "validation"))
    inputs, _ = next(iter(examples))
    assert app.data.length(inputs).shape == ()
    assert app.data.augment is None or callable(app.data.augment(config.data, fitted))


def test_saved_model_through_tensorflow_answers_the_same(finished, records, expected):
    assert_same(finished.open("saved_model").answer(records), expected, bound_of(finished))


def test_each_row_gets_the_answer_that_it_gets_alone(finished, records, expected):
    model = finished.open("saved_model")
    for number, record in enumerate(records[:5]):
        alone = model.answer([record])
        assert_same(alone, {name: column[number : number + 1] for name, column in expected.items()})


def test_lite_float_answers_the_same_in_a_process_without_tensorflow(finished, records, tmp_path):
    device = finished.app.serving.device
    if device is None:
        pytest.skip("no on-device form")
    signature = device.open(finished.lite).reference_signature
    expected = finished.open("run").answer(records, signature)
    found = parity.ask_lite(finished.app, finished.lite / "float32.tflite", records, tmp_path)
    assert_same(found, {name: expected[name] for name in found}, 1e-3)


@pytest.mark.each_kind
def test_lite_asked_twice_answers_the_same(finished, records):
    """By several interpreters: where one keeps its memory must not matter."""
    if finished.app.serving.device is None:
        pytest.skip("no on-device form")
    first = None
    for _ in range(4):
        model = open_model(finished.app, finished.lite / "float32.tflite")
        answers = model.answer([records[0]] * 3)
        first = first or {name: [column[0]] * 3 for name, column in answers.items()}
        assert_same(answers, first, 1e-6)  # not to the last bit: sums follow where memory lies


def test_one_file_runs_in_both_runtimes(finished):
    """In LiteRT's CompiledModel as in its Interpreter: no fused LSTM, no input of any length."""
    if finished.app.serving.device is None:
        pytest.skip("no on-device form")
    name = "portable_dynamic.tflite"
    if not (finished.lite / name).is_file():
        name = "dynamic.tflite"
    if not flatbuffer.is_portable((finished.lite / name).read_bytes()):
        assert finished.app.name not in RELEASED
        pytest.skip("its signatures name no lengths")
    forms = finished.report["forms"]
    differences = [forms[key]["largest_difference"] for key in (name, f"{name}, compiled")]
    assert differences[1] == pytest.approx(differences[0], abs=1e-5)


def test_the_runner_imports_only_litert_and_numpy(finished, tmp_path):
    if finished.app.serving.device is None:
        pytest.skip("no on-device form")
    np.savez(tmp_path / "requests.npz")
    program = (
        "import runpy, sys\n"
        f"sys.argv = ['runner', {str(finished.lite / 'float32.tflite')!r}, "
        f"{str(tmp_path / 'requests.npz')!r}, {str(tmp_path / 'answers.npz')!r}]\n"
        f"runpy.run_path({str(finished.lite / 'runner.py')!r}, run_name='__main__')\n"
        "bad = {m.split('.')[0] for m in sys.modules} & {'tensorflow', 'keras', 'rnnsuite', "
        "'apps'}\n"
        "assert not bad, bad\n"
    )
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def test_dynamic_range_is_no_larger(finished):
    """Tiny weights stay as they are; of the released models it is claimed that it is smaller."""
    forms = finished.report["forms"]
    if "dynamic.tflite" in forms:
        assert forms["dynamic.tflite"]["bytes"] <= forms["float32.tflite"]["bytes"]


def test_no_cudnn_no_xla_and_no_custom_operation(finished):
    from tensorflow.core.protobuf import saved_model_pb2

    content = (finished.saved_model / "saved_model.pb").read_bytes()
    graph = saved_model_pb2.SavedModel.FromString(content).meta_graphs[0].graph_def
    nodes = [
        *graph.node,
        *(node for function in graph.library.function for node in function.node_def),
    ]
    assert len(nodes) > 20
    banned = {node.op for node in nodes if "Cudnn" in node.op or node.op.startswith("Xla")}
    assert not banned | {node.op for node in nodes if node.op == "PyFunc"}
    assert not [f for f in graph.library.function if f.attr["_XlaMustCompile"].b]


@pytest.fixture(scope="module")
def loaded(finished):
    """The SavedModel as TensorFlow has it."""
    return saved_model.load(finished.saved_model)


def test_signatures_have_named_outputs_and_any_batch(loaded):
    assert "serving_default" in loaded.signatures
    for signature in loaded.signatures.values():
        for name, value in signature.structured_outputs.items():
            assert not name.startswith("output")
            assert value.shape[0] is None


def test_serving_default_takes_the_fields_and_gives_the_answer(finished, expected):
    required = parity.required_inputs(finished.saved_model)
    assert set(required) == set(finished.app.serving.fields)
    assert set(finished.app.serving.answer.__dataclass_fields__) <= expected.keys()


@pytest.mark.each_kind
def test_warmup_requests_are_answered(finished, loaded):
    warmed = set()
    path = finished.saved_model / "assets.extra" / "tf_serving_warmup_requests"
    for content in tf.data.TFRecordDataset(str(path)):
        log = prediction_log_pb2.PredictionLog.FromString(content.numpy())
        request = log.predict_log.request
        assert request.model_spec.name == finished.app.name
        name = request.model_spec.signature_name
        warmed.add(name)
        inputs = {key: tf.constant(tf.make_ndarray(value)) for key, value in request.inputs.items()}
        assert loaded.signatures[name](**inputs)
    assert warmed == set(loaded.signatures)


@pytest.mark.parametrize("place", ["saved_model", "lite"])
def test_model_card(finished, place):
    folder = finished.saved_model / "assets.extra" if place == "saved_model" else finished.lite
    if not folder.is_dir():
        pytest.skip("no on-device form")
    card = json.loads((folder / "model_card.json").read_text())
    required = {"data", "config", "metrics", "parity", "seed", "made_with", "command", "fields"}
    assert card.keys() >= required
    assert card["metrics"] == finished.metrics
    assert card["fields"].keys() == finished.app.serving.fields.keys()
    assert finished.app.name in (folder / "model_card.md").read_text()


def test_evaluate_is_the_same_for_every_form(finished):
    app = finished.app
    if app.scoring is None:
        pytest.skip("no scoring")
    run = finished.evaluated().score.metrics
    served = evaluate(app, finished.saved_model, split="validation").score.metrics
    assert run == pytest.approx(served, rel=1e-5)
    assert run.keys() == app.scoring.metrics.keys()
    if app.serving.device is None:
        return
    device = evaluate(app, finished.lite / "float32.tflite", split="validation").score.metrics
    if app.scoring.answers:  # it asks every form the same, whatever the reference is
        assert run == pytest.approx(device, rel=1e-3)
        return
    signature = app.serving.device.open(finished.lite).reference_signature
    records = collect(app.data.load(data_section(app, finished.run, None), "validation"))
    answers = finished.open("run").answer(records, signature)
    reference = app.scoring.score(records, answers, fitted_of(app, finished.run)).metrics
    assert reference == pytest.approx(device, rel=1e-3)
    epoch = app.scoring.every_epoch
    if epoch and epoch.signature == signature:  # what training kept the best epoch by
        scored = {name: finished.metrics[f"val_{name}"] for name in epoch.metrics}
        assert scored == pytest.approx({name: reference[name] for name in scored}, abs=1e-6)


@pytest.mark.each_kind
def test_report_shows_curves_plots_and_cases(finished):
    from rnnsuite.pipeline.inference import report
    from rnnsuite.pipeline.run import Run

    evaluation = None
    if finished.app.scoring:
        evaluation = finished.evaluated()
    report.write(Run(finished.app, finished.run), evaluation)
    page = (finished.run / "report.html").read_text(encoding="utf-8")
    plots = len(evaluation.score.plots) if evaluation else 0
    assert page.count("data:image/png;base64,") >= len(finished.app.model.metrics) + plots
    if evaluation and (evaluation.score.right or evaluation.score.wrong):
        assert any(title in page for title in evaluation.score.titles)


def test_it_keeps_the_promises_of_its_kind(finished, records):
    kind = task.kind_of(finished)
    if kind is None:
        pytest.skip("of no kind that others are of")
    task.VERIFY[kind](finished, records)


def test_a_run_of_another_app_is_refused(finished, tmp_path):
    (tmp_path / "config.yaml").write_text("app: other\n")
    with pytest.raises(UserError, match=f"a run of other, not of {finished.app.name}"):
        open_model(finished.app, tmp_path)


def test_an_export_of_another_app_is_refused(finished, tmp_path):
    (tmp_path / "assets.extra").mkdir()
    (tmp_path / "assets.extra" / "model_card.json").write_text('{"config": {"app": "other"}}')
    (tmp_path / "saved_model.pb").touch()
    if finished.app.scoring is None:
        pytest.skip("no scoring")
    with pytest.raises(UserError, match=f"a model of other, not of {finished.app.name}"):
        evaluate(finished.app, tmp_path)


@pytest.mark.parametrize("damage", ["best.weights.h5", "fitted.json"])
def test_a_damaged_run_is_named(finished, tmp_path, damage):
    import shutil

    run = tmp_path / "run"
    shutil.copytree(finished.run, run)
    content = (run / damage).read_bytes()
    (run / damage).write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match=f"{damage} is damaged"):
        open_model(finished.app, run)
