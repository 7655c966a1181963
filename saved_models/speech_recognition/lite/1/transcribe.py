"""From the classes of every step to text, with numpy alone: the likeliest class at every step, and
prefix beam search, also step by step.

This file travels with on-device exports. `rnnsuite.decoding` has the same procedures as operations
of a graph; a test holds the two together. Class 0 is the blank everywhere.
"""

import json
import pathlib

import numpy as np

SPACE = "\u2581"
"""Before the first piece of a word, among subwords."""


class Alphabet:
    """Symbols to text.

    Args:
        pieces: every symbol, in the order of its number.
        is_subwords: whether words begin with `SPACE`, and not behind a " ".
    """

    def __init__(self, pieces: "list[str]", is_subwords: bool):
        self.pieces = pieces
        self.is_subwords = is_subwords

    @classmethod
    def load(cls, path: pathlib.Path) -> "Alphabet":
        settings = json.loads(path.read_text(encoding="utf-8"))
        return cls(settings["pieces"], settings["is_subwords"])

    def text(self, ids: "list[int]") -> str:
        """The text of symbols, spaces single."""
        text = "".join(self.pieces[number] for number in ids)
        text = text.replace(SPACE, " ") if self.is_subwords else text
        return " ".join(word for word in text.split(" ") if word)

    def words(self, ids: "list[int]", steps: "list[int]") -> "list[tuple[str, int, int]]":
        """Words with the steps of their first and last symbols. steps: of every symbol."""
        spelled: list[list] = []
        is_open = False
        begun = None  # the step of a word's mark that stands by itself, among subwords
        for number, step in zip(ids, steps, strict=True):
            piece = self.pieces[number]
            begins = piece.startswith(SPACE) if self.is_subwords else piece == " "
            letters = piece.replace(SPACE, "") if self.is_subwords else piece.strip(" ")
            is_open = is_open and not begins
            if letters and not is_open:
                spelled.append([letters, step if begun is None or begins else begun, step])
                is_open = True
            elif letters:
                spelled[-1] = [spelled[-1][0] + letters, spelled[-1][1], step]
            begun = step if begins and self.is_subwords and not letters else None
        return [(word, first, last) for word, first, last in spelled]


def greedy(logs: np.ndarray) -> "tuple[list[int], list[int], float]":
    """The symbols of the most probable alignment.

    Args:
        logs: `[time, classes]`, logarithms of probabilities.

    Returns:
        Symbols, the first step of each, and the logarithm of the alignment's probability.
    """
    best = logs.argmax(axis=1)
    before = np.concatenate([[0], best[:-1]])
    steps = np.flatnonzero((best != 0) & (best != before))
    return best[steps].tolist(), steps.tolist(), float(logs.max(axis=1).sum())


class PrefixSearch:
    """Prefix beam search, step by step (Hannun et al., arXiv 1408.2873, algorithm 1).

    Args:
        beam: live prefixes.
        likeliest: classes of a step that may go on a prefix, the most probable ones.
    """

    def __init__(self, beam: int = 8, likeliest: int = 16):
        self.beam = beam
        self.likeliest = likeliest
        self.begin()

    def begin(self) -> None:
        """Forgets everything."""
        self.step = 0
        self.written: list[tuple[int, int]] = []
        self.live = {(): (0.0, -np.inf)}
        self.steps: dict[tuple, tuple[int, ...]] = {(): ()}

    def feed(self, logs: np.ndarray) -> None:
        """Reads the next step `[classes]`."""
        after: dict[tuple, tuple[float, float]] = {}
        steps: dict[tuple, tuple[int, ...]] = {}

        def add(prefix, blank, symbol, places):
            old = after.get(prefix)
            if old is None:
                after[prefix] = (blank, symbol)
                steps[prefix] = places
            else:
                if np.logaddexp(blank, symbol) > np.logaddexp(*old):
                    steps[prefix] = places  # those of the likelier way
                after[prefix] = (np.logaddexp(old[0], blank), np.logaddexp(old[1], symbol))

        classes = np.argsort(-logs)[: self.likeliest]
        for prefix, (blank, symbol) in self.live.items():
            repeated = symbol + logs[prefix[-1]] if prefix else -np.inf
            add(prefix, np.logaddexp(blank, symbol) + logs[0], repeated, self.steps[prefix])
        for prefix, (blank, symbol) in self.live.items():
            for number in classes:
                if number and np.isfinite(logs[number]):
                    is_last = bool(prefix) and prefix[-1] == number
                    before = blank if is_last else np.logaddexp(blank, symbol)
                    longer = (*prefix, int(number))
                    add(longer, -np.inf, before + logs[number], (*self.steps[prefix], self.step))
        best = sorted(after, key=lambda prefix: -np.logaddexp(*after[prefix]))[: self.beam]
        self.live = {prefix: after[prefix] for prefix in best}
        self.steps = {prefix: steps[prefix] for prefix in best}
        self.step += 1

    @property
    def best(self) -> "tuple[list[int], list[int], float]":
        """The most probable text so far: symbols, the step of each, and its logarithm."""
        prefix = next(iter(self.live))
        written = [number for number, _ in self.written]
        places = [step for _, step in self.written]
        score = float(np.logaddexp(*self.live[prefix]))
        return [*written, *prefix], [*places, *self.steps[prefix]], score

    def settle(self, patience: "int | None" = None) -> None:
        """What all live prefixes begin with stands from now on, but for the last symbol.

        Args:
            patience: steps behind which the best prefix's symbols stand whatever others say.
        """
        prefixes = list(self.live)
        if patience is not None:
            best = prefixes[0]
            old = sum(place < self.step - patience for place in self.steps[best])
            prefixes = [prefix for prefix in prefixes if prefix[:old] == best[:old]]
        shortest = min(map(len, prefixes))
        same = 0
        while same < shortest - 1 and len({prefix[same] for prefix in prefixes}) == 1:
            same += 1
        places = self.steps[prefixes[0]]
        self.written += [*zip(prefixes[0][:same], places[:same], strict=True)]
        self.steps = {prefix[same:]: self.steps[prefix][same:] for prefix in prefixes}
        self.live = {prefix[same:]: self.live[prefix] for prefix in prefixes}


