"""Records in memory."""

from collections.abc import Mapping
from typing import Any

from rnnsuite.core.errors import UserError


def collect(records: Any, limit: int | None = None) -> list[Mapping[str, Any]]:
    """The records of a data set, or `limit` of them.

    A limit takes them evenly spread, because many sources are sorted by class.

    Raises:
        UserError: when there are none.
    """
    if limit:
        count = int(records.reduce(0, lambda number, _: number + 1))
        stride = max(count // limit, 1)
        numbered = records.enumerate().filter(lambda number, _: number % stride == 0)
        records = numbered.map(lambda _, record: record).take(limit)
    collected = list(records.as_numpy_iterator())
    if not collected:
        raise UserError("The split holds no records.")
    return collected
