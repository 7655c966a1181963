"""Configuration sections: strict, frozen dataclasses whose keys carry their bounds and meaning."""

from typing import Annotated, Any, TypeVar

import pydantic
from typing_extensions import dataclass_transform

Kind = TypeVar("Kind")
Positive = Annotated[int, pydantic.Field(ge=1)]
NotNegativeInt = Annotated[int, pydantic.Field(ge=0)]
PositiveFloat = Annotated[float, pydantic.Field(gt=0)]
NotNegative = Annotated[float, pydantic.Field(ge=0)]
Fraction = Annotated[float, pydantic.Field(ge=0, lt=1)]
Share = Annotated[float, pydantic.Field(gt=0, le=1)]
Probability = Annotated[float, pydantic.Field(ge=0, le=1)]


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(pydantic.Field,))
def section(kind: type[Kind]) -> type[Kind]:
    """Decorator for a configuration section: frozen, keywords only, no unknown keys.

    Values keep their YAML type: nothing is converted. A string below a key says what it means;
    `rnnsuite config APP` prints it.

    Args:
        kind: a class with annotated keys and their defaults.

    Returns:
        The class as a strict dataclass.
    """
    config = pydantic.ConfigDict(
        extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )
    decorate: Any = pydantic.dataclasses.dataclass(frozen=True, kw_only=True, config=config)
    return decorate(kind)
