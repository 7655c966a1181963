"""YAML to strict, frozen dataclasses, with `--set` overrides on top.

One configuration has the sections data and model (and stream and decode, where there are any),
which belong to the application, and train, tune and export, which are the same everywhere. Values
keep their YAML type: nothing is converted, unknown keys are refused.
"""

import dataclasses
import functools
import io
import json
import pathlib
import sysconfig
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import pydantic
import ruamel.yaml

from rnnsuite.app import App
from rnnsuite.errors import UserError, nearest

section = functools.partial(
    pydantic.dataclasses.dataclass,
    frozen=True,
    kw_only=True,
    config=pydantic.ConfigDict(extra="forbid", strict=True, allow_inf_nan=False),
)
"""Decorator for a configuration section: strict, frozen, keywords only, no unknown keys."""

Positive = Annotated[int, pydantic.Field(ge=1)]
NotNegative = Annotated[float, pydantic.Field(ge=0)]
Share = Annotated[float, pydantic.Field(ge=0, lt=1)]


@section
class Train:
    """How to train.

    strategy: of tf.distribute: none; mirrored, all GPUs of this machine; or multi_worker, the machines in TF_CONFIG.
    batch_size is that of all of them together.
    boundaries: bucket upper bounds by example length. batch_size: examples in a batch; where
    batch_tokens is given, as many as have that many steps at their bucket's bound instead.
    shuffle: examples among which the next one is drawn; so many are held in memory.
    start: another run, of a model with the same layers, whose weights this one begins with.
    schedule: the learning rate after `warmup` (a share of all steps): constant, or falling to 0.
    clip_norm: bound on the global norm of all gradients; 0 for none.
    ema: decay of an exponential moving average of the weights, which is what is validated and kept; 0 for none.
    patience: epochs without a better `monitor` before stopping; 0 for never.
    checkpoint_minutes: time between checkpoints within an epoch.
    """

    epochs: Positive = 10
    strategy: Literal["none", "mirrored", "multi_worker"] = "none"
    batch_size: Positive = 64
    batch_tokens: Annotated[int, pydantic.Field(ge=0)] = 0
    boundaries: tuple[Positive, ...] = (16, 32, 64, 128, 256, 512, 1024)
    shuffle: Positive = 200_000
    start: str = ""
    optimizer: Literal["adamw", "adam", "sgd", "rmsprop"] = "adamw"
    learning_rate: Annotated[float, pydantic.Field(gt=0)] = 2e-3
    weight_decay: NotNegative = 0.01
    schedule: Literal["constant", "cosine", "linear"] = "cosine"
    warmup: Share = 0.1
    clip_norm: NotNegative = 1.0
    ema: Share = 0.0
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    monitor: str = "val_loss"
    patience: Annotated[int, pydantic.Field(ge=0)] = 0
    checkpoint_minutes: Annotated[float, pydantic.Field(gt=0)] = 2.0
    cache: bool = True


@section
class Range:
    """One dimension of a search space: `range: [low, high]`, whole or real by its ends, or `choice: [a, b, ...]`."""

    range: tuple[int | float, int | float] | None = None
    choice: tuple[str | int | float | bool, ...] | None = None
    step: Annotated[float, pydantic.Field(gt=0)] | None = None
    log: bool = False

    @pydantic.model_validator(mode="after")
    def _sound(self):
        if (self.range is None) == (self.choice is None):
            raise ValueError("give either range or choice")
        if not self.ends():
            raise ValueError("choice is empty")
        if self.range and not self.range[0] < self.range[1]:
            raise ValueError("the lower end must be below the upper")
        if self.log and (self.step or not self.range or self.range[0] <= 0):
            raise ValueError("log goes with a range above 0 and without a step")
        return self

    def ends(self) -> tuple:
        """The values that the configuration must accept for the search to be sound."""
        return self.choice if self.range is None else self.range


@section
class Tune:
    """How to search: `space` maps dotted configuration keys to ranges; the `keep` best trials keep their weights."""

    algorithm: Literal["random", "bayesian", "hyperband"] = "bayesian"
    trials: Positive = 10
    objective: str = "val_loss"
    keep: Positive = 1
    space: Mapping[str, Range] = dataclasses.field(default_factory=dict)


@section
class Export:
    """What an export is and must hold to: the records that parity is checked on and the bounds.

    weights: how the SavedModel stores them; float16 takes half the space, is computed with in
    float32, and rounds the weights of every form that is exported.
    lite: the .tflite files (dynamic: int8 weights; float16: float16 weights; int8: all of it).
    float16_drop, dynamic_drop, int8_drop: how much of the headline metric rounded weights and
    quantised files may lose.
    calibration_records: of the train split, whose ranges int8 takes over.
    """

    weights: Literal["float32", "float16"] = "float32"
    lite: tuple[Literal["float32", "dynamic", "float16", "int8"], ...] = ("float32", "dynamic")
    parity_split: str = "validation"
    parity_records: Positive = 200
    saved_model_bound: Annotated[float, pydantic.Field(gt=0)] = 1e-5
    lite_bound: Annotated[float, pydantic.Field(gt=0)] = 1e-4
    float16_drop: Annotated[float, pydantic.Field(ge=0)] = 0.005
    dynamic_drop: Annotated[float, pydantic.Field(ge=0)] = 0.02
    int8_drop: Annotated[float, pydantic.Field(ge=0)] = 0.01
    calibration_records: Positive = 200