class Transcriber:
    """Writes down a stream: words that stand, and behind them words that may still change.

    Args:
        alphabet: the symbols.
        seconds: of a step.
        ahead: steps by which the network's outputs are late; as many of the first are dropped.
        beam: live prefixes; 1 for the likeliest class at every step.
        pause: seconds without a symbol behind which everything stands.
        patience: seconds behind which what is likeliest stands.
    """

    def __init__(
        self,
        alphabet: Alphabet,
        seconds: float,
        ahead: int = 0,
        beam: int = 8,
        pause: float = 0.6,
        patience: float = 3.0,
    ):
        self.alphabet = alphabet
        self.seconds = seconds
        self.waiting = ahead
        self.search = PrefixSearch(beam)
        self.pause = pause
        self.patience = round(patience / seconds)
        self.finished: list[tuple[str, int, int]] = []
        self.offset = 0
        self.shown = ""

    def feed(self, logs: np.ndarray) -> "list[dict]":
        """Reads steps `[time, classes]`.

        Returns:
            Mappings: of a word that stands, `text`, `start` and `end` (seconds) and `is_final`
            true; at last, where it has changed, the `text` that may change, `is_final` false.
        """
        own = logs[self.waiting :]
        self.waiting -= len(logs) - len(own)
        for row in own:
            self.search.feed(row)
        if not len(own):
            return []
        self.search.settle(self.patience)
        ids, places, _ = self.search.best
        quiet = self.search.step - (places[-1] if places else 0)
        if ids and quiet * self.seconds > self.pause:
            return self._all()
        return [*self._standing(), *self._changing(ids, places)]

    def end(self) -> "list[dict]":
        """What is left at the end."""
        return self._all()

    def _standing(self) -> "list[dict]":
        """Words within what all live prefixes begin with, the last of which may go on."""
        written = self.search.written
        words = self.alphabet.words([n for n, _ in written], [step for _, step in written])
        new = words[len(self.finished) : -1]
        self.finished += new
        return [self._final(word) for word in new]

    def _changing(self, ids: "list[int]", places: "list[int]") -> "list[dict]":
        words = self.alphabet.words(ids, places)[len(self.finished) :]
        text = " ".join(word for word, _, _ in words)
        if text == self.shown:
            return []
        self.shown = text
        return [{"text": text, "is_final": False}]

    def _all(self) -> "list[dict]":
        ids, places, _ = self.search.best
        words = self.alphabet.words(ids, places)[len(self.finished) :]
        finals = [self._final(word) for word in words]
        self.offset += self.search.step
        self.search.begin()
        self.finished = []
        self.shown = ""
        return finals

    def _final(self, word: "tuple[str, int, int]") -> dict:
        text, first, last = word
        start = (self.offset + first) * self.seconds
        end = (self.offset + last + 1) * self.seconds
        return {"text": text, "start": round(start, 3), "end": round(end, 3), "is_final": True}
