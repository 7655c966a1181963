"""The folder of one training: what is in it, and the model it holds."""

import csv
import dataclasses
import hashlib
import io
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import pydantic

from rnnsuite import catalog
from rnnsuite.app import App, Signature, Start, Trained
from rnnsuite.core.errors import UserError
from rnnsuite.core.files import (
    as_user_error,
    atomic_file,
    read_json,
    read_yaml,
    write_json,
    write_text,
)
from rnnsuite.core.text import one_line
from rnnsuite.core.weights import named_weights
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.config import Config, Schema

UNBOUND_SECTIONS = ("tune", "export")
"""Shared sections that say nothing about the training; nor do an application's further ones."""
ENTRIES = (
    "config.yaml",
    "data.json",
    "fitted.json",
    "calibration.json",
    "checkpoints",
    "best.weights.h5",
    "history.csv",
    "health.json",
    "events",
    "metrics.json",
    "report.html",
    "skipped.txt",
    ".lock",
)
"""All that a run folder may hold."""
TIMING_COLUMNS = ("seconds", "compile_seconds", "first_calls")
"""Timing columns, ignored when histories are compared. The last is version 0.1.0's."""


@dataclasses.dataclass(frozen=True)
class Run:
    """Paths and contents of a run folder.

    config.yaml (the effective one), data.json (what was trained on), skipped.txt (records that were
    left out), fitted.json, calibration.json, checkpoints/, best.weights.h5, history.csv,
    health.json, events/ for TensorBoard, metrics.json (once training has ended), report.html.

    Args:
        app: the application.
        folder: the run folder, which need not exist yet.
        overrides: `key=value`, applied on top of the configuration that is in the folder.
    """

    app: App
    folder: pathlib.Path
    overrides: tuple[str, ...] = ()

    @property
    def checkpoints(self) -> pathlib.Path:
        return self.folder / "checkpoints"

    @property
    def weights(self) -> pathlib.Path:
        return self.folder / "best.weights.h5"

    @property
    def finished(self) -> bool:
        return (self.folder / "metrics.json").is_file()

    @property
    def has_progress(self) -> bool:
        """Whether anything has been trained: without, the folder claims nothing."""
        return self.finished or any(self.checkpoints.glob("*.npz"))

    def config(self) -> Config:
        """The run's configuration. Raises UserError for no run, or one of another application."""
        values = read_config(self.folder)
        if values.get("app") != self.app.name:
            raise UserError(
                f"{self.folder} is a run of {values.get('app')}, not of {self.app.name}."
            )
        schema = Schema.of(self.app)
        values = schema.override(schema.upgrade(values), self.overrides)
        return schema.build(values, str(self.folder / "config.yaml"))

    def save_data(self, values: Mapping[str, Any]) -> None:
        with as_user_error(self.folder):
            write_json(self.folder / "data.json", dict(values))

    def data(self) -> dict[str, Any]:
        """What the run was trained on: `files`, `splits`, `skipped`; empty for an old run."""
        path = self.folder / "data.json"
        return read_json(path) if path.is_file() else {}

    def save_skipped(self, messages: Sequence[str]) -> None:
        """Writes skipped.txt, a line for each record that was left out."""
        with as_user_error(self.folder):
            write_text(self.folder / "skipped.txt", "".join(f"{line}\n" for line in messages))

    def save_fitted(self, fitted: Any) -> None:
        with as_user_error(self.folder):
            write_json(self.folder / "fitted.json", dataclasses.asdict(fitted))

    def fitted(self) -> Any:
        """What was fitted on train; None where training has not come that far."""
        path = self.folder / "fitted.json"
        return load_fitted(self.app, path) if path.is_file() else None

    def save_calibration(self, values: Mapping[str, Any]) -> None:
        with as_user_error(self.folder):
            write_json(self.folder / "calibration.json", dict(values))

    def calibration(self) -> dict[str, Any]:
        """What was learned after training; empty where nothing was."""
        path = self.folder / "calibration.json"
        return read_json(path) if path.is_file() else {}

    def save_weights(self, model: Any) -> None:
        with as_user_error(self.folder), atomic_file(self.weights) as part:
            model.save_weights(part)

    def model(self) -> Any:
        """The Keras model with the best epoch's weights, in float32. Raises UserError."""
        return self.trained().model

    def trained(self, overrides: Sequence[str] = ()) -> Trained:
        """The trained model and what serving it needs.

        Args:
            overrides: `key=value` of sections that bind no training.

        Returns:
            A `Trained` with the best epoch's weights, in float32.

        Raises:
            UserError: for a run without weights, or a damaged one.
        """
        config = self.config()
        fitted = self.fitted()
        if fitted is None or not self.weights.is_file():
            raise UserError(
                f"{self.folder} has no trained weights yet. Train it first: rnnsuite train "
                f"{self.app.name}."
            )
        if overrides:
            schema = Schema.of(self.app)
            config = schema.build(schema.override(configuration.plain(config), overrides))
        model = self.app.model.build(config.model, fitted)
        try:
            model.load_weights(self.weights)
        except (OSError, ValueError, KeyError, RuntimeError) as error:  # the last is h5py's
            raise UserError(
                f"{self.weights} is damaged or of another model: {one_line(error)}"
            ) from error
        return Trained(config=config, fitted=fitted, model=model, calibration=self.calibration())

    def signatures(self, overrides: Sequence[str] = ()) -> Mapping[str, Signature]:
        """The ways to ask `model()`; overrides as `trained` takes them. Raises UserError."""
        return self.app.serving.signatures(self.trained(overrides))

    def save_history(self, rows: Sequence[Mapping[str, float]]) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        with as_user_error(self.folder):
            write_text(self.folder / "history.csv", text.getvalue())

    def history(self) -> list[dict[str, float]]:
        """A row for each epoch."""
        path = self.folder / "history.csv"
        if not path.is_file():
            return []
        with open(path, encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        return [{key: float(value) for key, value in row.items()} for row in rows]

    def save_health(self, rows: Sequence[Mapping[str, Any]]) -> None:
        with as_user_error(self.folder):
            write_json(self.folder / "health.json", rows)

    def health(self) -> list[dict[str, Any]]:
        """Gradient health at the end of every epoch; see `rnnsuite.pipeline.train.health`."""
        path = self.folder / "health.json"
        return read_json(path) if path.is_file() else []

    def save_metrics(self, metrics: Mapping[str, Any]) -> None:
        with as_user_error(self.folder):
            # A report of an earlier, shorter training would be outdated.
            (self.folder / "report.html").unlink(missing_ok=True)
            write_json(self.folder / "metrics.json", metrics)

    def metrics(self) -> dict[str, Any]:
        return read_json(self.folder / "metrics.json") if self.finished else {}


def read_config(folder: pathlib.Path) -> dict[str, Any]:
    """A run's configuration as plain values. Raises UserError when the folder is no run."""
    path = folder / "config.yaml"
    if not path.is_file():
        raise UserError(f"{folder} is no run: it has no config.yaml.")
    return read_yaml(path)


def open_start(folder: pathlib.Path) -> Start:
    """A run of any application as something to start from. Raises UserError."""
    app = catalog.find(str(read_config(folder).get("app")))
    trained = Run(app, folder).trained()
    return Start(
        app=app.name,
        config=configuration.plain(trained.config),
        fitted=dataclasses.asdict(trained.fitted),
        weights={name: weight.numpy() for name, weight in named_weights(trained.model).items()},
    )


def default_folder(app: str, name: str, config: Config) -> pathlib.Path:
    """runs/<app>/<name>-<hash>: equal settings, equal folder, so that the same command resumes."""
    values = configuration.plain(config)
    unbound = (*UNBOUND_SECTIONS, *config.sections)
    bound = {key: value for key, value in values.items() if key not in unbound}
    digest = hashlib.sha256(json.dumps(bound, sort_keys=True).encode()).hexdigest()[:8]
    return pathlib.Path("runs") / app / f"{name}-{digest}"


def load_fitted(app: App, path: pathlib.Path) -> Any:
    """A `fitted` value from its JSON file. Raises UserError for a damaged or another app's."""
    return parse_fitted(app, read_json(path), path)


def parse_fitted(app: App, value: Any, origin: Any) -> Any:
    """A `fitted` value from its plain values. Raises UserError that names `origin`."""
    try:
        return pydantic.TypeAdapter(app.data.fitted).validate_python(value)
    except pydantic.ValidationError as error:
        raise UserError(f"{origin} is damaged, or not of {app.name}.") from error