@functools.cache
def config_type(app: App) -> type:
    """The configuration dataclass of one application."""
    fields = [
        ("app", Literal[app.name], app.name),
        ("seed", Annotated[int, pydantic.Field(ge=0, lt=2**31)], 0),
        *(
            (name, kind, dataclasses.field(default_factory=kind))
            for name, kind in (
                ("data", app.data), ("model", app.model), ("train", Train), ("tune", Tune), ("export", Export),
                *([("stream", app.stream.settings)] if app.stream else []),
                *([("decode", app.decode)] if app.decode else []),
            )
        ),
    ]  # fmt: skip
    return section(dataclasses.make_dataclass("Config", fields, frozen=True, kw_only=True))


def folder(app_name: str) -> pathlib.Path:
    """Where an application's configurations lie: in the source tree, or where an installation put them."""
    tree = pathlib.Path(__file__).parent.parent / "configs" / app_name
    installed = pathlib.Path(sysconfig.get_path("data")) / "share" / "rnnsuite" / "configs" / app_name
    return tree if tree.is_dir() else installed


def load(app: App, source: str | pathlib.Path = "sample", overrides: Sequence[str] = ()) -> Any:
    """The configuration in `source`, a YAML file or the name of one in configs/<app>, with `key=value` overrides.

    Raises UserError: one line a mistake, naming the key, what was given and what is allowed.
    """
    path = pathlib.Path(source)
    if not path.suffix and not path.is_file():
        path = folder(app.name) / f"{source}.yaml"
    if not path.is_file():
        known = sorted(file.stem for file in folder(app.name).glob("*.yaml"))
        raise UserError(f"There is no configuration {source}.{nearest(str(source), known)}")
    values = read_yaml(path)
    return build(app, apply(app, values, overrides), str(path))


def read_yaml(path: pathlib.Path) -> dict:
    """A YAML 1.2 mapping. Raises UserError naming the file and line of a mistake."""
    try:
        values = ruamel.yaml.YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 ({error.reason} at byte {error.start}).") from error
    except ruamel.yaml.YAMLError as error:
        raise UserError(f"{path} is no valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise UserError(f"{path} must hold a mapping of sections, not {type(values).__name__}.")
    return values


def apply(app: App, values: dict, overrides: Sequence[str]) -> dict:
    """`values` with `key=value` overrides, each value read as YAML. Raises UserError on an unknown key."""
    known = keys(app)
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals:
            raise UserError(f"--set {override}: write key=value.")
        if key not in known:
            raise UserError(f"--set {key}: unknown key.{nearest(key, known)}")
        try:
            value = ruamel.yaml.YAML(typ="safe", pure=True).load(text)
        except ruamel.yaml.YAMLError as error:
            raise UserError(f"--set {key}: {text!r} is no valid YAML value.") from error
        values = put(values, key, value)
    return values


def put(values: dict, key: str, value: Any) -> dict:
    """A copy of nested `values` with the dotted `key` set."""
    head, _, rest = key.partition(".")
    inner = values.get(head)
    return {**values, head: put(inner if isinstance(inner, dict) else {}, rest, value) if rest else value}


def keys(app: App) -> list[str]:
    """Every dotted key that a configuration of `app` has."""
    found = []
    for field in dataclasses.fields(config_type(app)):
        inner = field.type if dataclasses.is_dataclass(field.type) else None
        found += [f"{field.name}.{each.name}" for each in dataclasses.fields(inner)] if inner else [field.name]
    return found


def build(app: App, values: Mapping, origin: str = "the configuration") -> Any:
    """Checked configuration from plain values. Raises UserError."""
    kind = config_type(app)
    try:
        return pydantic.TypeAdapter(kind).validate_json(json.dumps(values))
    except (TypeError, ValueError) as error:
        if not isinstance(error, pydantic.ValidationError):
            raise UserError(f"{origin}: {error}") from error
        raise UserError("\n".join(_explain(origin, each, app) for each in error.errors())) from error


def _explain(origin: str, error: Mapping, app: App) -> str:
    path = [str(part) for part in error["loc"]]
    key = ".".join(path)
    if error["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        depth = len(path) - 1
        known = {".".join(name.split(".")[: depth + 1]) for name in keys(app) if name.split(".")[:depth] == path[:-1]}
        return f"{origin}: {key}: unknown key.{nearest(key, known)}"
    given = json.dumps(error["input"], default=str)
    return f"{origin}: {key}: {given[:80]} given. {error['msg']}."


def dump(config: Any) -> str:
    """The whole configuration as YAML that `load` reads to the same value."""
    text = io.StringIO()
    yaml = ruamel.yaml.YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False
    yaml.dump(plain(config), text)
    return text.getvalue()


def plain(config: Any) -> dict:
    """Nested plain values of a configuration."""
    return json.loads(pydantic.TypeAdapter(type(config)).dump_json(config, exclude_none=True))


def replace(app: App, config: Any, changes: Mapping[str, Any]) -> Any:
    """`config` with dotted keys changed, checked again."""
    values = plain(config)
    for key, value in changes.items():
        if key not in keys(app):
            raise UserError(f"{key}: unknown key.{nearest(key, keys(app))}")
        values = put(values, key, value)
    return build(app, values)


def check_metric(app: App, name: str, key: str) -> Literal["min", "max"]:
    """The better direction of a monitored metric such as val_accuracy. Raises UserError on an unknown one."""
    metrics = {**app.metrics, **(app.judged.metrics if app.judged else {})}
    known = {f"val_{metric}": direction for metric, direction in metrics.items()}
    if name not in known:
        raise UserError(f"{key}: unknown metric {name!r}.{nearest(name, known)}")
    return known[name]
