"""How answers are scored: the record Scoring of an application, and what it gives and takes."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from rnnsuite.core.fields import Record

if TYPE_CHECKING:
    from rnnsuite.app import Trained
    from rnnsuite.pipeline.config import Config

Direction = Literal["min", "max"]
"""Whether a metric is better when it is lower or higher."""


@dataclasses.dataclass(frozen=True)
class Score:
    """How good answers are.

    Args:
        metrics: numbers by the field's name for them.
        plots, tables: figures, drawn on demand, and rows, by title.
        notes: how a metric was computed, where its name does not say it.
        neutral: numbers that are better neither larger nor smaller, such as the share of
            observations within an interval.
        right, wrong: cases worth reading, best first and worst first.
        titles: headings of the wrong and of the right cases.
    """

    metrics: Mapping[str, float]
    plots: Mapping[str, Callable[[], Any]] = dataclasses.field(default_factory=dict)
    notes: Mapping[str, str] = dataclasses.field(default_factory=dict)
    neutral: Mapping[str, float] = dataclasses.field(default_factory=dict)
    tables: Mapping[str, Sequence[Mapping[str, Any]]] = dataclasses.field(default_factory=dict)
    right: Sequence[Mapping[str, Any]] = ()
    wrong: Sequence[Mapping[str, Any]] = ()
    titles: tuple[str, str] = ("Most confident wrong answers", "Most confident right answers")


@dataclasses.dataclass(frozen=True)
class EveryEpoch:
    """Scores computed after every epoch, where a loss alone does not say how good answers are.

    Args:
        signature: answers the validation records, with the weights as they are.
        metrics: which of the application's; `train.monitor` may be one.
    """

    signature: str
    metrics: Sequence[str]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Asked:
    """A model that a whole split is asked of.

    Args:
        ask: `ask(records, signature, options)` gives answers; signatures are those of the model's
            form, options values of its optional inputs.
        signatures: their names.
        config: that the model was trained with, its scoring settings replaced where others are
            given.
        fitted: what was fitted on train.
        trained: gives the model itself; None of an exported one.
    """

    ask: Callable[..., Mapping[str, Any]]
    signatures: Iterable[str]
    config: "Config"
    fitted: Any
    trained: Callable[[], "Trained"] | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scoring:
    """How answers are scored.

    Args:
        score: `score(records, answers, fitted)`: records and the answers to them in the same order;
            fitted is None where it is not known.
        metrics: the metrics that `score` gives, each with its better direction.
        primary: the one that decides whether an exported form is good enough.
        every_epoch: what is scored after every epoch, or None.
        figures: `figures(ask, records)` gives further plots, by `ask(records, signature)`.
        require: raises UserError, before work begins, where what scoring needs is not installed.
        answers: `answers(asked, records)` gives what is scored of a whole split, where that is more
            than the answers to its records one by one; None for these.
        tables: `tables(asked, records)` gives further tables of the report, by title, or is None.
        floor: `floor(config, fitted, records)` gives metrics of a cheap model learned from the
            training records of that data section, such as a linear one, and its name under "model";
            None without one.
        diversity: metrics that count what differs among all answers: no mean over records, so that
            the bootstrap gives them no interval.
    """

    score: Callable[[Sequence[Record], Mapping[str, Any], Any], Score]
    metrics: Mapping[str, Direction]
    primary: str
    every_epoch: EveryEpoch | None = None
    figures: Callable[[Callable, Sequence[Record]], Mapping[str, Callable[[], Any]]] | None = None
    require: Callable[[], None] | None = None
    answers: Callable[[Asked, Sequence[Record]], Mapping[str, Any]] | None = None
    tables: Callable[[Asked, Sequence[Record]], Mapping[str, Any]] | None = None
    floor: Callable[[Any, Any, Sequence[Record]], Mapping[str, Any]] | None = None
    diversity: Sequence[str] = ()
