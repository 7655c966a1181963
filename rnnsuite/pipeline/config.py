"""YAML to strict, frozen dataclasses, with `--set` overrides on top.

A configuration has the sections data and model and further ones that belong to the application,
and train, tune and export, which are the same everywhere. Values keep their YAML type: nothing is
converted, and unknown keys are refused. Nothing here imports TensorFlow.
"""

import dataclasses
import functools
import io
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Generic, Literal, TypeVar, get_type_hints

import pydantic
import ruamel.yaml

from rnnsuite import catalog
from rnnsuite.app import App, Direction
from rnnsuite.core.errors import UserError, nearest
from rnnsuite.core.files import read_yaml
from rnnsuite.core.nested import get, put, remove
from rnnsuite.pipeline.settings import Export, Train, Tune

SHARED: Mapping[str, type] = {"train": Train, "tune": Tune, "export": Export}
RETIRED = ("export.float16_drop", "export.dynamic_drop", "export.int8_drop")
"""Keys of version 0.1.0 that have no successor: differences, where the tolerances are shares."""
DataSection = TypeVar("DataSection")
ModelSection = TypeVar("ModelSection")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(Generic[DataSection, ModelSection]):
    """A whole configuration.

    Args:
        app: the application's name.
        seed: of everything drawn at random.
        data, model: the application's sections of these names.
        train, tune, export: the shared sections.
        sections: the application's further sections, by name.
    """

    app: str
    seed: int
    data: DataSection
    model: ModelSection
    train: Train
    tune: Tune
    export: Export
    sections: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def values(self) -> dict[str, Any]:
        """The sections and keys in the order of a YAML file."""
        own = {"app": self.app, "seed": self.seed, "data": self.data, "model": self.model}
        shared = {name: getattr(self, name) for name in SHARED}
        return {**own, **shared, **self.sections}


