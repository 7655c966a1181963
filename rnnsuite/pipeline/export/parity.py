"""The proof that every exported form answers as the Keras model does.

Each form is moved elsewhere and asked in a child process that knows nothing of us.
"""

import json
import logging
import pathlib
import shutil
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rnnsuite.app import App, OnDevice
from rnnsuite.core.errors import ExportFailed, UserError
from rnnsuite.core.fields import Record, group_by_shape
from rnnsuite.core.files import temporary_folder
from rnnsuite.device import runner
from rnnsuite.pipeline.export import child, flatbuffer, gate, litertjs, loader
from rnnsuite.pipeline.export import lite as lite_files
from rnnsuite.pipeline.export.gate import Form
from rnnsuite.pipeline.export.saved_model import Exported
from rnnsuite.pipeline.inference.models import open_model
from rnnsuite.pipeline.inference.predictor import DEFAULT, graph_predictor
from rnnsuite.pipeline.inference.rows import Answers, gather
from rnnsuite.pipeline.inference.saved_model import required_inputs
from rnnsuite.pipeline.run import Run

BATCH = 16
log = logging.getLogger(__name__)
DEFAULT_RUNTIME = runner.RUNTIMES[0]


def check(
    run: Run,
    exported: Exported,
    saved_model: pathlib.Path,
    lite: pathlib.Path | None,
    records: Sequence[Record],
) -> dict[str, Any]:
    """Compares all forms on the same records.

    Args:
        run: what was exported.
        exported: its Keras model, as every form has it.
        saved_model: the SavedModel's folder.
        lite: the folder of the .tflite files, if any.
        records: held-out records.

    Returns:
        The parity report: the largest difference and the primary score of every form.

    Raises:
        ExportFailed: where one is over its bound.
    """
    scoring = run.app.scoring
    bounds = run.config().export
    forms = _compare(run, exported, saved_model, lite, records)
    metric = scoring.primary if scoring else None
    gate.check(forms, bounds, scoring.metrics[scoring.primary] if scoring else None, metric)
    reports = {name: form.report(metric) for name, form in forms.items()}
    return {"records": len(records), "split": bounds.parity_split, "forms": reports}


def _compare(
    run: Run,
    exported: Exported,
    saved_model: pathlib.Path,
    lite: pathlib.Path | None,
    records: Sequence[Record],
) -> dict[str, Form]:
    score = _primary_score(run, records)
    forms: dict[str, Form] = {}

    def add(
        name: str,
        answers: Answers,
        reference: str | None,
        expected: Answers | None,
        size: int | None = None,
        file: str | None = None,
    ):
        measured = score(answers)
        redrawn = 0.0
        if expected:
            drawn = run.app.serving.drawn
            answers, redrawn = gate.set_redrawn_aside(expected, answers, drawn)
        difference, unequal = gate.largest_difference(expected, answers) if expected else (None, 0)
        forms[name] = Form(name, reference, measured, difference, unequal, size, redrawn, file)

    keras = graph_predictor("run", exported.signatures)
    expected = keras.answer(records)
    is_rounded = exported.trained.config.export.weights != "float32"
    if is_rounded:
        add("keras float32", open_model(run.app, run.folder).answer(records), None, None)
    add("keras", expected, "keras float32" if is_rounded else None, None)
    with temporary_folder() as place:
        moved = pathlib.Path(shutil.copytree(saved_model, place / "moved"))
        add("saved_model", ask_saved_model(moved, records, list(expected)), "keras", expected)
        if lite is None or run.app.serving.device is None:
            return forms
        reference = "keras"
        signature = run.app.serving.device.open(lite).reference_signature
        if signature != DEFAULT:
            reference = f"keras {signature}"
            expected = keras.answer(records, signature)
            add(reference, expected, None, None)
        for path in sorted(lite.glob("*.tflite")):
            for runtime in _runtimes(path):
                answers = ask_lite(run.app, path, records, place, runtime)
                kind = path.name.removeprefix(lite_files.PREFIX)
                name = path.name if runtime == DEFAULT_RUNTIME else f"{path.name}, {runtime}"
                add(name, answers, reference, expected, path.stat().st_size, kind)
    return forms


