"""rnnsuite from Python: what the commands of the shell do, with their names.

```python
import rnnsuite

model = rnnsuite.load("sentiment")
model.predict("A wonderful film.").label  # pos
```
"""

import dataclasses
import json
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rnnsuite import catalog
from rnnsuite.app import App
from rnnsuite.core.errors import UserError
from rnnsuite.core.fields import Record, record_from_json, record_from_text
from rnnsuite.pipeline import releases
from rnnsuite.pipeline.asked import asked
from rnnsuite.pipeline.inference import models, rows
from rnnsuite.pipeline.inference.evaluate import Evaluation, evaluate
from rnnsuite.pipeline.inference.live import Live
from rnnsuite.pipeline.inference.predictor import DEFAULT, Predictor
from rnnsuite.pipeline.inference.session import Session
from rnnsuite.pipeline.run import default_folder
from rnnsuite.pipeline.train import listeners

Value = str | Mapping[str, Any]
"""A request: what a person types (a text, a path to a file, JSON), or a value for every field."""


class Model:
    """A trained model: a run, a SavedModel or a .tflite file.

    Args:
        app: its application.
        path: where it is.
        settings: `key=value` of a run's sections that bind no training, such as decode.

    Raises:
        UserError: for no model, a damaged one, or one of another application.
    """

    def __init__(self, app: App, path: pathlib.Path, settings: Sequence[str] = ()):
        self.app = app
        self.path = models.find_model(app, path)
        self._settings = settings
        self._predictor: Predictor = models.open_model(app, self.path, settings)

    @property
    def signatures(self) -> list[str]:
        """What `predict` may be asked for."""
        return list(self._predictor.signatures)

    def predict(
        self, values: Value | Sequence[Value], signature: str = DEFAULT, **options: Any
    ) -> Any:
        """Answers requests.

        Args:
            values: one request, or a list of them.
            signature: which of the model's signatures is asked.
            options: values for its optional inputs, by name.

        Returns:
            The application's answer, a dataclass, for one request, and a list of them for a list; a
            dict by the names of the outputs for other signatures than the first.

        Raises:
            UserError: for a request that cannot be read, or an unknown signature or option.
        """
        is_one = isinstance(values, str | Mapping)
        requests: Sequence[Value] = [values] if is_one else values  # type: ignore[list-item]
        answers = self._predictor.answer(list(map(self._record, requests)), signature, options)
        found = [self._answer(rows.readable(answers, row)) for row in range(len(requests))]
        return found[0] if is_one else found

    def stream(self, value: Value | None = None) -> Session | Iterator[str]:
        """Follows a sequence, or writes a text piece by piece.

        Args:
            value: what a text begins with, of an application that writes texts.

        Returns:
            The pieces of a text; without a value a session, which is called with chunk after chunk
            and gives the outputs for each.

        Raises:
            UserError: where the application, or this form of the model, cannot do it.
        """
        if value is not None:
            live = Live(self.app, self.path, self._settings)
            return live.pieces(self._record(value))
        if self.app.serving.stream is None:
            raise UserError(f"{self.app.name} follows no streams.")
        return Session(self.app, self.path, self.app.serving.stream.signature, self._settings)

    def evaluate(
        self, data: str | None = None, split: str | None = None, bootstrap: int = 0
    ) -> Evaluation:
        """Scores the model; `.score.metrics` has the metrics and `.floor` those of a cheap model.

        Args:
            data: a source in place of the one that it was trained with.
            split: train, validation or test; see `rnnsuite evaluate --help`.
            bootstrap: sets of records that are drawn for `.intervals`; 0 for none.

        Returns:
            The evaluation.

        Raises:
            UserError: where records are unusable, or the application scores nothing.
        """
        return evaluate(self.app, self.path, data, split, self._settings, bootstrap)

    def _record(self, value: Value) -> Record:
        read = record_from_text if isinstance(value, str) else record_from_json
        return read(self.app.serving.fields, value)

    def _answer(self, answer: dict[str, Any]) -> Any:
        kind = self.app.serving.answer
        names = {field.name for field in dataclasses.fields(kind)}
        return kind(**{name: answer[name] for name in names}) if names <= answer.keys() else answer


@dataclasses.dataclass(frozen=True)
class Trained:
    """What a training gives.

    Args:
        app: the application.
        run: the run folder, with history.csv, weights and all else.
        metrics: the best epoch's.
    """

    app: App
    run: pathlib.Path
    metrics: Mapping[str, Any]

    def load(self) -> Model:
        """The trained model."""
        return Model(self.app, self.run)


