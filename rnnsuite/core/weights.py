"""Weights of a Keras model by names that do not depend on what else was built in the process."""

import re
from collections.abc import Iterable, Mapping
from typing import Any


def named_weights(model: Any) -> dict[str, Any]:
    """A model's variables by name.

    Keras numbers layers without a name of their own as they are made, so paths differ between
    processes. Names here are those of the model's own layers, each with the place of the weight in
    it.

    Args:
        model: a Keras model.

    Returns:
        Variables by `<layer>/<place>/<weight>`, such as `recurrent/0/kernel`, without the states of
        random numbers.
    """
    return {
        f"{layer.name}/{place}/{weight.name}": weight
        for layer in model.layers
        for place, weight in enumerate(layer.weights)
        if "seed_generator" not in weight.path
    }


def copy_weights(model: Any, weights: Mapping[str, Any]) -> None:
    """Gives every weight of a model the array of its name.

    Raises:
        KeyError: where one is missing.
        ValueError: where one has another shape.
    """
    for name, variable in named_weights(model).items():
        if name not in weights:
            raise KeyError(f"there is no {name}")
        variable.assign(weights[name])


def stable_names(paths: Iterable[str]) -> dict[str, str]:
    """A name for each path of a layer that is the same in every process.

    Args:
        paths: in the order of the model, such as `recurrent/forward_lstm_18/lstm_cell`.

    Returns:
        Names by path, without the numbers that Keras gives; equal ones are counted.
    """
    names: dict[str, str] = {}
    counts: dict[str, int] = {}
    for path in dict.fromkeys(paths):
        name = re.sub(r"_\d+(?=/|$)", "", path)
        counts[name] = counts.get(name, 0) + 1
        names[path] = name if counts[name] == 1 else f"{name} ({counts[name]})"
    return names