def _runtimes(path: pathlib.Path) -> tuple[str, ...]:
    """The runtimes that a file is for. Raises ExportFailed for a portable one that is not."""
    if flatbuffer.is_portable(path.read_bytes()):
        missing = litertjs.missing()
        if missing:
            log.info("LiteRT.js is not asked: %s.", missing)
        return (*runner.RUNTIMES, *([] if missing else [litertjs.NAME]))
    if path.name.startswith(lite_files.PREFIX):
        raise ExportFailed(f"{path.name} has inputs of any length, or keeps state between calls.")
    return (DEFAULT_RUNTIME,)


def _primary_score(run: Run, records: Sequence[Record]) -> Callable[[Answers], float | None]:
    scoring = run.app.scoring
    if scoring is None:
        return lambda answers: None
    fitted = run.fitted()
    return lambda answers: scoring.score(records, answers, fitted).metrics[scoring.primary]


def ask_saved_model(
    folder: pathlib.Path, records: Sequence[Record], names: Sequence[str]
) -> Answers:
    """Answers of serving_default, by a process that imports only TensorFlow and TF-Text.

    Args:
        folder: the SavedModel.
        records: values by the names of its inputs; their shapes may differ.
        names: the outputs wanted.

    Returns:
        An array a name, with one row a record.

    Raises:
        ExportFailed: where the process fails.
    """
    inputs = required_inputs(folder)
    groups = group_by_shape(records, inputs, BATCH)
    batches = [
        {name: [_plain(records[i][name]) for i in indices] for name in inputs} for indices in groups
    ]
    with temporary_folder() as place:
        requests = place / "requests.json"
        answers = place / "answers.json"
        requests.write_text(json.dumps(batches), encoding="utf-8")
        child.run_file(loader.__file__, folder, requests, answers)
        results = json.loads(answers.read_text(encoding="utf-8"))
    rows: list[Any] = [None] * len(records)
    for indices, batch in zip(groups, results, strict=True):
        for row, i in enumerate(indices):
            rows[i] = {name: loader.decode(batch[name][row]) for name in names}
    return gather(rows)


def ask_lite(
    app: App,
    path: pathlib.Path,
    records: Sequence[Record],
    place: pathlib.Path,
    runtime: str = DEFAULT_RUNTIME,
) -> Answers:
    """Answers of a .tflite file, by a process that imports only ai-edge-litert and numpy.

    Args:
        app: the application.
        path: the file, with what travels with it beside it.
        records: raw records.
        place: a folder for the requests.
        runtime: of LiteRT's, see `rnnsuite.device.runner`; or `litertjs.NAME`.

    Returns:
        An array a name, with one row a record.

    Raises:
        ExportFailed: where the process fails.
    """
    if app.serving.device is None:
        raise UserError(f"{app.name} has no on-device form.")
    device = app.serving.device.open(path.parent)
    if runtime == litertjs.NAME:
        return _ask_litertjs(device, path, records)
    requests = place / "requests.npz"
    answers = place / "answers.npz"
    arrays = {
        f"{number}/{name}": value
        for number, record in enumerate(records)
        for name, value in device.request(record).items()
    }
    np.savez(requests, **arrays)
    program = path.parent / pathlib.Path((device.runner or runner).__file__).name
    words = [device.signature] if device.signature else []
    child.run_beside(program, path, requests, answers, *words, "--runtime", runtime)
    outputs: list[dict[str, np.ndarray]] = [{} for _ in records]
    with np.load(answers, allow_pickle=False) as stored:
        for key in stored.files:
            number, name = key.split("/")
            outputs[int(number)][name] = stored[key]
    return gather([device.answer(output) for output in outputs])


def _ask_litertjs(device: OnDevice, path: pathlib.Path, records: Sequence[Record]) -> Answers:
    """Answers of a .tflite file by LiteRT.js, which the decode loop in Python asks."""
    opened = (device.runner or runner).open_model
    model = opened(str(path), device.signature, litertjs.NodeEngine)
    try:
        return gather([device.answer(model(**device.request(record))) for record in records])
    finally:
        model.file.engine.close()


def _plain(value: Any) -> Any:
    return loader.encode(value.tolist() if isinstance(value, np.ndarray | np.generic) else value)
