"""The configuration sections that are the same in every application: train, tune and export."""

import dataclasses
from collections.abc import Mapping
from typing import Literal

import pydantic

from rnnsuite.core.section import (
    Fraction,
    NotNegative,
    NotNegativeInt,
    Positive,
    PositiveFloat,
    Share,
    section,
)

LiteKind = Literal["float32", "dynamic", "float16", "int8", "portable_float32", "portable_dynamic"]


@section
class Train:
    """How to train."""

    epochs: Positive = 10
    """Passes over the training examples."""
    share: Share = 1.0
    """Share of the training examples that is trained on, evenly spread over all of them."""
    strategy: Literal["none", "mirrored", "multi_worker"] = "none"
    """Of tf.distribute: mirrored, all GPUs of this machine; multi_worker, those in TF_CONFIG."""
    batch_size: Positive = 64
    """Examples in a batch, of all machines together."""
    batch_tokens: NotNegativeInt = 0
    """In place of batch_size: steps in a batch at its bucket's bound; 0 for batch_size."""
    boundaries: tuple[Positive, ...] = (16, 32, 64, 128, 256, 512, 1024)
    """Upper bounds of the buckets of example lengths."""
    window: Positive = 64
    """Steps in a batch of contiguous examples (truncated backpropagation through time)."""
    spread: NotNegative = 0.0
    """Standard deviation of drawn windows, whose steps the learning rate follows (1708.02182)."""
    shortest_first: bool = False
    """Whether the first epoch goes from short examples to long ones (arXiv 1512.02595, 3.3)."""
    shuffle: Positive = 200_000
    """Examples in the shuffle buffer, which are held in memory."""
    start: str = ""
    """A run or export, of any application, whose weights this model begins with."""
    optimizer: Literal["adamw", "adam", "sgd", "rmsprop"] = "adamw"
    """Of keras.optimizers; sgd with a Nesterov momentum of 0.9."""
    learning_rate: PositiveFloat = 2e-3
    """Peak learning rate, after the warm-up."""
    weight_decay: NotNegative = 0.01
    """Decoupled weight decay (arXiv 1711.05101)."""
    schedule: Literal["constant", "cosine", "linear"] = "cosine"
    """The learning rate after the warm-up: constant, or falling to 0."""
    warmup: Fraction = 0.1
    """Share of all steps in which the learning rate rises from 0."""
    clip_norm: NotNegative = 1.0
    """Bound on the global norm of all gradients; 0 for none."""
    ema: Fraction = 0.0
    """Decay of an exponential moving average of the weights, which is validated; 0 for none."""
    average: NotNegativeInt = 0
    """Epochs without a better `monitor` after which weights are averaged (1708.02182); 0: never."""
    rates: Mapping[str, Fraction] = dataclasses.field(default_factory=dict)
    """Shares of the learning rate by layer, such as {recurrent: 0.3} (1801.06146, section 3.2)."""
    adversarial: Fraction = 0.0
    """Norm of a perturbation as a share of the embedded tokens' (arXiv 1605.07725); 0 for none."""
    adversarial_epochs: Positive = 1
    """How many of the last epochs train on perturbed examples, too; they take twice as long."""
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    """Keras's dtype policy."""
    monitor: str = "val_loss"
    """The metric by which the best epoch is chosen."""
    keep: Literal["best", "last"] = "best"
    """Whose weights a run ends with: the best epoch's, or the last one's, where settings were
    chosen on other records and validation is to be reported."""
    patience: NotNegativeInt = 0
    """Epochs without a better `monitor` before stopping; 0 for never."""
    checkpoint_minutes: PositiveFloat = 2.0
    """Minutes between checkpoints within an epoch."""
    cache: bool = True
    """Whether examples are kept in memory after the first epoch."""

    @pydantic.model_validator(mode="after")
    def _check(self):
        if not self.boundaries or list(self.boundaries) != sorted(set(self.boundaries)):
            raise ValueError("boundaries are at least one length, each larger than the one before")
        if self.ema and self.average:
            raise ValueError("ema and average exclude each other: one average is validated")
        if self.keep == "last" and (self.patience or self.average):
            raise ValueError("keep=last excludes patience and average, which wait for a best epoch")
        return self

    def is_adversarial(self, epoch: int) -> bool:
        """Whether this epoch, of those from 0 on, trains on perturbed examples, too."""
        return bool(self.adversarial) and epoch >= self.epochs - self.adversarial_epochs


