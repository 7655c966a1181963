"""What a configuration may hold: every key with its default, bounds and meaning."""

import dataclasses
import json
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pydantic
from pydantic.fields import FieldInfo

from rnnsuite.pipeline.config import Schema

SEED = "Of everything drawn at random; the same seed, the same metrics."


@dataclasses.dataclass(frozen=True)
class Key:
    """One key of a configuration.

    Args:
        name: dotted.
        default: as it is written in YAML.
        bounds: what is allowed, in words; "" for anything of the default's type.
        meaning: a sentence, with units.
    """

    name: str
    default: str
    bounds: str
    meaning: str

    def values(self) -> dict[str, str]:
        return {"default": self.default, "bounds": self.bounds, "meaning": self.meaning}


def describe(schema: Schema) -> list[Key]:
    """Every key that a configuration of one application may have, in the order of a YAML file."""
    keys = [Key("seed", "0", "0 to 2147483647", SEED)]
    for name, kind in schema.sections.items():
        keys += _section(name, kind)
    return keys


def _section(prefix: str, kind: type) -> Iterator[Key]:
    hints = get_type_hints(kind, include_extras=True)
    for field in dataclasses.fields(kind):
        name = f"{prefix}.{field.name}"
        hint = hints[field.name]
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            yield from _section(name, hint)
            continue
        info = _info(kind, field.name)
        yield Key(name, _default(info), bounds(hint, info), info.description or "")


def _info(kind: type, name: str) -> FieldInfo:
    """The field, with the meaning of the class that first has it."""
    info = kind.__pydantic_fields__[name]  # type: ignore[attr-defined]
    for base in kind.__mro__:
        inherited = getattr(base, "__pydantic_fields__", {}).get(name)
        if info.description is None and inherited is not None and inherited.description:
            return pydantic.fields.FieldInfo.merge_field_infos(
                info, description=inherited.description
            )
    return info


def _default(info: FieldInfo) -> str:
    value = info.get_default(call_default_factory=True)
    return json.dumps(value, default=str)


def bounds(hint: Any, info: FieldInfo | None = None) -> str:
    """What a type allows, in words."""
    origin = get_origin(hint)
    if origin is Literal:
        return " | ".join(map(str, get_args(hint)))
    if origin is tuple:
        inner = bounds(get_args(hint)[0])
        return f"list of {inner}" if inner else "list"
    metadata = [*getattr(hint, "__metadata__", ()), *(info.metadata if info else ())]
    limits = {name: value for part in metadata for name, value in _limits(part).items()}
    words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    return ", ".join(f"{words[name]} {value:g}" for name, value in limits.items())


def _limits(part: Any) -> dict[str, float]:
    if isinstance(part, FieldInfo):
        return {name: value for inner in part.metadata for name, value in _limits(inner).items()}
    limits = {}
    for name in ("ge", "gt", "le", "lt"):
        value = getattr(part, name, None)
        if value is not None:
            limits[name] = value
    return limits
