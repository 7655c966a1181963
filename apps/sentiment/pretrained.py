"""What a language model gives a classifier: its vocabulary, and weights to begin with."""

import dataclasses
import logging
from collections.abc import Iterable, Mapping
from typing import Any

import keras

from rnnsuite.app import Start
from rnnsuite.core.errors import UserError
from rnnsuite.core.weights import copy_weights, named_weights
from rnnsuite.pipeline.config import Config
from rnnsuite.pipeline.start import open_origin

log = logging.getLogger(__name__)
APP = "language_model"
NGRAMS = "ngrams/"
TABLE = "tokens/0/table_0"
"""The language model's token vectors."""
EMBEDDING = "embedding/0/embeddings"
"""The classifier's, where it has no softmax over tokens."""


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """The subwords of a language model: the sentencepiece model in base64, and whether case is
    folded.
    """

    subwords: str
    lower: bool


def vocabulary(path: str) -> Vocabulary:
    """The vocabulary of a run or an export. Raises UserError where it is of no use here."""
    origin = open_origin(path)
    subwords = origin.fitted.get("subwords")
    if origin.app != APP or not subwords:
        raise UserError(
            f"data.language_model: {path} is no language model over subwords; train one with "
            "data.unit=subwords."
        )
    return Vocabulary(str(subwords), bool(origin.fitted["lower"]))


def initialise(config: Config, model: keras.Model, start: Start | None) -> None:
    """Gives a new classifier the weights of a language model, or of another classifier.

    Args:
        config: the whole configuration; without `train.start` the model begins with
            `data.language_model`, if there is one.
        model: the classifier.
        start: `train.start`.

    Raises:
        ValueError: for a language model with another vocabulary or of another size.
        KeyError: for another classifier that lacks a weight.
    """
    path = config.data.language_model
    origin = start or (open_origin(path) if path else None)
    if origin is None:
        return
    if origin.app != APP:
        # n-grams are fitted, and not learned: this data's stay.
        own = {name: value for name, value in named_weights(model).items() if NGRAMS in name}
        copy_weights(model, {**origin.weights, **own})
        return
    if config.model.bidirectional and not config.model.averaged:
        raise ValueError("a language model reads one way: set model.averaged")
    if not path or vocabulary(path).subwords != origin.fitted["subwords"]:
        raise ValueError("its vocabulary is another one: take it with data.language_model")
    _begin(model, origin.weights)


def _layers(names: Iterable[str]) -> set[str]:
    return {name.split("/")[0] for name in names}


def _begin(model: keras.Model, weights: Mapping[str, Any]) -> None:
    """Every weight that the language model has, too, by name."""
    own = named_weights(model)
    names = {name: TABLE if name == EMBEDDING else name for name in own}
    shared = {name: weights[key] for name, key in names.items() if key in weights}
    if not any(name.startswith("recurrent/") for name in shared):
        raise ValueError(
            "none of its recurrent layers is one of this model: set model.averaged and equal sizes"
        )
    fresh = sorted(_layers(name for name in own if "recurrent/" in name) - _layers(shared))
    if fresh:
        log.warning("The language model has no %s: this begins anew.", " and ".join(fresh))
    for name, value in shared.items():
        if tuple(value.shape) != tuple(own[name].shape):
            raise ValueError(
                f"{name} is {tuple(value.shape)} there and {tuple(own[name].shape)} here: set "
                "model.embedding, model.units and model.depth to what it has"
            )
        own[name].assign(value)
