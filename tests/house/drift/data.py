"""Series and what they drift to."""

import dataclasses

import numpy as np
import tensorflow as tf

from rnnsuite.app import Data
from rnnsuite.core.errors import UserError
from rnnsuite.core.section import section
from rnnsuite.data.source_config import SourceConfig

from . import sample

SPEC = {
    "series": tf.TensorSpec([None, 2], tf.float32),
    "scale": tf.TensorSpec([], tf.float32),
    "target": tf.TensorSpec([], tf.float32),
}


@section
class DataConfig(SourceConfig):
    """What to read."""

    scaled: bool = True
    """Whether series are divided by the standard deviation of train."""


@dataclasses.dataclass(frozen=True)
class Fitted:
    """The standard deviation of the training series."""

    std: float


def load(config, split):
    if split not in sample.SIZES:
        raise UserError(f"The sample has no {split} split; it has {', '.join(sample.SIZES)}.")
    return tf.data.Dataset.from_generator(lambda: sample.records(split), output_signature=SPEC)


def fit(config, records):
    values = [record["series"] for record in records.as_numpy_iterator()]
    return Fitted(float(np.concatenate(values).std()) if config.scaled else 1.0)


def examples(config, fitted, records):
    def example(record):
        inputs = {"series": record["series"] / fitted.std, "scale": record["scale"]}
        return inputs, record["target"]

    return records.map(example)


def length(inputs):
    return tf.shape(inputs["series"])[0]


DATA = Data(config=DataConfig, fitted=Fitted, load=load, fit=fit, examples=examples, length=length)
