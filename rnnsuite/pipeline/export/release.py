"""A run becomes a numbered version under saved_models/, whole and proven, or nothing at all."""

import contextlib
import dataclasses
import json
import logging
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from rnnsuite.app import App, OnDevice
from rnnsuite.core.context import exporting
from rnnsuite.core.errors import UserError
from rnnsuite.core.fields import Record
from rnnsuite.core.files import atomic_folder, write_json
from rnnsuite.core.weights import named_weights
from rnnsuite.data.records import collect
from rnnsuite.device import runner
from rnnsuite.pipeline.export import card, lite, parity, saved_model, warmup
from rnnsuite.pipeline.export.saved_model import Exported
from rnnsuite.pipeline.export.searched import publish
from rnnsuite.pipeline.inference.session import Session
from rnnsuite.pipeline.releases import versions
from rnnsuite.pipeline.run import Run

log = logging.getLogger(__name__)


def release(
    app: App,
    run_folder: pathlib.Path,
    to: pathlib.Path,
    version: int | None = None,
    kinds: Sequence[str] = (),
    data: str | None = None,
    overrides: Sequence[str] = (),
    search: pathlib.Path | None = None,
) -> dict[str, Any]:
    """Exports a run to TO/<app>/<version> and, for devices, to TO/<app>/lite/<version>.

    Args:
        app: the application.
        run_folder: the run.
        to: the folder of all models.
        version: one more than the newest by default.
        kinds: of .tflite files, or "none"; by default those of `export.lite`.
        data: where the records for the proof are, if they are not where training found them.
        overrides: `key=value` of data, export or the application's own sections.
        search: the folder of the search that found the run's settings, whose record goes to
            TO/<app>/search/<version>.

    Returns:
        The folders and the parity report.

    Raises:
        UserError: for an unusable run or target.
        ExportFailed: when a form does not answer as the model does; then neither folder exists.
    """
    if app.scoring and app.scoring.require:
        app.scoring.require()
    run = _overridden(Run(app, run_folder), data, overrides)
    config = run.config()
    is_asked_for = bool(kinds)
    kinds = _check_kinds(app, kinds or config.export.lite)
    version = version or _newest(to / app.name) + 1
    target = to / app.name / str(version)
    lite_target = to / app.name / "lite" / str(version) if kinds else None
    search_target = to / app.name / "search" / str(version) if search else None
    for folder in (target, lite_target, search_target):
        if folder and folder.exists():
            raise UserError(f"{folder} exists. Choose another --version.")
    exported = saved_model.open_run(run)
    if not is_asked_for:
        kinds = _without_portable(kinds, exported)
    if kinds and not any(signature.lite for signature in exported.signatures.values()):
        raise UserError(
            "No part of this model runs on devices; export it with --lite none, for servers alone."
        )
    records = app.data.load(config.data, config.export.parity_split)
    records = collect(records, config.export.parity_records)
    with contextlib.ExitStack() as stack:
        part = stack.enter_context(atomic_folder(target))
        _write_saved_model(app, exported, part)
        lite_part = stack.enter_context(atomic_folder(lite_target)) if lite_target else None
        if lite_part:
            _write_device(app, run, lite_part, kinds, exported)
        searched = {}
        if search and search_target:
            searched = publish(search, run, stack.enter_context(atomic_folder(search_target)))
        report = parity.check(run, exported, part, lite_part, records)
        described = {**card.describe(run, report, version), "search": searched}
        _write_cards(run, described, [part / "assets.extra", lite_part])
    folders = {"saved_model": str(target), **({"lite": str(lite_target)} if lite_target else {})}
    return {**folders, "parity": report}


def _overridden(run: Run, data: str | None, overrides: Sequence[str]) -> Run:
    for override in overrides:
        section = override.split(".")[0]
        if section not in ("data", "export", *run.app.serving.sections):
            raise UserError(
                f"--set {override}: the run is trained; export takes keys of data, export"
                f"{''.join(f', {name}' for name in run.app.serving.sections)}."
            )
    source = [] if data is None else [f"data.source={json.dumps(data)}"]
    return dataclasses.replace(run, overrides=(*source, *overrides))


def _write_saved_model(app: App, exported: Exported, folder: pathlib.Path) -> None:
    weights = named_weights(exported.trained.model)
    kind = exported.trained.config.export.weights
    stored_as = None if kind == "float32" else kind
    with exporting("served"):
        saved_model.write(exported.signatures, folder, stored_as=stored_as, weights=weights)
    warmup.write_warmup(exported.signatures, app.name, folder)


def _write_cards(
    run: Run, described: Mapping[str, Any], folders: Sequence[pathlib.Path | None]
) -> None:
    exported = run.app.serving.exported
    fitted = exported(run.fitted()) if exported else run.fitted()
    for folder in folders:
        if folder:
            card.write(described, folder)
            write_json(folder / "fitted.json", dataclasses.asdict(fitted))
            if run.calibration():
                write_json(folder / "calibration.json", run.calibration())


def _check_kinds(app: App, kinds: Sequence[str]) -> tuple[str, ...]:
    chosen = []
    for kind in kinds:
        chosen += lite.PORTABLE if kind == "portable" else [kind] * (kind != "none")
    for kind in chosen:
        if kind not in lite.KINDS:
            names = ", ".join(lite.KINDS)
            raise UserError(f"--lite {kind}: unknown kind. Known: {names}, portable, none.")
    return tuple(chosen) if app.serving.device else ()


def _without_portable(kinds: Sequence[str], exported: Exported) -> tuple[str, ...]:
    """The kinds, without the portable ones where a signature of any length names no lengths."""
    try:
        lite.of_static_shape({name: s for name, s in exported.signatures.items() if s.lite})
    except UserError as error:
        log.warning("No portable .tflite: %s", error)
        return tuple(kind for kind in kinds if kind not in lite.PORTABLE)
    return tuple(kinds)


def _newest(folder: pathlib.Path) -> int:
    return max((int(version.name) for version in versions(folder)), default=0)


def _write_device(
    app: App, run: Run, folder: pathlib.Path, kinds: Sequence[str], exported: Exported
) -> None:
    assert app.serving.device
    for name, content in app.serving.device.files(exported.trained).items():
        (folder / name).write_bytes(content)
    calibration: list[Mapping[str, Any]] = []
    if "int8" in kinds:
        config = exported.trained.config
        records = collect(app.data.load(config.data, "train"), config.export.calibration_records)
        device = app.serving.device.open(folder)
        calibration = [device.request(record) for record in records]
        stream = app.serving.stream
        if stream and stream.signature in exported.signatures and device.chunks:
            calibration += _streamed(app, run, device, records)
    lite.convert(run, folder, kinds, calibration)
    (folder / "runner.py").write_bytes(pathlib.Path(runner.__file__).read_bytes())


def _streamed(
    app: App, run: Run, device: OnDevice, records: Sequence[Record]
) -> list[dict[str, Any]]:
    """The streaming signature's inputs, states included, while the records go through it."""
    assert app.serving.stream
    assert device.chunks
    session = Session(app, run.folder, app.serving.stream.signature)
    requests = []
    for record in records:
        for chunk in device.chunks(record):
            requests.append(session.request(chunk))
            session(chunk)
    return requests[:: max(len(requests) // (10 * len(records)), 1)]
