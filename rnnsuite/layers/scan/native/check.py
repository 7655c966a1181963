"""Whether a native library computes what the equations say."""

from typing import Any, Protocol

import numpy as np
import tensorflow as tf

BATCH, STEPS, UNITS = 3, 4, 21
"""Of the check: no whole vector of units, and more rows than a thread of its own is worth."""
BOUND = 1e-5
STEP = 1e-4
STATES = {"lstm": ("h", "c"), "gru": ("h",), "min_gru": ("h",)}
GATES = {"lstm": 4, "gru": 3, "min_gru": 2}


class Wrong(Exception):
    """It does not."""


class Operations(Protocol):
    """What is checked."""

    def operation(self, name: str) -> Any:
        """An operation as a Python function."""


def check(library: Operations) -> None:
    """Compares the recurrences, forward and backward, with the equations in numpy.

    Args:
        library: the operations.

    Raises:
        Wrong: where they differ.
    """
    for name, equations in {"lstm": lstm, "gru": gru, "min_gru": min_gru}.items():
        random = np.random.default_rng(0)
        given = _drawn(name, random)
        upstream = random.normal(size=(BATCH, STEPS, UNITS))
        tensors = {key: tf.constant(value, tf.float32) for key, value in given.items()}
        nowhere = tf.zeros([0, 0], tf.bool)
        flags = {"valid": nowhere, "fresh": nowhere}
        ran = library.operation(name)(**tensors, **flags)
        _compare(name, ran.outputs, equations(**given))
        states = STATES[name]
        found = library.operation(f"{name}_grad")(
            d_outputs=tf.constant(upstream, tf.float32),
            **{f"d_{state}": tf.zeros([BATCH, UNITS]) for state in states},
            **({"kernel": tensors["kernel"]} if "kernel" in tensors else {}),
            saved=ran.saved,
            **{f"before_{state}": getattr(ran, f"before_{state}") for state in states},
            **flags,
        )
        gradients = {"inputs": found.d_inputs}
        gradients |= {state: getattr(found, f"first_{state}") for state in states}
        for key, gradient in gradients.items():
            direction = random.normal(size=given[key].shape)
            above, below = (
                (equations(**{**given, key: given[key] + sign * STEP * direction}) * upstream).sum()
                for sign in (1, -1)
            )
            slope = (above - below) / (2 * STEP)
            _compare(f"{name}'s gradient", np.sum(gradient.numpy() * direction) / slope, 1.0)


def _drawn(name: str, random: np.random.Generator) -> dict[str, np.ndarray]:
    """What an operation takes, by name."""
    width = GATES[name] * UNITS
    given = {"inputs": random.normal(size=(BATCH, STEPS, width))}
    given |= {state: random.normal(size=(BATCH, UNITS)) for state in STATES[name]}
    if name != "min_gru":
        given["kernel"] = random.normal(size=(UNITS, width)) / UNITS**0.5
    given["bias"] = random.normal(size=width)
    if name == "gru":
        given["recurrent_bias"] = random.normal(size=width)
    return given


def _compare(what: str, found: Any, expected: Any) -> None:
    error = np.max(np.abs(np.asarray(found) - expected))
    if not error < BOUND:  # what is not a number is wrong, too
        raise Wrong(f"{what} is off by {error:.1e}")


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def lstm(inputs, h, c, kernel, bias) -> np.ndarray:
    """Outputs `[batch, steps, units]` by the equations of `lstm.cc`."""
    outputs = []
    for t in range(inputs.shape[1]):
        i, f, g, o = np.split(inputs[:, t] + bias + h @ kernel, 4, axis=-1)
        c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
        h = _sigmoid(o) * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs, axis=1)


def gru(inputs, h, kernel, bias, recurrent_bias) -> np.ndarray:
    """Outputs `[batch, steps, units]` by the equations of `gru.cc`."""
    outputs = []
    for t in range(inputs.shape[1]):
        a_z, a_r, a_n = np.split(inputs[:, t] + bias, 3, axis=-1)
        p_z, p_r, p_n = np.split(h @ kernel + recurrent_bias, 3, axis=-1)
        n = np.tanh(a_n + _sigmoid(a_r + p_r) * p_n)
        h = n + _sigmoid(a_z + p_z) * (h - n)
        outputs.append(h)
    return np.stack(outputs, axis=1)


def min_gru(inputs, h, bias) -> np.ndarray:
    """Outputs `[batch, steps, units]` by the equations of `min_gru.cc`."""
    outputs = []
    for t in range(inputs.shape[1]):
        z, n = np.split(inputs[:, t] + bias, 2, axis=-1)
        h = (1 - _sigmoid(z)) * h + _sigmoid(z) * n
        outputs.append(h)
    return np.stack(outputs, axis=1)
