"""A run becomes a numbered version under saved_models/, whole and proven, or nothing at all."""

import contextlib
import dataclasses
import importlib.metadata
import json
import pathlib
import platform
import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rnnsuite import __version__, evaluate, predict
from rnnsuite import config as configuration
from rnnsuite.app import App, OnDevice, Signature
from rnnsuite.errors import UserError
from rnnsuite.export import lite as lite_form
from rnnsuite.export import parity, runner, saved_model, serving
from rnnsuite.files import whole_folder, write_json, write_text
from rnnsuite.layers.form import exporting
from rnnsuite.run import Run

PACKAGES = ("tensorflow", "tensorflow-text", "keras", "ai-edge-litert", "numpy")


def release(
    app: App, run_folder: pathlib.Path, to: pathlib.Path, version: int | None = None, kinds: Sequence[str] = ()
) -> dict[str, Any]:
    """Exports a run to TO/<app>/<version> and TO/<app>/lite/<version> and gives the parity report.

    Raises UserError for an unusable run or target and ExportFailed when a form does not
    answer as the model does; then neither folder exists.
    """
    run = Run(app, run_folder)
    config = run.config()
    kinds = _kinds(kinds or config.export.lite)
    version = version or _newest(to / app.name) + 1
    target, lite_target = to / app.name / str(version), to / app.name / "lite" / str(version)
    for folder in (target, *([lite_target] if kinds else [])):
        if folder.exists():
            raise UserError(f"{folder} exists. Choose another --version.")
    signatures = saved_model.exported(run)
    records = evaluate.collect(app.load(config.data, config.export.parity_split), config.export.parity_records)
    with whole_folder(target) as part, contextlib.ExitStack() as stack:
        with exporting("served"):
            saved_model.write(signatures, part, half=config.export.weights == "float16")
        serving.write_warmup(signatures, app.name, part)
        lite_part = stack.enter_context(whole_folder(lite_target)) if kinds else None
        if lite_part:
            _write_device(app, run, lite_part, kinds, config, signatures)
        report = parity.check(run, signatures, part, lite_part, records)
        card = _card(run, config, report, version)
        for folder in (part / "assets.extra", *([lite_part] if lite_part else [])):
            _write_card(card, folder)
            write_json(folder / "fitted.json", dataclasses.asdict(run.fitted()))
    return {"saved_model": str(target), **({"lite": str(lite_target)} if kinds else {}), "parity": report}


def _kinds(asked: Sequence[str]) -> tuple[str, ...]:
    kinds = tuple(kind for kind in asked if kind != "none")
    for kind in kinds:
        if kind not in lite_form.KINDS:
            raise UserError(f"--lite {kind}: unknown kind. Known: {', '.join(lite_form.KINDS)}, none.")
    return kinds


def _newest(folder: pathlib.Path) -> int:
    return max((int(each.name) for each in folder.glob("*") if each.name.isdigit()), default=0)


def _write_device(
    app: App, run: Run, folder: pathlib.Path, kinds: tuple[str, ...], config: Any, signatures: Mapping[str, Signature]
) -> None:
    for name, content in app.carried(config, run.fitted()).items():
        (folder / name).write_bytes(content)
    calibration = []
    if "int8" in kinds:
        records = evaluate.collect(app.load(config.data, "train"), config.export.calibration_records)
        device = app.on_device(folder)
        calibration = [device.request(record) for record in records]
        if app.stream and app.stream.signature in signatures and device.pieces:
            calibration += _streamed(app, run, device, records)
    lite_form.convert(app, run.folder, folder, kinds, calibration)
    (folder / "runner.py").write_bytes(pathlib.Path(runner.__file__).read_bytes())


def _streamed(app: App, run: Run, device: OnDevice, records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The streaming signature's inputs, states included, while the records go through it one after another."""
    session, found = predict.Session(app, run.folder, app.stream.signature), []
    for record in records:
        for piece in device.pieces(record):
            found.append(session.request(piece))
            session(piece)
    return found[:: max(len(found) // (10 * len(records)), 1)]


def _card(run: Run, config: Any, report: Mapping[str, Any], version: int) -> dict[str, Any]:
    return {
        "name": run.app.name,
        "version": version,
        "data": config.data.source,
        "seed": config.seed,
        "metrics": run.metrics() or _unfinished(run),
        "parity": report,
        "config": configuration.plain(config),
        "made_with": {
            "rnnsuite": __version__,
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in PACKAGES},
        },
        "command": shlex.join(["rnnsuite", *sys.argv[1:]]),
    }


def _unfinished(run: Run) -> dict[str, Any]:
    return {"note": f"training had not ended; {len(run.history())} epochs done"}


def _write_card(card: Mapping[str, Any], folder: pathlib.Path) -> None:
    write_json(folder / "model_card.json", card)
    forms = "".join(
        f"| {name} | {form.get('largest_difference', 0):.1e} | {_score(form)} | {form.get('bytes', '')} |\n"
        for name, form in card["parity"]["forms"].items()
    )
    metrics = "".join(f"| {name} | {value} |\n" for name, value in card["metrics"].items())
    text = (
        f"# {card['name']}, version {card['version']}\n\nTrained on `{card['data']}`, seed {card['seed']}.\n\n"
        f"| metric | value |\n|---|---|\n{metrics}\n"
        f"## Parity on {card['parity']['records']} records of the {card['parity']['split']} split\n\n"
        f"| form | largest difference | score | bytes |\n|---|---|---|---|\n{forms}\n"
        f"## Made with\n\n`{card['command']}`\n\n```json\n{json.dumps(card['made_with'], indent=2)}\n```\n\n"
        f"## Configuration\n\n```json\n{json.dumps(card['config'], indent=2)}\n```\n"
    )
    write_text(folder / "model_card.md", text)


def _score(form: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} {value:.4f}" for name, value in form.items() if name not in ("largest_difference", "unequal", "bytes")
    )
