"""The recurrences as numpy, straight from the papers; one step each, row vectors."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def simple(x, states, kernel, recurrent, bias):
    """h' = tanh(x W + h U + b), Elman 1990."""
    h = np.tanh(x @ kernel + states[0] @ recurrent + bias)
    return h, [h]


def gru(x, states, kernel, recurrent, bias):
    """Cho et al. 2014 with the reset gate after the product, as cuDNN: gates z, r, candidate."""
    (h,) = states
    x_z, x_r, x_h = np.split(x @ kernel + bias[0], 3, axis=-1)
    h_z, h_r, h_h = np.split(h @ recurrent + bias[1], 3, axis=-1)
    z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
    h = z * h + (1 - z) * np.tanh(x_h + r * h_h)
    return h, [h]


def lstm(x, states, kernel, recurrent, bias):
    """Gers et al. 2000: gates i, f, candidate g, o."""
    h, c = states
    i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return h, [h, c]


STEPS = {"simple": (simple, 1), "gru": (gru, 1), "lstm": (lstm, 2)}


def run(cell, x, mask, weights):
    """All outputs `[batch, time, units]`; a masked step leaves the states as they were and repeats the output."""
    step, count = STEPS[cell]
    states = [np.zeros([x.shape[0], weights[1].shape[0]]) for _ in range(count)]
    output, outputs = np.zeros_like(states[0]), []
    for t in range(x.shape[1]):
        new_output, new_states = step(x[:, t], states, *weights)
        keep = mask[:, t, None]
        output = np.where(keep, new_output, output)
        states = [np.where(keep, new, old) for new, old in zip(new_states, states, strict=True)]
        outputs.append(output)
    return np.stack(outputs, axis=1)
