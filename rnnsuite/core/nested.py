"""Nested mappings with dotted keys, as configurations are."""

from collections.abc import Mapping
from typing import Any


def get(values: Mapping[str, Any], key: str) -> Any:
    """The value at a dotted key, or None."""
    for part in key.split("."):
        if not isinstance(values, Mapping) or part not in values:
            return None
        values = values[part]
    return values


def put(values: Mapping[str, Any], key: str, value: Any) -> dict[str, Any]:
    """A copy of nested `values` with the dotted `key` set."""
    head, _, rest = key.partition(".")
    inner = values.get(head)
    return {
        **values,
        head: put(inner if isinstance(inner, dict) else {}, rest, value) if rest else value,
    }


def remove(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    """A copy of nested `values` without the dotted `key`."""
    head, _, rest = key.partition(".")
    if not rest:
        return {name: value for name, value in values.items() if name != head}
    inner = values.get(head)
    return {**values, head: remove(inner, rest)} if isinstance(inner, dict) else dict(values)


def differences(left: Mapping[str, Any], right: Mapping[str, Any], prefix: str = "") -> set[str]:
    """Dotted keys whose values differ."""
    keys = set()
    for key in left.keys() | right.keys():
        a = left.get(key)
        b = right.get(key)
        if isinstance(a, dict) and isinstance(b, dict):
            keys |= differences(a, b, f"{prefix}{key}.")
        elif a != b:
            keys.add(prefix + key)
    return keys
