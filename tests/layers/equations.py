"""The recurrences as numpy, straight from the papers; one step each, row vectors."""

import functools

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def norm(v):
    return (v - v.mean(-1, keepdims=True)) / np.sqrt(v.var(-1, keepdims=True) + 1e-5)


def simple(x, states, kernel, recurrent, bias, act=np.tanh):
    """h' = tanh(x W + h U + b), Elman 1990."""
    h = act(x @ kernel + states[0] @ recurrent + bias)
    return h, [h]


def gru(x, states, kernel, recurrent, bias):
    """Cho et al. 2014 with the reset gate after the product, as cuDNN: gates z, r, candidate."""
    (h,) = states
    x_z, x_r, x_h = np.split(x @ kernel + bias[0], 3, axis=-1)
    h_z, h_r, h_h = np.split(h @ recurrent + bias[1], 3, axis=-1)
    z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
    h = z * h + (1 - z) * np.tanh(x_h + r * h_h)
    return h, [h]


def gru_reset_before(x, states, kernel, recurrent, bias):
    """Cho et al. 2014 as printed: the reset gate before the product."""
    (h,) = states
    x_z, x_r, x_h = np.split(x @ kernel + bias, 3, axis=-1)
    u_z, u_r, u_h = np.split(recurrent, 3, axis=-1)
    z, r = sigmoid(x_z + h @ u_z), sigmoid(x_r + h @ u_r)
    h = z * h + (1 - z) * np.tanh(x_h + (r * h) @ u_h)
    return h, [h]


def lstm(x, states, kernel, recurrent, bias):
    """Gers et al. 2000: gates i, f, candidate g, o."""
    h, c = states
    i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return h, [h, c]


