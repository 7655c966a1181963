"""Where in the day, the week and the year times are, as operations of a graph.

Times are int64 seconds since 1970, in UTC or in the time of a place, as the data has them.
"""

import math
from collections.abc import Sequence

import tensorflow as tf

DAY = 86_400
WEEK = 7 * DAY
YEAR = 31_556_952
"""Seconds of a year of 365.2425 days."""
PERIODS = ((DAY, 2), (WEEK, 3), (YEAR, 2))
"""Each period in seconds, and how many of its harmonics are features."""
_ERA = 146_097
"""Days of 400 years."""


def waves(step: int, span: int) -> tuple[tuple[int, int], ...]:
    """(period, harmonic) of every wave that is worth a pair of features.

    A wave shorter than two steps cannot be seen in them, and one that the data do not hold once is
    a trend that nobody knows the end of.

    Args:
        step: seconds between observations.
        span: seconds from the first to the last of them.
    """
    return tuple(
        (period, harmonic)
        for period, count in PERIODS
        for harmonic in range(1, count + 1)
        if 2 * harmonic * step < period <= span
    )


def features(times: tf.Tensor, waves: Sequence[tuple[int, int]]) -> tf.Tensor:
    """Sine and cosine of every wave.

    Args:
        times: int64 `[...]`.
        waves: (period, harmonic) of each, one at least.

    Returns:
        float32 `[..., 2 * waves]`.
    """
    columns = []
    for period, harmonic in waves:
        # The remainder is taken of whole numbers: float32 has too few digits for seconds.
        # 1970 began on a Thursday, which is neither here nor there.
        share = tf.cast(tf.math.floormod(times, period), tf.float32) / period
        angle = 2 * math.pi * harmonic * share
        columns += [tf.sin(angle), tf.cos(angle)]
    return tf.stack(columns, axis=-1)


def add_months(times: tf.Tensor, months: tf.Tensor) -> tf.Tensor:
    """Times so many months later, on the same day or the month's last; last days stay last.

    Args:
        times: int64 `[...]`.
        months: int64, broadcast to them.
    """
    year, month, day = _date(tf.math.floordiv(times, DAY))
    was_last = tf.equal(day, _length(year, month))
    count = year * 12 + month - 1 + months
    year = tf.math.floordiv(count, 12)
    month = tf.math.floormod(count, 12) + 1
    last = _length(year, month)
    day = tf.where(was_last, last, tf.minimum(day, last))
    return _days(year, month, day) * DAY + tf.math.floormod(times, DAY)


def _date(days: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Year, month and day of days since 1970 (Richards, Explanatory Supplement to the
    Astronomical Almanac, 3rd edition, section 15.11.3, with years that begin in March).
    """
    shifted = days + 719_468  # from 1 March of year 0
    era = tf.math.floordiv(shifted, _ERA)
    rest = shifted - era * _ERA
    leaps = tf.math.floordiv(rest, 1460) - tf.math.floordiv(rest, 36_524)
    year = tf.math.floordiv(rest - leaps + tf.math.floordiv(rest, 146_096), 365)
    yearly = rest - (365 * year + tf.math.floordiv(year, 4) - tf.math.floordiv(year, 100))
    place = tf.math.floordiv(5 * yearly + 2, 153)
    day = yearly - tf.math.floordiv(153 * place + 2, 5) + 1
    month = tf.where(place < 10, place + 3, place - 9)
    return year + era * 400 + tf.cast(month <= 2, tf.int64), month, day


def _days(year: tf.Tensor, month: tf.Tensor, day: tf.Tensor) -> tf.Tensor:
    """Days since 1970 of a date; see `_date`."""
    year = year - tf.cast(month <= 2, tf.int64)
    era = tf.math.floordiv(year, 400)
    of_era = year - era * 400
    place = tf.where(month > 2, month - 3, month + 9)
    yearly = tf.math.floordiv(153 * place + 2, 5) + day - 1
    leaps = tf.math.floordiv(of_era, 4) - tf.math.floordiv(of_era, 100)
    return era * _ERA + of_era * 365 + leaps + yearly - 719_468


def _length(year: tf.Tensor, month: tf.Tensor) -> tf.Tensor:
    """Days of a month."""
    after = tf.where(month < 12, month + 1, tf.ones_like(month))
    following = tf.where(month < 12, year, year + 1)
    one = tf.ones_like(month)
    return _days(following, after, one) - _days(year, month, one)
