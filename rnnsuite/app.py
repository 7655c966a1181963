"""What an application is: a frozen value of functions that the pipeline calls.

`apps/<name>/__init__.py` holds one, called APP. A new application is one such folder;
nothing here or elsewhere lists them.
"""

import ast
import dataclasses
import importlib
import pathlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from rnnsuite.errors import UserError, nearest


@dataclasses.dataclass(frozen=True)
class Signature:
    """One way to ask a model: `function(**inputs) -> {name: tensor}`, over a batch.

    `inputs` are `tf.TensorSpec`s by name with the batch first. A `lite` signature takes and
    gives numbers only and is converted for devices, with a batch of one.
    `example` is a small request for TF Serving's warm-up: a numpy array for each input.
    `defaults` are the values of inputs that a request may leave out, scalars that hold for the
    whole batch. TF Serving cannot put requests together that have such inputs.
    `tracked` are the objects whose lookup tables the function uses.
    """

    function: Callable[..., Mapping[str, Any]]
    inputs: Mapping[str, Any]
    example: Mapping[str, Any]
    lite: bool = False
    tracked: Sequence[Any] = ()
    defaults: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Score:
    """What `score` gives: numbers by their field's name, figures drawn on demand, and cases worth reading.

    notes: how a metric was computed, where its name does not say it. titles: of the cases that
    went wrong and right.
    """

    metrics: Mapping[str, float]
    plots: Mapping[str, Callable[[], Any]] = dataclasses.field(default_factory=dict)
    notes: Mapping[str, str] = dataclasses.field(default_factory=dict)
    right: Sequence[Mapping[str, Any]] = ()
    wrong: Sequence[Mapping[str, Any]] = ()
    titles: tuple[str, str] = ("Surest answers that are wrong", "Surest answers that are right")


@dataclasses.dataclass(frozen=True)
class OnDevice:
    """An on-device model's surroundings, read from its folder: raw record -> inputs, outputs -> answer.

    pieces: a record as the pieces that the streaming signature takes, which is calibrated on them.
    signature: the one that requests are for, where the file has several.
    like: the signature of the served model whose answers these are.
    program: a module with `open_model(path, signature)` that runs as a program, too, in place of
    `rnnsuite.export.runner`.
    """

    request: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    answer: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    pieces: Callable[[Mapping[str, Any]], Iterable[Mapping[str, Any]]] | None = None
    signature: str | None = None
    like: str = "serving_default"
    program: Any = None


@dataclasses.dataclass(frozen=True)
class Stream:
    """How an application follows a recording or a live source: in pieces, through a signature with states.

    settings: configuration section. signature: whose outputs named like inputs are states,
    which begin as zeros and go into the next call. pieces(source): the inputs of one call
    after the other, of a path or "microphone". follow(settings, fitted): an object whose
    `feed(outputs)` and `end()` give what was found, as JSON-able mappings.
    """

    settings: type
    signature: str
    pieces: Callable[[str], Iterator[Mapping[str, Any]]]
    follow: Callable[[Any, Any], Any]


@dataclasses.dataclass(frozen=True)
class Judged:
    """Scores that are worth knowing after every epoch, where a loss alone does not say how good the answers are.

    signature: answers the validation records, with the weights as they are. metrics: which of
    the application's score, each with its better direction; `train.monitor` may be one.
    """

    signature: str
    metrics: Mapping[str, Literal["min", "max"]]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class App:
    """The functions that make an application. A record is one raw example: `{name: value}`.

    name: the folder's name.
    data, model: configuration sections (see `rnnsuite.config.section`).
    fitted: frozen dataclass of what is learned on train, JSON-able (vocabulary, labels, scaler).
    load(data, split): data set of raw records.
    fit(data, records): a `fitted` from the training records.
    examples(data, fitted, records): data set of (inputs, targets), unbatched, of any length.
    length(inputs): scalar, what batches are bucketed by.
    build(model, fitted): Keras model from batched inputs to a dict of outputs.
    loss(model, targets, outputs): `{"loss": [batch], ...}`, a value an example; the mean of each is logged.
    metrics: the names that `loss` gives, each with its better direction.
    field: the name of a request's value in a record, and in a file of many.
    requests(values): records from what a person typed: texts, or paths.
    answer: frozen dataclass of what "serving_default" answers to one record, for those who ask a server.
    signatures(model, fitted): by name; "serving_default" takes raw records and gives final answers.
    With a `decode` section that is a third argument.
    device_files(fitted): and, again, `decode`: what an on-device model needs beside it, by file name.
    on_device(folder): reads those files again.
    score(references, answers, fitted): records and the answers to them, in the same order, to a Score; `fitted`
    where it is known.
    headline: the metric whose drop decides whether a quantised model is good enough.
    augment(data, fitted): None, or a function `(inputs, targets, seed)` to an altered example for
    training, by `tf.random.stateless_*` operations alone.
    stream: None, or how the application follows a live source.
    decode: None, or a configuration section of how answers are searched for, which binds no training.
    judged: None, or what is scored after every epoch beside the loss.
    begin(config, model): None, or what gives a new model weights that were trained elsewhere.
    pictures(ask, records): None, or figures, drawn on demand, of how some records are answered, by
    `ask(records, signature)`.
    """

    name: str
    data: type
    model: type
    fitted: type
    load: Callable[[Any, str], Any]
    fit: Callable[[Any, Any], Any]
    examples: Callable[[Any, Any, Any], Any]
    length: Callable[[Any], Any]
    build: Callable[[Any, Any], Any]
    loss: Callable[[Any, Any, Any], Mapping[str, Any]]
    metrics: Mapping[str, Literal["min", "max"]]
    field: str
    requests: Callable[[Sequence[str]], list[Mapping[str, Any]]]
    answer: type
    signatures: Callable[..., Mapping[str, Signature]]
    device_files: Callable[..., Mapping[str, bytes]]
    on_device: Callable[[pathlib.Path], OnDevice]
    score: Callable[..., Score]
    headline: str
    augment: Callable[[Any, Any], Callable[[Any, Any, Any], tuple]] | None = None
    stream: Stream | None = None
    decode: type | None = None
    judged: Judged | None = None
    begin: Callable[[Any, Any], None] | None = None
    pictures: Callable[[Callable, Sequence[Mapping[str, Any]]], Mapping[str, Callable[[], Any]]] | None = None

    def asked(self, config: Any, fitted: Any, model: Any) -> Mapping[str, Signature]:
        """The signatures of a model with this configuration."""
        return self.signatures(model, fitted, *self._decode(config))

    def carried(self, config: Any, fitted: Any) -> Mapping[str, bytes]:
        """The files of an on-device model with this configuration."""
        return self.device_files(fitted, *self._decode(config))

    def _decode(self, config: Any) -> list:
        return [config.decode] if self.decode else []


def _folders() -> dict[str, pathlib.Path]:
    apps = importlib.import_module("apps")
    return {
        module.name: pathlib.Path(module.module_finder.path) / module.name
        for module in pkgutil.iter_modules(apps.__path__)
        if module.ispkg
    }


def summaries() -> dict[str, str]:
    """Every application's name and the first line of its docstring, without importing any."""
    return {
        name: (ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or "").split("\n")[0]
        for name, folder in sorted(_folders().items())
    }


def find(name: str) -> App:
    """The application called `name`. Raises UserError that suggests the nearest one."""
    folders = _folders()
    if name not in folders:
        raise UserError(f"There is no application {name!r}.{nearest(name, folders)}")
    return importlib.import_module(f"apps.{name}").APP
