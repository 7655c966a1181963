"""The proof that every exported form answers as the Keras model does."""

import json
import pathlib
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rnnsuite import predict
from rnnsuite.app import App, Signature
from rnnsuite.config import Export
from rnnsuite.export import child, loader, runner
from rnnsuite.run import Run

BATCH = 16
Records = Sequence[Mapping[str, Any]]


def check(
    run: Run,
    signatures: Mapping[str, Signature],
    saved_model: pathlib.Path,
    lite: pathlib.Path | None,
    records: Records,
) -> dict[str, Any]:
    """Compares all forms on the same records, each moved elsewhere and run in a child process.

    signatures: of the Keras model that was exported. Gives the largest difference and the
    headline score of every form. Raises ExportFailed where one is over its bound.
    """
    app, bounds, forms, fitted = run.app, run.config().export, {}, run.fitted()

    def score(answers: predict.Answers) -> dict[str, float]:
        return {app.headline: app.score(records, answers, fitted).metrics[app.headline]}

    if bounds.weights != "float32":
        forms["keras float32"] = score(predict.open_model(app, run.folder).answer(records))
    keras = predict.of_signatures("run", signatures)
    expected = keras.answer(records)
    forms["keras"] = score(expected)
    with tempfile.TemporaryDirectory() as place:
        moved = pathlib.Path(shutil.copytree(saved_model, pathlib.Path(place) / "moved"))
        served = ask_saved_model(moved, records, list(expected))
        forms["saved_model"] = _compare(score, expected, served)
        like = app.on_device(lite).like if lite else "serving_default"
        if like != "serving_default":
            expected = keras.answer(records, like)
            forms[f"keras {like}"] = score(expected)
        for path in sorted(lite.glob("*.tflite")) if lite else ():
            answers = ask_lite(app, path, records, pathlib.Path(place))
            forms[path.name] = {**_compare(score, expected, answers), "bytes": path.stat().st_size}
    _judge(app, forms, bounds)
    return {"records": len(records), "split": bounds.parity_split, "forms": forms}


def ask_saved_model(folder: pathlib.Path, records: Records, names: Sequence[str]) -> predict.Answers:
    """Answers of a SavedModel's serving_default, by a process that imports only TensorFlow and TF-Text."""
    with tempfile.TemporaryDirectory() as place:
        requests, answers = pathlib.Path(place) / "requests.json", pathlib.Path(place) / "answers.json"
        inputs = predict.inputs_of(folder)
        batches = [
            {name: [_plain(record[name]) for record in records[start : start + BATCH]] for name in inputs}
            for start in range(0, len(records), BATCH)
        ]
        requests.write_text(json.dumps(batches), encoding="utf-8")
        child.run(loader.__file__, folder, requests, answers)
        found = json.loads(answers.read_text(encoding="utf-8"))
    rows = [
        {name: loader.decode(batch[name][row]) for name in names}
        for batch in found
        for row in range(len(batch[names[0]]))
    ]
    return predict.gather(rows)


def ask_lite(app: App, path: pathlib.Path, records: Records, place: pathlib.Path) -> predict.Answers:
    """Answers of a .tflite file, by a process that imports only ai-edge-litert and numpy."""
    device = app.on_device(path.parent)
    requests, answers = place / "requests.npz", place / "answers.npz"
    fed = {f"{i}/{name}": value for i, record in enumerate(records) for name, value in device.request(record).items()}
    np.savez(requests, **fed)
    program = (device.program or runner).__file__
    child.run(program, path, requests, answers, *([device.signature] if device.signature else []))
    outputs: list[dict[str, np.ndarray]] = [{} for _ in records]
    with np.load(answers, allow_pickle=False) as stored:
        for key in stored.files:
            number, name = key.split("/")
            outputs[int(number)][name] = stored[key]
    return predict.gather([device.answer(each) for each in outputs])


def _plain(value: Any) -> Any:
    return loader.encode(value.tolist() if isinstance(value, np.ndarray | np.generic) else value)


def _compare(score: Callable, expected: predict.Answers, answers: predict.Answers) -> dict[str, Any]:
    differences, unequal = [0.0], 0
    for name, values in answers.items():
        if values.dtype.kind == "f":
            differences.append(float(np.max(np.abs(values - expected[name]))))
        else:
            unequal += int(np.sum(np.asarray(values != expected[name])))
    return {"largest_difference": max(differences), "unequal": unequal, **score(answers)}


def _judge(app: App, forms: Mapping[str, Mapping[str, Any]], bounds: Export) -> None:
    limits = {"saved_model": bounds.saved_model_bound, "float32.tflite": bounds.lite_bound}
    reference, faults = 0.0, []
    drops = {"keras": bounds.float16_drop, "int8.tflite": bounds.int8_drop}
    for name, form in forms.items():
        if name in limits and not (form["largest_difference"] <= limits[name] and form["unequal"] == 0):
            faults.append(
                f"{name}: answers differ by up to {form['largest_difference']:.2g} (bound {limits[name]:g}), "
                f"{form['unequal']} are unequal"
            )
        if reference - form[app.headline] > drops.get(name, bounds.dynamic_drop) and not name.startswith("keras "):
            faults.append(f"{name}: {app.headline} {form[app.headline]:.4f}, the Keras model has {reference:.4f}")
        if name.startswith("keras"):
            reference = form[app.headline]  # of those that follow
    if faults:
        raise child.ExportFailed("The export does not answer as the model does. " + "; ".join(faults) + ".")
