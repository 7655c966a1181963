"""When observations come: times in seconds, and the regular grid that they stand on."""

import dataclasses
import datetime
import re
from collections.abc import Iterable, Sequence

import numpy as np

from rnnsuite.core.errors import UserError

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY
MONTH = "M"
_UNITS = {"second": 1, "minute": MINUTE, "hour": HOUR, "day": DAY, "week": WEEK}
_NAME = re.compile(r"^(?:(\d+) )?(second|minute|hour|day|week|month|step)s?$")
_ZONE = re.compile(r"(?:Z|[+-]\d\d:?\d\d)$")
_FIRST_YEAR = 1678
_LAST_YEAR = 2262


@dataclasses.dataclass(frozen=True)
class Frequency:
    """The step of a regular series.

    Args:
        count: units in a step.
        unit: second, month, or step, which is no time at all: observations are merely numbered.
    """

    count: int
    unit: str = "second"

    def __str__(self) -> str:
        """Such as `hour`, `15 minutes`, `3 months`; `parse` reads it."""
        name = self.unit
        count = self.count
        if name == "second":
            name = next(item for item in reversed(_UNITS) if count % _UNITS[item] == 0)
            count //= _UNITS[name]
        return name if count == 1 else f"{count} {name}s"

    @classmethod
    def parse(cls, text: str) -> "Frequency":
        """The frequency of such a name. Raises UserError for another one."""
        match = _NAME.match(text.strip())
        if not match or match[1] == "0":
            raise UserError(
                f"{text!r} is no frequency: write auto, hour, 15 minutes, day, week, month, "
                "3 months, 12 months, or step where there are no times."
            )
        count = int(match[1] or 1)
        if match[2] in _UNITS:
            return cls(count * _UNITS[match[2]])
        return cls(count, match[2])

    def times(self, start: int, count: int, first: int = 0) -> np.ndarray:
        """`count` times in seconds since 1970, from `first` steps after `start` on."""
        steps = self.count * np.arange(first, first + count, dtype=np.int64)
        if self.unit != "month":
            return start + steps
        month, rest = _month_and_rest(np.array([start]))
        months = month[0] + steps
        return _at_months(months, int(rest[0]), _is_month_end(start))

    def places(self, times: np.ndarray, start: int) -> np.ndarray:
        """How many steps each time lies behind `start`; -1 for one that is on no step."""
        if self.unit != "month":
            steps, rest = np.divmod(times - start, self.count)
            return np.where(rest == 0, steps, -1)
        month, rest = _month_and_rest(np.append(times, start))
        steps, odd = np.divmod(month[:-1] - month[-1], self.count)
        wanted = _at_months(month[:-1], int(rest[-1]), _is_month_end(start))
        return np.where((odd == 0) & (wanted == times), steps, -1)


def _month_and_rest(times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Months since 1970, and seconds since the month began."""
    stamps = times.astype("datetime64[s]")
    months = stamps.astype("datetime64[M]")
    return months.astype(np.int64), (stamps - months).astype(np.int64)


def _month_length(months: np.ndarray) -> np.ndarray:
    begins = months.astype("datetime64[M]").astype("datetime64[D]")
    ends = (months + 1).astype("datetime64[M]").astype("datetime64[D]")
    return (ends - begins).astype(np.int64)


def _is_month_end(time: int) -> bool:
    month, rest = _month_and_rest(np.array([time]))
    return bool(rest[0] // DAY + 1 == _month_length(month)[0] and rest[0] >= 27 * DAY)


def _at_months(months: np.ndarray, rest: int, at_end: bool) -> np.ndarray:
    """The times of these months: on the same day, or the last where that is wanted or comes
    before it.
    """
    begins = months.astype("datetime64[M]").astype("datetime64[s]").astype(np.int64)
    last = (_month_length(months) - 1) * DAY + rest % DAY
    return begins + (last if at_end else np.minimum(rest, last))


def infer(series: Iterable[np.ndarray]) -> Frequency:
    """The step that the times of all series have in common.

    Args:
        series: times of each in seconds, rising.

    Returns:
        The commonest distance between neighbours; months where these are of equal length in months.

    Raises:
        ValueError: where no series has two times.
    """
    times = [item for item in series if len(item) > 1]
    if not times:
        raise ValueError("no series has two observations")
    distances = np.concatenate([np.diff(item) for item in times])
    values, counts = np.unique(distances, return_counts=True)
    commonest = int(values[np.argmax(counts)])
    if commonest >= 28 * DAY:
        months = np.concatenate([np.diff(_month_and_rest(item)[0]) for item in times])
        values, counts = np.unique(months, return_counts=True)
        monthly = Frequency(int(values[np.argmax(counts)]), "month")
        if monthly.count and all((monthly.places(item, int(item[0])) >= 0).all() for item in times):
            return monthly
    return Frequency(commonest)


def seconds(texts: Sequence[str]) -> np.ndarray:
    """Times in seconds since 1970, UTC, of ISO 8601 texts.

    With offsets from UTC they are turned into UTC; without, they are taken as they are.

    Args:
        texts: such as `2026-03-01`, `2026-03-01 14:00`, `2026-03-01T14:00:00+01:00`.

    Returns:
        int64 `[texts]`.

    Raises:
        ValueError: with the number of the first text that is no time, or whose offset is there
            where others have none, as its second argument.
    """
    zoned = [bool(_ZONE.search(text)) and len(text) > 10 for text in texts]
    if any(zoned) and not all(zoned):
        number = zoned.index(not zoned[0])
        raise ValueError("has an offset from UTC where others have none, or the other way", number)
    if not any(zoned):
        try:
            parsed = np.array(texts, dtype="datetime64[s]")
        except ValueError:
            parsed = None
        if parsed is not None and not np.isnat(parsed).any():
            return _checked(parsed.astype(np.int64))
    return _checked(np.array([_seconds(text, n) for n, text in enumerate(texts)], np.int64))


def _seconds(text: str, number: int) -> int:
    try:
        time = datetime.datetime.fromisoformat(re.sub("Z$", "+00:00", text.strip()))
    except ValueError:
        raise ValueError(f"{text!r} is no date or time", number) from None
    if time.tzinfo is None:
        time = time.replace(tzinfo=datetime.timezone.utc)
    return int(time.timestamp())


def _checked(times: np.ndarray) -> np.ndarray:
    years = times.astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64) + 1970
    odd = np.flatnonzero((years < _FIRST_YEAR) | (years > _LAST_YEAR))
    if len(odd):
        raise ValueError(f"the year {years[odd[0]]} is not believed", int(odd[0]))
    return times


def written(time: int, frequency: Frequency | None = None) -> str:
    """A time as people write it; a number where observations are merely numbered."""
    if frequency is not None and frequency.unit == "step":
        return str(time)
    return str(np.datetime64(int(time), "s")).replace("T", " ").removesuffix(" 00:00:00")
