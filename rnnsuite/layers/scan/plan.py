"""Which way a sequence is run."""

import dataclasses
import math
import os

import tensorflow as tf

# Rows that are worth a shard of their own, without padding and with it.
FEWEST_ROWS = {False: 4, True: 8}
ENOUGH_ROWS = 16  # that lose no speed when the batch is divided further
# in a segment that is worth its calls
ENOUGH_STEPS = 50
ENOUGH_NUMBERS = {False: 2**16, True: 2**17}

SWITCH = "RNNSUITE_SCAN"
"""Environment variable: `stock` compiles nothing, `xla` compiles loops and has no native kernel."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """How a sequence is run.

    Args:
        compiled: by XLA, one compilation for each shape that occurs; lengths that are not known
            beforehand are then rounded up, so that few shapes occur.
        shards: parts of the batch that run side by side.
        segments: parts of the time that run one after another, so that the memory that one of them
            needs is free for the next.
        in_blocks: several steps in each pass of the loop, for a static number of steps.
        native: by the recurrence's native kernel, if it has one that can do what is asked; what
            stands above is for all others.
    """

    compiled: bool
    shards: int
    segments: int = 1
    in_blocks: bool = False
    native: bool = False

    @property
    def rounded(self) -> bool:
        return self.compiled


def plan(batch: int | None, time: int | None, units: int, padded: bool) -> Plan:
    """The fastest measured way (benchmarks/README.md) to run a recurrence.

    Args:
        batch, time: sizes of the inputs; None where they are unknown.
        units: width of the state.
        padded: whether there is a mask.

    Returns:
        The way.
    """
    switch = os.environ.get(SWITCH)
    if switch == "stock":  # a plain loop begins at once: for little training
        return STOCK
    compiled = _compiled(batch, time, units, padded)
    return dataclasses.replace(compiled, native=switch != "xla")


def _compiled(batch: int | None, time: int | None, units: int, padded: bool) -> Plan:
    if tf.executing_eagerly():  # operations run one after another: shards would wait for each other
        return Plan(compiled=True, shards=1)
    cores = os.cpu_count() or 1
    if batch is None:
        return Plan(compiled=True, shards=2 * cores if padded else cores)
    # Twice as many parts as cores: with padding, parts sorted by length end at different steps and
    # more of them balance that; without, only half of them hold their temporary memory at a time.
    many = padded or batch >= 2 * cores * ENOUGH_ROWS
    shards = max(1, min(2 * cores if many else cores, batch // FEWEST_ROWS[padded]))
    time = time or 0  # what is not known stays whole
    segments = min(time // ENOUGH_STEPS, batch * time * units // ENOUGH_NUMBERS[padded])
    return Plan(
        compiled=True,
        shards=shards,
        segments=max([n for n in (1, 2, 4, 8) if n <= segments], default=1),
    )


STOCK = Plan(compiled=False, shards=1)
PORTABLE = Plan(compiled=False, shards=1, in_blocks=True)


def rounded(n: tf.Tensor, steps: int) -> tf.Tensor:
    """`n` rounded up to one of `steps` numbers in every doubling, so that compilations stay few."""
    n = tf.maximum(n, 1)
    bits = tf.cast(tf.math.log(tf.cast(n, tf.float64)) / math.log(2) + 1e-9, tf.int32)
    grain = tf.bitwise.left_shift(1, tf.maximum(bits - int(math.log2(steps)), 0))
    return -(-n // grain) * grain
