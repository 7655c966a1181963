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

from rnnsuite import config as configuration
from rnnsuite.app import App, Signature
from rnnsuite.errors import UserError
from rnnsuite.files import PART, explained, read_json, whole_file, write_json, write_text

TIMES = ("seconds", "first_calls")
"""Columns of the history in which two equal trainings differ: of the epoch, and of those calls in it that compile."""
LATER = ("tune", "export", "stream", "decode")
"""Sections of the configuration that say nothing about the training."""


@dataclasses.dataclass(frozen=True)
class Run:
    """Paths and contents of a run folder.

    config.yaml (the effective one), fitted.json, checkpoints/, best.weights.h5, history.csv,
    health.json, events/ for TensorBoard, metrics.json (there once training has ended), report.html.
    """

    app: App
    folder: pathlib.Path

    @property
    def checkpoints(self) -> pathlib.Path:
        return self.folder / "checkpoints"

    @property
    def weights(self) -> pathlib.Path:
        return self.folder / "best.weights.h5"

    @property
    def finished(self) -> bool:
        return (self.folder / "metrics.json").is_file()

    def start(self, config: Any) -> None:
        """Claims the folder for `config`, or checks that it is this configuration's already.

        What `LATER` names does not bind it, nor how many machines train, and `train.epochs` may grow. Raises UserError.
        """
        path = self.folder / "config.yaml"
        if path.is_file():
            changed = _differences(configuration.plain(self.config()), configuration.plain(config))
            changed = {key for key in changed if key.split(".")[0] not in LATER} - {"train.epochs", "train.strategy"}
            if changed:
                raise UserError(
                    f"{self.folder} holds a run with other settings ({', '.join(sorted(changed))}). "
                    "Choose another folder with --run, or delete it."
                )
        elif self.folder.is_dir() and not all(each.name.startswith(PART) for each in self.folder.iterdir()):
            raise UserError(f"{self.folder} is neither empty nor a run. Choose another folder with --run.")
        with explained(self.folder):
            write_text(path, configuration.dump(config))

    def config(self) -> Any:
        """The run's configuration. Raises UserError when the folder is no run, or one of another application."""
        path = self.folder / "config.yaml"
        if not path.is_file():
            raise UserError(f"{self.folder} is no run: it has no config.yaml.")
        values = configuration.read_yaml(path)
        if values.get("app") != self.app.name:
            raise UserError(f"{self.folder} is a run of {values.get('app')}, not of {self.app.name}.")
        return configuration.build(self.app, values, str(path))

    def save_fitted(self, fitted: Any) -> None:
        with explained(self.folder):
            write_json(self.folder / "fitted.json", dataclasses.asdict(fitted))

    def fitted(self) -> Any:
        """What was fitted on train; None where training has not come that far."""
        path = self.folder / "fitted.json"
        return load_fitted(self.app, path) if path.is_file() else None

    def save_weights(self, model: Any) -> None:
        with explained(self.folder), whole_file(self.weights) as part:
            model.save_weights(part)

    def model(self) -> Any:
        """The Keras model with the best epoch's weights, in float32. Raises UserError."""
        config, fitted = self.config(), self.fitted()
        if fitted is None or not self.weights.is_file():
            raise UserError(
                f"{self.folder} has no trained weights yet. Train it first: rnnsuite train {self.app.name}."
            )
        model = self.app.build(config.model, fitted)
        try:
            model.load_weights(self.weights)
        except (OSError, ValueError, KeyError) as error:
            raise UserError(f"{self.weights} is damaged or of another model: {_line(error)}") from error
        return model

    def signatures(self, overrides: Sequence[str] = ()) -> Mapping[str, Signature]:
        """The ways to ask `model()`, with `key=value` overrides of the `decode` section. Raises UserError."""
        config = self.config()
        if overrides:
            values = configuration.apply(self.app, configuration.plain(config), overrides)
            config = configuration.build(self.app, values)
        return self.app.asked(config, self.fitted(), self.model())

    def save_history(self, rows: Sequence[Mapping[str, float]]) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        with explained(self.folder):
            write_text(self.folder / "history.csv", text.getvalue())

    def history(self) -> list[dict[str, float]]:
        path = self.folder / "history.csv"
        if not path.is_file():
            return []
        with open(path, encoding="utf-8", newline="") as stream:
            return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(stream)]

    def save_health(self, rows: Sequence[Mapping[str, Any]]) -> None:
        with explained(self.folder):
            write_json(self.folder / "health.json", rows)

    def health(self) -> list[dict[str, Any]]:
        """What `rnnsuite.health` found at the end of every epoch."""
        path = self.folder / "health.json"
        return read_json(path) if path.is_file() else []

    def save_metrics(self, metrics: Mapping[str, Any]) -> None:
        with explained(self.folder):
            (self.folder / "report.html").unlink(missing_ok=True)  # of an earlier, shorter training
            write_json(self.folder / "metrics.json", metrics)

    def metrics(self) -> dict[str, Any]:
        return read_json(self.folder / "metrics.json") if self.finished else {}


def default_folder(app: App, name: str, config: Any) -> pathlib.Path:
    """runs/<app>/<name>-<hash>: the same settings have the same folder, so that the same command resumes."""
    bound = {key: value for key, value in configuration.plain(config).items() if key not in LATER}
    digest = hashlib.sha256(json.dumps(bound, sort_keys=True).encode()).hexdigest()[:8]
    return pathlib.Path("runs") / app.name / f"{name}-{digest}"


def load_fitted(app: App, path: pathlib.Path) -> Any:
    """A `fitted` value from its JSON file. Raises UserError when it is damaged or another application's."""
    return revived(app, read_json(path), path)


def revived(app: App, value: Any, origin: Any) -> Any:
    """A `fitted` value from its plain values. Raises UserError that names `origin`."""
    try:
        return pydantic.TypeAdapter(app.fitted).validate_python(value)
    except pydantic.ValidationError as error:
        raise UserError(f"{origin} is damaged, or not of {app.name}.") from error


def _differences(one: Mapping, other: Mapping, prefix: str = "") -> set[str]:
    found = set()
    for key in one.keys() | other.keys():
        left, right = one.get(key), other.get(key)
        if isinstance(left, dict) and isinstance(right, dict):
            found |= _differences(left, right, f"{prefix}{key}.")
        elif left != right:
            found.add(prefix + key)
    return found


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