@section
class Range:
    """One dimension of a search space: a range or a choice."""

    range: tuple[int | float, int | float] | None = None
    """[low, high], whole numbers or real ones by its ends."""
    choice: tuple[str | int | float | bool, ...] | None = None
    """The values to choose from."""
    step: PositiveFloat | None = None
    """Distance between the values of a range."""
    log: bool = False
    """Whether a range is sampled evenly on a logarithmic scale."""

    @pydantic.model_validator(mode="after")
    def _check(self):
        if (self.range is None) == (self.choice is None):
            raise ValueError("give either range or choice")
        if not self.ends():
            raise ValueError("choice is empty")
        if self.range and not self.range[0] < self.range[1]:
            raise ValueError("the lower end must be below the upper")
        if self.log and (self.step or not self.range or self.range[0] <= 0):
            raise ValueError("log goes with a range above 0 and without a step")
        return self

    def __contains__(self, value: object) -> bool:
        """Whether a value is one that may be drawn, or lies between two of them."""
        if self.range is None:
            return value in (self.choice or ())
        low, high = self.range
        return isinstance(value, int | float) and low <= value <= high

    def ends(self) -> tuple:
        """The values that the configuration must accept for the search to be sound."""
        return self.choice or () if self.range is None else self.range


@section
class Tune:
    """How to search for settings."""

    algorithm: Literal["random", "bayesian", "hyperband"] = "bayesian"
    """Of keras-tuner."""
    trials: Positive = 10
    """Trials of a search; hyperband derives its own number."""
    objective: str = "val_loss"
    """The metric that the search improves."""
    keep: Positive = 1
    """How many of the best trials keep their weights."""
    by_hand: bool = True
    """Whether the first trial has the configuration's own settings, which the others should beat;
    not with hyperband."""
    stopping: Literal["none", "median", "halving"] = "none"
    """Which trials end early: those below the median of the others, or not among the best third
    after 1, 3, 9 ... times `grace` epochs; hyperband has its own rule."""
    grace: Positive = 1
    """Epochs that every trial may have."""
    share: Share = 1.0
    """Share of the training examples that trials train on, in place of train.share."""
    hours: NotNegative = 0.0
    """Time for all trials, after which none begins and the one under way ends; 0 for no bound."""
    space: Mapping[str, Range] = dataclasses.field(default_factory=dict)
    """Ranges by dotted key, such as model.units: {range: [32, 128]}."""

    @pydantic.model_validator(mode="after")
    def _check(self):
        if self.algorithm == "hyperband" and self.stopping != "none":
            raise ValueError("hyperband stops trials by itself: leave stopping out")
        return self


@section
class Export:
    """What an export contains and the bounds that it must hold."""

    weights: Literal["float32", "float16", "int8"] = "float32"
    """How the SavedModel stores its weights; float16 takes half the space, int8 a quarter."""
    lite: tuple[LiteKind, ...] = ("float32", "dynamic", "portable_dynamic")
    """The .tflite files (dynamic: int8 weights; float16: float16 weights; int8: all of it;
    portable_: for all of LiteRT's runtimes, browsers among them)."""
    parity_split: str = "validation"
    """The split whose records all forms are compared on."""
    parity_records: Positive = 200
    """How many of them."""
    saved_model_bound: PositiveFloat = 1e-5
    """Largest difference of the SavedModel's outputs, relative to the output's scale above 1."""
    lite_bound: PositiveFloat = 1e-4
    """The same of float32.tflite and portable_float32.tflite."""
    float16_tolerance: NotNegative = 0.005
    """Share of the primary metric that weights stored in float16 or int8 may lose."""
    dynamic_tolerance: NotNegative = 0.02
    """Share of the primary metric that dynamic.tflite and float16.tflite may lose."""
    int8_tolerance: NotNegative = 0.01
    """Share of the primary metric that int8.tflite may lose."""
    calibration_records: Positive = 200
    """Training records from which int8 takes its ranges."""
    not_for: str = ""
    """What the model must not be used for, as its card says."""
