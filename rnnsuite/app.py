"""What an application is: a name and four records of functions that the pipeline calls.

Each record is made in the file of its name: `apps/<name>/data.py` makes DATA, `model.py` MODEL,
`serve.py` SERVING, `score.py` SCORING, and `__init__.py` puts them together as APP. A new
application is one such folder; what few applications need is a field with a default.
"""

import dataclasses
import pathlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from rnnsuite.core.fields import Field, Record
from rnnsuite.scoring import Asked, Direction, EveryEpoch, Score, Scoring

if TYPE_CHECKING:
    from rnnsuite.pipeline.config import Config

Inputs = Mapping[str, Any]
__all__ = [
    "App",
    "Asked",
    "Data",
    "Device",
    "Direction",
    "EveryEpoch",
    "Model",
    "OnDevice",
    "Score",
    "Scoring",
    "Serving",
    "Signature",
    "Start",
    "Stream",
    "Trained",
]
Section = TypeVar("Section")
Fitted = TypeVar("Fitted")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Data(Generic[Section, Fitted]):
    """Records, what is fitted on them, and examples.

    Args:
        config: the `data` section (see `rnnsuite.core.section`), with `source`.
        fitted: frozen dataclass of what is fitted on train, JSON-able (vocabulary, labels, scaler).
        load: `load(config, split)` gives a `tf.data.Dataset` of raw records `{name: value}`. Raises
            UserError on unusable data, NoSplit for a split that the source does not have.
        fit: `fit(config, records)` gives `fitted` from the training records.
        examples: `examples(config, fitted, records)` gives a data set of unbatched (inputs,
            targets) of any length.
        length: `length(inputs)` is the scalar by which batches are bucketed.
        augment: `augment(config, fitted)` gives `(inputs, targets, seed) -> example`, an altered
            example for training, by `tf.random.stateless_*` operations alone.
        order: "shuffled", or "contiguous": examples are laid end to end and cut into windows of
            `train.window` steps, and what the model gives under the name of an input (a state) is
            carried from batch to batch.
        splits: names that a path source has, `splits(config) -> names`; "all" where it has no
            splits of its own. None: its subfolders or files called train, validation, test.
        label: a record's value that is its class, one of `fitted.labels`; None without classes.
    """

    config: type[Section]
    fitted: type[Fitted]
    load: Callable[[Section, str], Any]
    fit: Callable[[Section, Any], Fitted]
    examples: Callable[[Section, Fitted, Any], Any]
    length: Callable[[Any], Any]
    augment: Callable[[Section, Fitted], Callable[[Any, Any, Any], tuple]] | None = None
    order: Literal["shuffled", "contiguous"] = "shuffled"
    splits: Callable[[Section], Iterable[str]] | None = None
    label: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Start:
    """A trained model of the application `app`, whose weights another one begins with.

    Args:
        config, fitted: of its training, as plain values.
        weights: arrays by name; see `rnnsuite.core.weights.named_weights`.
    """

    app: str
    config: Mapping[str, Any]
    fitted: Mapping[str, Any]
    weights: Mapping[str, Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Model(Generic[Section, Fitted]):
    """The network and what it is trained for.

    Args:
        config: the `model` section.
        build: `build(config, fitted)` gives a Keras model from batched inputs to a dict of outputs.
        loss: `loss(config, targets, outputs)` gives `{"loss": [batch], ...}`; means are logged.
            Neither is seen by AutoGraph: a branch that depends on a tensor is `tf.cond`.
        metrics: the names that `loss` gives, each with its better direction.
        initialise: `initialise(config, model, start)` gives a new model weights that were trained
            elsewhere; config is the whole configuration, start a `Start` or None; raises KeyError
            or ValueError where it does not fit. None: the weights of `train.start` by name.
        calibrate: `calibrate(trained, records)` gives JSON-able values learned after training on
            the validation records (thresholds, temperatures, intervals).
    """

    config: type[Section]
    build: Callable[[Section, Fitted], Any]
    loss: Callable[[Section, Any, Any], Mapping[str, Any]]
    metrics: Mapping[str, Direction]
    initialise: Callable[["Config", Any, Start | None], None] | None = None
    calibrate: Callable[["Trained", Sequence[Record]], Mapping[str, Any]] | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trained:
    """A trained model and everything that serving it needs.

    Args:
        config: the run's `rnnsuite.pipeline.config.Config`.
        fitted: what was fitted on train.
        model: the Keras model; None where only what travels to a device is asked for.
        calibration: what was learned after training; empty without `Model.calibrate`.
    """

    config: "Config"
    fitted: Any
    model: Any = None
    calibration: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def section(self, kind: type[Section]) -> Section:
        """The application's own configuration section of this type."""
        return next(part for part in self.config.sections.values() if isinstance(part, kind))


@dataclasses.dataclass(frozen=True)
class Signature:
    """One way to ask a model: `function(**inputs) -> {name: tensor}`, over a batch.

    Args:
        function: its graph.
        inputs: `tf.TensorSpec`s by name, with the batch first.
        example: a small request, a numpy array for each input, for TF Serving's warm-up.
        lite: takes and gives numbers only and is converted for devices, with a batch of one.
        tracked: objects whose lookup tables the function uses.
        defaults: values of inputs that a request may leave out, scalars for the whole batch. TF
            Serving cannot batch requests that have such inputs.
        lengths: of axes that are not known, in files of static shapes: two or more, each of which
            becomes a signature. A shorter input stands before zeros; where these would change an
            answer, there is an input `length` `[batch]`, int32, by which they do not.
    """

    function: Callable[..., Mapping[str, Any]]
    inputs: Inputs
    example: Mapping[str, Any]
    lite: bool = False
    tracked: Sequence[Any] = ()
    defaults: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    lengths: Sequence[int] = ()


@dataclasses.dataclass(frozen=True)
class OnDevice:
    """A .tflite model's surroundings, read from its folder: record -> inputs, outputs -> answer.

    Args:
        request: a raw record to the inputs of the file's signature, for a batch of one.
        answer: that signature's outputs to an answer, without the batch.
        chunks: a record as the pieces that the streaming signature takes; int8 is calibrated on
            them.
        signature: the one that requests are for, where the file has several.
        reference_signature: the served model's signature whose answers these must equal.
        runner: a module with `open_model(path, signature)` that also runs as a program; None for
            `rnnsuite.device.runner`.
        signatures: further ones of the file that may be asked with its own inputs.
    """

    request: Callable[[Record], Inputs]
    answer: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    chunks: Callable[[Record], Iterable[Inputs]] | None = None
    signature: str | None = None
    reference_signature: str = "serving_default"
    runner: Any = None
    signatures: Sequence[str] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Device:
    """What travels to a device beside the .tflite files.

    Args:
        files: `files(trained)` gives their content by name (vocabularies, reference code).
        open: `open(folder)` reads them again.
    """

    files: Callable[[Trained], Mapping[str, bytes]]
    open: Callable[[pathlib.Path], OnDevice]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stream:
    """How a recording or a live source is followed: in chunks, through a signature with states.

    Args:
        section: the configuration section (of `Serving.sections`) with its settings.
        signature: its outputs named like inputs are states, which begin as zeros and go into the
            next call.
        chunks: `chunks(source, config, fitted)` gives the inputs of one call after the other, of a
            path or "microphone".
        follow: `follow(config, fitted)` gives an object whose `feed(outputs)` and `end()` give
            what was found, as JSON-able mappings.
        is_shared: whether the section's settings hold for whole requests, too.
    """

    section: str
    signature: str
    chunks: Callable[[str, Any, Any], Iterator[Inputs]]
    follow: Callable[[Any, Any], Any]
    is_shared: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Serving:
    """How a trained model is asked.

    Args:
        fields: the named values of a request and so of a record; see `rnnsuite.core.fields`.
        answer: frozen dataclass of what "serving_default" answers to one record.
        signatures: `signatures(trained)` gives them by name; "serving_default" takes raw records
            and gives final answers.
        sections: the application's own configuration sections that bind no training, by name.
        device: what an on-device model needs; None where there is none.
        stream: how a live source is followed; None where there is none.
        live: the section with `max_length`, `stop` and `seed` of answers that come piece by piece,
            through the signatures begin and proceed; None where answers come whole.
        show: `show(fitted, answer)` gives the lines of an answer for a person; None: its values.
        drawn: outputs of "serving_default" that depend on drawn numbers, which a rounding may turn.
        exported: `exported(fitted)` gives what an export keeps of it beside the graph, without
            large parts that the graph holds; None: all.
    """

    fields: Mapping[str, Field]
    answer: type
    signatures: Callable[[Trained], Mapping[str, Signature]]
    sections: Mapping[str, type] = dataclasses.field(default_factory=dict)
    device: Device | None = None
    stream: Stream | None = None
    live: str | None = None
    show: Callable[[Any, Mapping[str, Any]], Sequence[str]] | None = None
    drawn: Sequence[str] = ()
    exported: Callable[[Any], Any] | None = None


@dataclasses.dataclass(frozen=True)
class App:
    """An application: four records of functions.

    Args:
        name: that of its folder.
        data: from a source to examples.
        model: from settings to a Keras model and its loss.
        serving: from raw requests to answers.
        scoring: of answers; None where nothing can be scored.
    """

    name: str
    data: Data
    model: Model
    serving: Serving
    scoring: Scoring | None = None

    @property
    def sections(self) -> dict[str, type]:
        """Every configuration section that is the application's own, by name."""
        return {"data": self.data.config, "model": self.model.config, **self.serving.sections}

    @property
    def monitored(self) -> dict[str, Direction]:
        """What training validates after every epoch, each with its better direction."""
        epoch = self.scoring.every_epoch if self.scoring else None
        directions: dict[str, Direction] = dict(self.model.metrics)
        if self.scoring and epoch:
            directions |= {name: self.scoring.metrics[name] for name in epoch.metrics}
        return directions