def layernorm_lstm(
    x, states, kernel, recurrent, bias, input_scale, recurrent_scale, state_scale, state_bias
):
    """Ba et al. 2016, eq. 20-22."""
    h, c = states
    z = input_scale * norm(x @ kernel) + recurrent_scale * norm(h @ recurrent) + bias
    i, f, g, o = np.split(z, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(state_scale * norm(c) + state_bias)
    return h, [h, c]


def layernorm_gru(x, states, kernel, recurrent, bias, input_scale, recurrent_scale):
    """Ba et al. 2016, eq. 26-28: the gates and the candidate normalised apart. Keras's two biases
    add up.
    """
    (h,) = states
    units = h.shape[-1]

    def apart(v):
        return np.concatenate([norm(v[:, : 2 * units]), norm(v[:, 2 * units :])], axis=-1)

    x_z, x_r, x_h = np.split(input_scale * apart(x @ kernel) + bias.sum(0), 3, axis=-1)
    h_z, h_r, h_h = np.split(recurrent_scale * apart(h @ recurrent), 3, axis=-1)
    z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
    h = z * h + (1 - z) * np.tanh(x_h + r * h_h)
    return h, [h]


def min_gru(x, states, kernel, bias):
    """Feng et al. 2024, section 3.1: the update gate and the candidate see the input alone."""
    z, candidate = np.split(x @ kernel + bias, 2, axis=-1)
    h = (1 - sigmoid(z)) * states[0] + sigmoid(z) * candidate
    return h, [h]


def min_lstm(x, states, kernel, bias):
    """Feng et al. 2024, section 3.2: forget and input gates, divided by their sum."""
    f, i, candidate = np.split(x @ kernel + bias, 3, axis=-1)
    f, i = sigmoid(f), sigmoid(i)
    h = f / (f + i) * states[0] + i / (f + i) * candidate
    return h, [h]


def rg_lru(x, states, kernel, decay, bias):
    """De et al. 2024, eq. 1-4, c = 8, a = sigmoid(-decay): a softplus of decay is -log a."""
    r, i, v = np.split(x @ kernel + bias, 3, axis=-1)
    a = sigmoid(-decay) ** (8 * sigmoid(r))
    h = a * states[0] + np.sqrt(1 - a**2) * sigmoid(i) * v
    return h, [h]


def ind_rnn(x, states, kernel, recurrent, bias):
    """Li et al. 2018, eq. 2."""
    h = np.maximum(x @ kernel + recurrent * states[0] + bias, 0)
    return h, [h]


def sru(x, states, kernel, recurrent, bias):
    """Lei et al. 2018, eq. 1-4, with a projection to skip by and the scale of section 3.2."""
    _, c = states
    is_narrow = kernel.shape[1] == 3 * c.shape[1]
    parts = np.concatenate([x @ kernel, x], axis=-1) if is_narrow else x @ kernel
    candidate, f, r, skip = np.split(parts, 4, axis=-1)
    v_f, v_r = np.split(recurrent, 2)
    b_f, b_r = np.split(bias, 2)
    f, r = sigmoid(f + v_f * c + b_f), sigmoid(r + v_r * c + b_r)
    c = f * c + (1 - f) * candidate
    h = r * c + (1 - r) * np.sqrt(3) * skip
    return h, [h, c]


def slstm(x, states, kernel, recurrent, bias):
    """Beck et al. 2024, eq. 8-18 with a sigmoid's forget gate; heads by the recurrent kernel."""
    h, c, n, m = states
    units = h.shape[-1]
    size = recurrent.shape[1] // 4
    sums = x @ kernel + bias
    after = []
    for head in range(units // size):
        at = slice(head * size, (head + 1) * size)
        own = sums[:, 4 * head * size : 4 * (head + 1) * size] + h[:, at] @ recurrent[at]
        i, f, z, o = np.split(own, 4, axis=-1)
        kept = np.log(sigmoid(f)) + m[:, at]
        m_new = np.maximum(kept, i)
        i, f = np.exp(i - m_new), np.exp(kept - m_new)
        c_new = f * c[:, at] + i * np.tanh(z)
        n_new = f * n[:, at] + i
        after.append([sigmoid(o) * c_new / n_new, c_new, n_new, m_new])
    states = [np.concatenate(parts, axis=-1) for parts in zip(*after, strict=True)]
    return states[0], states


def mogrifier_lstm(x, states, kernel, recurrent, *others):
    """Melis et al. 2019, eq. 1-2, then an LSTM whose input gate is at most 1 - f."""
    *matrices, bias = others
    h, c = states
    for number, matrix in enumerate(matrices, 1):
        if number % 2:
            x = 2 * sigmoid(h @ matrix) * x
        else:
            h = 2 * sigmoid(x @ matrix) * h
    i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=-1)
    f = sigmoid(f)
    c = f * c + np.minimum(sigmoid(i), 1 - f) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return h, [h, c]


STEPS = {
    "slstm": (slstm, 4),
    "mogrifier_lstm": (mogrifier_lstm, 2),
    "min_gru": (min_gru, 1),
    "min_lstm": (min_lstm, 1),
    "rg_lru": (rg_lru, 1),
    "ind_rnn": (ind_rnn, 1),
    "sru": (sru, 2),
    "simple": (simple, 1),
    "relu": (functools.partial(simple, act=lambda v: np.maximum(v, 0)), 1),
    "gru": (gru, 1),
    "gru_reset_before": (gru_reset_before, 1),
    "lstm": (lstm, 2),
    "layernorm_lstm": (layernorm_lstm, 2),
    "layernorm_gru": (layernorm_gru, 1),
}


def run(
    cell, x, mask, weights, *, backwards=False, zero_masked=False, initial=None, kept=None, units=0
):
    """(all outputs `[batch, time, units]` in the order of running, last states).

    A masked step leaves the states as they were and repeats the output. kept: how much of
    the old states every step mixes in, one number for each state.
    """
    step, count = STEPS[cell]
    states = initial or [np.zeros([x.shape[0], units or weights[1].shape[0]]) for _ in range(count)]
    output, outputs = np.zeros_like(states[0]), []
    for t in range(x.shape[1])[:: -1 if backwards else 1]:
        _, new = step(x[:, t], states, *weights)
        if kept:
            new = [
                share * old + (1 - share) * v
                for share, old, v in zip(kept, states, new, strict=True)
            ]
        real = mask[:, t, None]
        output = np.where(real, new[0], 0 if zero_masked else output)
        states = [np.where(real, v, old) for v, old in zip(new, states, strict=True)]
        outputs.append(output)
    return np.stack(outputs, axis=1), states
