"""Text that goes on, by a .tflite file's signature step, with ai-edge-litert and numpy alone.

This file travels with on-device exports of language models as the reference decode loop. As a
program: python language.py MODEL.tflite REQUESTS.npz ANSWERS.npz, as runner.py beside it takes
them.
"""

import json
import pathlib

import numpy as np

try:
    from .runner import LiteFile, main
except ImportError:  # on a device both files lie side by side
    from runner import LiteFile, main

LOW = 0xFFFFFFFF
GOLDEN = 0x9E3779B1
MIX = (0x7FEB352D, 0x846CA68B)


class LiteLanguage:
    """A language model in a .tflite file.

    language.json beside the file holds the token `end`, those that never come (`banned`) and the
    largest number of tokens, `max_length`. All states begin as zeros; what a step gives under a
    state's name is the next step's.

    Args:
        path: of the file.
        threads: that one call uses.
        runtime: see `runner.LiteFile`.
    """

    def __init__(self, path: str, threads: int = 1, runtime: "str | type" = "interpreter"):
        settings = pathlib.Path(path).parent / "language.json"
        self.settings = json.loads(settings.read_text(encoding="utf-8"))
        self.file = LiteFile(path, threads, runtime)
        self.file.check("step")
        self.zeros = self.file.zeros("step")
        del self.zeros["token"]

    def step(self, token: int, states: "dict[str, np.ndarray]") -> "tuple[np.ndarray, dict]":
        """Log P (nats) `[vocabulary]` of every token after this one, and the states."""
        outputs = self.file.run("step", token=np.array([token], np.int32), **states)
        return outputs["log_probabilities"][0], {name: outputs[name] for name in states}

    def read(self, ids: "list[int]") -> "tuple[np.ndarray, dict, float]":
        """What comes after ids: log P of every token, the states, and log P of the ids."""
        logs, states = self.step(self.settings["end"], self.zeros)
        total = 0.0
        for token in ids:
            total += float(logs[token])
            logs, states = self.step(token, states)
        return logs, states, total

    def tokens(
        self,
        ids: "list[int]",
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 0.9,
        seed: int = 0,
        max_length: "int | None" = None,
    ):
        """The ids that come after others, one after the other, each with its log P.

        Args:
            ids: of the text before.
            temperature, top_k, top_p, seed: as the signature generate takes them.
            max_length: ids at most.

        Yields:
            (id, log P); the end is the last one.
        """
        logs, states, _ = self.read(ids)
        draw = text_seed(ids, seed)
        longest = self.settings["max_length"] if max_length is None else max_length
        for position in range(longest):
            logs[self.settings["banned"]] = -np.inf
            logs = logs - np.log(np.sum(np.exp(logs - logs.max()))) - logs.max()
            token = choose(logs, uniform(draw, position), temperature, top_k, top_p)
            yield token, float(logs[token])
            if token == self.settings["end"]:
                return
            logs, states = self.step(token, states)

    def __call__(self, ids: np.ndarray) -> "dict[str, np.ndarray]":
        """The most probable tokens after ids `[1, n]`, and log P of both."""
        numbers = [int(number) for number in ids[0]]
        pairs = list(self.tokens(numbers, temperature=0.0))
        return {
            "ids": np.array([[token for token, _ in pairs]], np.int32),
            "score": np.array([sum(log for _, log in pairs)], np.float32),
            "log_probability": np.array([self.read(numbers)[2]], np.float32),
            "tokens": np.array([len(numbers)], np.int32),
        }


def choose(logs, number, temperature=1.0, top_k=0, top_p=1.0) -> int:
    """A token of softmax(logs / temperature), by a number in [0, 1); see the signature generate."""
    if temperature <= 0:
        return int(np.argmax(logs))
    warm = (logs / np.float32(max(temperature, 1e-6))).astype(np.float32)
    order = None
    if top_k > 0 or top_p < 1:
        order = np.argsort(-warm, kind="stable")
        warm = warm[order]
        if top_k > 0:
            warm[top_k:] = -np.inf
        before = np.cumsum(_softmax(warm)) - _softmax(warm)
        warm[before >= max(top_p, 1e-9)] = -np.inf
    sums = np.cumsum(_softmax(warm))
    place = min(int(np.searchsorted(sums, number * sums[-1], side="right")), len(sums) - 1)
    return int(place if order is None else order[place])


def _softmax(logs):
    shares = np.exp(logs - logs.max())
    return shares / shares.sum()


def text_seed(ids: "list[int]", seed: int) -> int:
    """A seed of a text's tokens and of another one."""
    mixed = [_hashed(number * GOLDEN + place) for place, number in enumerate(ids)]
    return _hashed(sum(mixed) + seed * GOLDEN) >> 1


def uniform(seed: int, position: int) -> float:
    """A number in [0, 1) from a text's seed and the place of a token."""
    return (_hashed(_hashed(seed) + position) >> 8) / 2**24


def _hashed(x: int) -> int:
    """A hash of 32 bits (C. Wellons, "lowbias32", 2018)."""
    x &= LOW
    for shift, factor in zip((16, 15), MIX):  # noqa: B905 - Python 3.9 on devices
        x ^= x >> shift
        x = x * factor & LOW
    return x ^ (x >> 16)


def open_model(
    path: str,
    signature: "str | None" = None,
    runtime: "str | type" = "interpreter",
) -> LiteLanguage:
    """The file as a function of arrays; it has one way to be asked."""
    return LiteLanguage(path, runtime=runtime)


if __name__ == "__main__":
    main(open_model)
