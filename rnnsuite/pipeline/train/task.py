"""What is trained: the examples in batches, and the model."""

import dataclasses
import functools
import logging
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnsuite.app import App
from rnnsuite.core.errors import UserError
from rnnsuite.core.text import one_line
from rnnsuite.core.weights import copy_weights
from rnnsuite.data import batches, labels, notes
from rnnsuite.data.notes import Skips
from rnnsuite.pipeline.config import Config
from rnnsuite.pipeline.run import Run, parse_fitted
from rnnsuite.pipeline.start import open_origin
from rnnsuite.pipeline.train import overview
from rnnsuite.pipeline.train.workers import Workers

log = logging.getLogger(__name__)


class TrainingTask:
    """The data of one training, fitted and divided into batches, and its model.

    Args:
        run: where what is fitted is kept.
        config: the whole configuration.
        fitted: what an earlier run fitted on the same data, or None.
        workers: the processes that train together. The chief fits first, so that the others find
            its data prepared.

    Raises:
        UserError: for unusable data or settings.
    """

    def __init__(self, run: Run, config: Config, fitted: Any, workers: Workers):
        self.app: App = run.app
        self.config = config
        data = self.app.data
        if data.order == "contiguous" and config.train.strategy != "none":
            raise UserError(
                "train.strategy: contiguous examples are trained by one process; take none."
            )
        with notes.collected() as said:
            load = functools.cache(functools.partial(data.load, config.data))
            self.fitted = self._fit(run, fitted, load, workers)
            self.validation_records = self._known(load("validation"))
            self.examples = self._examples(_share(load("train"), config.train.share))
        self.augment = data.augment(config.data, self.fitted) if data.augment else None
        validation_examples = self._examples(self.validation_records)
        self.validation = self._batches(validation_examples)
        self._look(run, validation_examples, list(said.skipped), workers)
        keras.utils.set_random_seed(config.seed)
        with workers.strategy.scope():
            self.model = self.app.model.build(config.model, self.fitted)

    def _look(
        self, run: Run, validation: tf.data.Dataset, skipped: Sequence[str], workers: Workers
    ) -> None:
        """Says what the examples are, and keeps it with the run."""
        names = self.fitted.labels if self.app.data.label else None
        train = overview.summarise("train", self.examples, self.app.data, names)
        held_out = overview.summarise("validation", validation, self.app.data, names)
        self.steps, self.padding = _padding(self._batches(self.examples), train)
        _padding(self.validation, held_out)
        if not workers.chief:
            return
        overview.report([train, held_out])
        log.info("%d batches an epoch, %.1f %% of them padding.", self.steps, 100 * self.padding)
        overview.suggest(train, self.padding, self.steps, self.config.train)
        counts = {split.name: split.values() for split in (train, held_out)}
        run.save_data({**run.data(), "splits": counts, "skipped": len(skipped)})
        if skipped:
            run.save_skipped(skipped)

    def _known(self, records: tf.data.Dataset) -> tf.data.Dataset:
        """Records whose class train has, too. Raises UserError for others, or leaves them out."""
        data = self.app.data
        if data.label is None:
            return records
        skips = Skips(self.config.data.on_error)
        known = labels.known(records, data.label, self.fitted.labels, skips)
        skips.report("validation")
        return known

    def _fit(self, run: Run, fitted: Any, load: Callable, workers: Workers) -> Any:
        def by_chief():
            result = run.fitted() or fitted
            if result is None:
                log.info("Fitting on the training records ...")
                result = self.app.data.fit(self.config.data, load("train"))
            run.save_fitted(result)
            return dataclasses.asdict(result)

        return parse_fitted(self.app, workers.broadcast(by_chief), "what the chief fitted")

    def _examples(self, records: tf.data.Dataset) -> tf.data.Dataset:
        examples = self.app.data.examples(self.config.data, self.fitted, records)
        return examples.cache() if self.config.train.cache else examples

    def _batches(
        self, examples: tf.data.Dataset, seed: int | None = None, shortest_first: bool = False
    ) -> tf.data.Dataset:
        settings = self.config.train
        if self.app.data.order == "contiguous":
            return batches.windows(self._rows(examples), settings.window, settings.spread, seed)
        size: int | Callable[[int], int] = settings.batch_size
        if settings.batch_tokens:
            size = lambda bound: max(settings.batch_tokens // bound, 1)  # noqa: E731
        augment = self.augment if seed is not None else None
        length = self.app.data.length
        bounds = settings.boundaries
        return batches.bucketed(
            examples, length, bounds, size, seed, augment, settings.shuffle, shortest_first
        )

    @functools.lru_cache(maxsize=2)  # noqa: B019 - of train and validation, as long as this is
    def _rows(self, examples: tf.data.Dataset) -> Any:
        """All examples end to end, in memory, in the rows of a batch."""
        return batches.end_to_end(examples, self.config.train.batch_size)

    def epoch(self, number: int) -> tf.data.Dataset:
        """The batches of an epoch, counted from 0: the same for the same seed and number."""
        shortest_first = self.config.train.shortest_first and number == 0
        return self._batches(self.examples, self.config.seed + number, shortest_first)

    def initialise(self) -> None:
        """Gives the new model weights that were trained elsewhere, where there are any.

        Raises:
            UserError: where they do not fit.
        """
        origin = self.config.train.start
        start = open_origin(origin) if origin else None
        try:
            if self.app.model.initialise:
                self.app.model.initialise(self.config, self.model, start)
            elif start:
                copy_weights(self.model, start.weights)
        except (ValueError, KeyError) as error:
            what = f"train.start: the model of {origin}" if origin else "The model to begin with"
            raise UserError(
                f"{what} has other layers or another vocabulary ({one_line(error, 200)})."
            ) from error


def _share(records: tf.data.Dataset, share: float) -> tf.data.Dataset:
    """A share of the records: the whole parts of a count that grows by the share for each."""
    if share == 1:
        return records

    def is_taken(number: Any, _: Any) -> Any:
        count = tf.cast(number, tf.float64) * share
        return tf.floor(count + share) > tf.floor(count)

    numbered: Any = records.enumerate()
    return numbered.filter(is_taken).map(lambda _, record: record)


def _padding(batched: tf.data.Dataset, split: overview.SplitSummary) -> tuple[int, float]:
    """The number of batches and the share of their numbers that is padding."""

    def add_sizes(total, *batch):
        return total + tf.stack(
            [1, sum(tf.size(part, tf.int64) for part in tf.nest.flatten(batch))]
        )

    count, size = map(int, batched.reduce(np.zeros(2, np.int64), add_sizes))
    if not count:
        raise UserError(f"The {split.name} split holds no whole batch.")
    return count, max(1 - split.size / size, 0.0)