def load(model: str | pathlib.Path, app: str | None = None, **settings: Any) -> Model:
    """A trained model.

    Args:
        model: a run, a SavedModel folder, a .tflite file, a folder of versions, or the name of an
            application, whose newest release is taken.
        app: the application; by default what the model says.
        settings: of a run, as in `train`: `decode__beam=8` is decode.beam.

    Returns:
        The model.

    Raises:
        UserError: where there is no such model.
    """
    path = pathlib.Path(model)
    if not path.exists() and str(model) in catalog.places():
        path = releases.folder_of(str(model))
        app = app or str(model)
    name = app or releases.app_of(path)
    return Model(catalog.find(name), path, _overrides(settings))


def train(
    app: str,
    config: str | None = None,
    *,
    data: str | pathlib.Path | None = None,
    run: str | pathlib.Path | None = None,
    fresh: bool = False,
    on_epoch: Callable[[Mapping[str, float]], None] | None = None,
    **settings: Any,
) -> Trained:
    """Trains an application, or goes on with a training that was interrupted.

    Args:
        app: its name.
        config: a configuration's name or file; by default the application's for own data where
            there are data, and else that of its sample.
        data: where the records are.
        run: the run folder; by default runs/APP/CONFIG-<hash of settings>.
        fresh: whether what was trained in the folder is deleted first.
        on_epoch: called with the metrics of every epoch that ends.
        settings: of the configuration, with two underscores for the point:
            `train__epochs=3` is train.epochs.

    Returns:
        The run and its metrics.

    Raises:
        UserError: for a mistake in any of them.
        Interrupted: on SIGINT or SIGTERM, when all that was trained is saved.
    """
    from rnnsuite.pipeline.train.train import train as train_run

    values, name = asked(app, config, data and str(data), _overrides(settings))
    application = catalog.find(app)
    folder = pathlib.Path(run) if run else default_folder(app, name, values)
    with listeners.listening(*([on_epoch] if on_epoch else [])):
        metrics = train_run(application, values, folder, fresh=fresh)
    return Trained(application, folder, metrics)


def tune(
    app: str,
    config: str | None = None,
    *,
    data: str | pathlib.Path | None = None,
    run: str | pathlib.Path | None = None,
    fresh: bool = False,
    **settings: Any,
) -> dict[str, Any]:
    """Searches an application's settings, or goes on with a search that was interrupted.

    Args:
        app: its name.
        config: see `train`.
        data: see `train`.
        run: the search's folder; by default runs/APP/tune-CONFIG-<hash of settings>.
        fresh: see `train`.
        settings: see `train`; `tune__trials=20` is the number of trials,
            `tune__hours=3` bounds their time.

    Returns:
        What `rnnsuite tune --json` prints: the best trial, its settings and the table of all.

    Raises:
        UserError: for a mistake in any of them.
    """
    from rnnsuite.pipeline.space import check_overrides, check_space
    from rnnsuite.pipeline.tune.tune import tune as search

    overrides = _overrides(settings)
    values, name = asked(app, config, data and str(data), overrides)
    check_space(app, values)
    check_overrides(values, overrides)
    folder = pathlib.Path(run) if run else default_folder(app, f"tune-{name}", values)
    return search(catalog.find(app), values, folder, fresh=fresh)


def export(
    app: str,
    run: str | pathlib.Path,
    to: str | pathlib.Path = "saved_models",
    *,
    version: int | None = None,
    lite: Sequence[str] = (),
    data: str | pathlib.Path | None = None,
    search: str | pathlib.Path | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Exports a run as a SavedModel and .tflite files, and proves that they agree with it.

    Args:
        app: its application.
        run: the run folder.
        to: the folder of all exported models.
        version: one more than the newest by default.
        lite: kinds of .tflite files; by default those of export.lite.
        data: where the records for the proof are, if they have moved.
        search: the search that found the run's settings, whose record goes with the release.
        settings: see `train`; of data, export or the application's own sections.

    Returns:
        The folders and the parity report.

    Raises:
        UserError: for an unusable run or target.
        ExportFailed: when a form does not answer as the model does; then nothing is written.
    """
    from rnnsuite.pipeline.export.release import release

    return release(
        catalog.find(app),
        pathlib.Path(run),
        pathlib.Path(to),
        version,
        lite,
        data and str(data),
        _overrides(settings),
        pathlib.Path(search) if search else None,
    )


def _overrides(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Keyword arguments as the values of --set."""
    return tuple(f"{key.replace('__', '.')}={json.dumps(v)}" for key, v in settings.items())