@dataclasses.dataclass(frozen=True)
class Schema:
    """What a configuration of one application may hold.

    Args:
        app: the application's name.
        own: its sections by name, data and model among them.
    """

    app: str
    own: Mapping[str, type]

    @classmethod
    def of(cls, app: App | str) -> "Schema":
        """The schema of an application, or of the one with this name. Raises UserError."""
        if isinstance(app, App):
            return cls(app.name, app.sections)
        return cls(app, catalog.sections(app))

    @property
    def sections(self) -> dict[str, type]:
        return {**self.own, **SHARED}

    def known_keys(self) -> list[str]:
        """Every dotted key."""
        return [
            "app",
            "seed",
            *(f"{name}.{key}" for name, kind in self.sections.items() for key in _paths(kind)),
        ]

    @functools.cached_property
    def _adapter(self) -> pydantic.TypeAdapter:
        fields: dict[str, Any] = {
            "app": (Literal[self.app], self.app),
            "seed": (Annotated[int, pydantic.Field(ge=0, lt=2**31)], 0),
        }
        fields |= {
            name: (kind, pydantic.Field(default_factory=kind))
            for name, kind in self.sections.items()
        }
        settings = pydantic.ConfigDict(extra="forbid", strict=True)
        return pydantic.TypeAdapter(pydantic.create_model("Config", __config__=settings, **fields))

    def build(
        self,
        values: Mapping[str, Any],
        origin: str = "the configuration",
        overridden: Sequence[str] = (),
    ) -> Config:
        """The checked configuration of plain values.

        A path of data is made absolute, so that it holds in any folder.

        Args:
            values: nested, by section and key.
            origin: where they come from, for errors.
            overridden: keys that come from --set.

        Returns:
            The configuration.

        Raises:
            UserError: a line for each mistake, naming the key, the value and what is allowed.
        """
        source = get(values, "data.source")
        if isinstance(source, str) and source != "sample" and not source.startswith("tfds:"):
            values = put(values, "data.source", str(pathlib.Path(source).expanduser().absolute()))
        try:
            checked = self._adapter.validate_json(json.dumps(values))
        except pydantic.ValidationError as error:
            raise UserError(
                "\n".join(self._explain(origin, mistake, overridden) for mistake in error.errors())
            ) from error
        except (TypeError, ValueError) as error:
            raise UserError(f"{origin}: {error}") from error
        further = {
            name: getattr(checked, name) for name in self.own if name not in ("data", "model")
        }
        required = {
            name: getattr(checked, name) for name in ("app", "seed", "data", "model", *SHARED)
        }
        return Config(**required, sections=further)

    def _explain(self, origin: str, error: Mapping[str, Any], overridden: Sequence[str]) -> str:
        path = [str(part) for part in error["loc"]]
        key = ".".join(path)
        origin = f"{origin}:"
        is_whole = error["type"] == "value_error"
        if any(f"{key}.".startswith(f"{given}.") for given in overridden) or (
            is_whole and any(given.startswith(f"{key}.") for given in overridden)
        ):
            origin = "--set"
        if is_whole:
            return f"{origin} {key}: {error['msg'].removeprefix('Value error, ')}."
        if error["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
            depth = len(path)
            keys = [name.split(".") for name in self.known_keys()]
            allowed = {".".join(name[:depth]) for name in keys if name[: depth - 1] == path[:-1]}
            return f"{origin} {key}: unknown key.{nearest(key, allowed)}"
        value = json.dumps(error["input"], default=str)
        return f"{origin} {key}: {value[:80]} given. {error['msg']}."

    def override(self, values: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
        """Plain values with `key=value` overrides, each read as YAML. Raises UserError."""
        changed = dict(values)
        for override in overrides:
            key, equals, text = override.partition("=")
            if not equals:
                raise UserError(f"--set {override}: write key=value.")
            if key not in self.known_keys():
                raise UserError(f"--set {key}: unknown key.{nearest(key, self.known_keys())}")
            try:
                value = ruamel.yaml.YAML(typ="safe", pure=True).load(text)
            except ruamel.yaml.YAMLError as error:
                raise UserError(f"--set {key}: {text!r} is no valid YAML value.") from error
            changed = put(changed, key, value)
        return changed

    def upgrade(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Plain values of a configuration that an earlier version wrote, with today's keys."""
        current = dict(values)
        for name, kind in self.own.items():
            for old, new in getattr(kind, "RENAMED", {}).items():
                value = get(current, f"{name}.{old}")
                if value is not None:
                    current = put(remove(current, f"{name}.{old}"), f"{name}.{new}", value)
        for old in RETIRED:
            current = remove(current, old)
        return current


def _paths(kind: type) -> list[str]:
    """Every key of a section, those of nested sections with a dot."""
    hints = get_type_hints(kind)
    paths: list[str] = []
    for field in dataclasses.fields(kind):
        inner = hints.get(field.name)
        nested = inner if isinstance(inner, type) and dataclasses.is_dataclass(inner) else None
        paths += [f"{field.name}.{key}" for key in _paths(nested)] if nested else [field.name]
    return paths


def load(
    app: App | str, source: str | pathlib.Path = "sample", overrides: Sequence[str] = ()
) -> Config:
    """Reads a configuration.

    Args:
        app: an application or its name.
        source: a YAML file, or the name of one of the application's.
        overrides: `key=value`, applied on top.

    Returns:
        The checked configuration.

    Raises:
        UserError: a line for each mistake, naming the key, the value and what is allowed.
    """
    schema = Schema.of(app)
    path = pathlib.Path(source)
    if not path.suffix and not path.is_file():
        path = folder(schema.app) / f"{source}.yaml"
    if not path.is_file():
        names = sorted(file.stem for file in folder(schema.app).glob("*.yaml"))
        raise UserError(f"There is no configuration {source}.{nearest(str(source), names)}")
    values = schema.override(read_yaml(path), overrides)
    config = schema.build(values, str(path), [text.partition("=")[0] for text in overrides])
    _check_names(config, app)
    return config


def _check_names(config: Config, app: App | str) -> None:
    """Raises UserError for a metric that the application is known not to have."""
    metrics = list(app.monitored) if isinstance(app, App) else catalog.monitored(app)
    for key in ("train.monitor", "tune.objective"):
        section, _, name = key.partition(".")
        value = getattr(getattr(config, section), name)
        names = [f"val_{metric}" for metric in metrics or ()]
        if names and value not in names:
            raise UserError(f"{key}: unknown metric {value!r}.{nearest(value, names)}")


def folder(app: str) -> pathlib.Path:
    """The folder with an application's configurations."""
    return catalog.place(app).configs


def dump(config: Config) -> str:
    """The whole configuration as YAML that `load` reads to the same value."""
    text = io.StringIO()
    yaml: Any = ruamel.yaml.YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False
    yaml.dump(plain(config), text)
    return text.getvalue()


def plain(config: Config) -> dict[str, Any]:
    """Nested plain values of a configuration."""
    values = config.values()
    return {
        name: _plain(value) if dataclasses.is_dataclass(value) else value
        for name, value in values.items()
    }


def _plain(part: Any) -> dict[str, Any]:
    return json.loads(pydantic.TypeAdapter(type(part)).dump_json(part, exclude_none=True))


def replace(app: App | str, config: Config, changes: Mapping[str, Any]) -> Config:
    """`config` with dotted keys changed, checked again. Raises UserError."""
    schema = Schema.of(app)
    values = plain(config)
    for key, value in changes.items():
        if key not in schema.known_keys():
            raise UserError(f"{key}: unknown key.{nearest(key, schema.known_keys())}")
        values = put(values, key, value)
    return schema.build(values)


def check_metric(app: App, name: str, key: str) -> Direction:
    """The better direction of a monitored metric such as val_accuracy.

    Args:
        app: the application.
        name: the metric, with its prefix.
        key: the configuration key that names it, for the error.

    Returns:
        "min" or "max".

    Raises:
        UserError: for a metric that training does not validate.
    """
    names = {f"val_{metric}": metric for metric in app.monitored}
    if name not in names:
        raise UserError(f"{key}: unknown metric {name!r}.{nearest(name, names)}")
    return app.monitored[names[name]]
