"""The part of a `data` section that says how tables of time series are written."""

from typing import Literal

from rnnsuite.core.section import section
from rnnsuite.data.source_config import TableConfig


@section
class SeriesConfig(TableConfig):
    """Where series come from, and which columns are what."""

    layout: Literal["auto", "long", "wide", "rows"] = "auto"
    """long: a row for each series and time; wide: a column for each series; rows: a row for each
    series."""
    id: str = "unique_id"
    """Of long tables and rows: the column that names the series; one series where there is none."""
    time: str = "ds"
    """The column of times; in tables without it, observations are numbered."""
    target: str = "y"
    """Of long tables: the column that is forecast."""
    past: tuple[str, ...] = ()
    """Of long tables: covariates known up to the last observation."""
    future: tuple[str, ...] = ()
    """Of long tables: covariates known beforehand, such as prices and holidays."""
    static: tuple[str, ...] = ()
    """Of long tables: numbers that do not change within a series."""
    frequency: str = "auto"
    """The distance of observations, such as hour, 15 minutes, month, step; auto finds it."""
