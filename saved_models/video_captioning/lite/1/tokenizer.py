"""The reference subword tokenizer: plain Python and numpy, the same ids as the graph's.

This file travels with on-device exports (as `tokenizer.py`). `rnnsuite.inputs.subword.Subwords`
is the same procedure as TensorFlow ops; a test holds the two together. A vocabulary file has
a line for each piece, its score behind a tab; the first four are padding, unknown, start and end.

Source: Kudo, arXiv 1804.10959, section 3.2 (the most probable segmentation, by Viterbi).
"""

import pathlib
import unicodedata

import numpy as np

PADDING, UNKNOWN, START, END = range(4)
SPACE = "\u2581"  # stands for a space in pieces
CHARACTERS = 20  # more than a piece has; so many a token are read of a text
PENALTY = np.float32(10)  # of a character that no piece has, under the least score
_FOREIGN = " \u2047 "  # what an unknown piece reads as


def normalize(text: str) -> "list[str]":
    """The words of a text in NFKC; control characters and all kinds of spaces divide them."""
    composed = unicodedata.normalize("NFKC", text)
    divides = {
        c
        for c in set(composed)
        if c == SPACE or unicodedata.category(c) in ("Cc", "Zs", "Zl", "Zp")
    }
    return [
        word for word in "".join(" " if c in divides else c for c in composed).split(" ") if word
    ]


def shortened(values, most: int, keep: str):
    """At most so many of a text or list: the first, the last, or half of them from either end."""
    if keep == "ends" and len(values) > most:
        tail = most // 2
        return values[: most - tail] + values[len(values) - tail :]
    if keep == "first":
        return values[:most]
    return values[max(len(values) - most, 0) :]


class Tokenizer:
    """`tokenizer(text)` gives at most `most` ids, `tokenizer.text(ids)` a text.

    Args:
        pieces, scores: in the order of the ids.
        most: ids of a text at most.
        lower: whether case is folded.
        keep: "first", "last" or "ends", what of a longer text is read.
    """

    def __init__(
        self,
        pieces: "list[str]",
        scores: "list[float]",
        most: int,
        lower: bool = False,
        keep: str = "first",
    ):
        self.pieces = pieces
        self.most = most
        self.lower = lower
        self.keep = keep
        self.numbers = {
            piece: (number, np.float32(scores[number]))
            for number, piece in enumerate(pieces)
            if number > END
        }
        self.longest = max(map(len, self.numbers))
        self.unknown = np.float32(min(score for _, score in self.numbers.values()) - PENALTY)

    @classmethod
    def load(cls, path: pathlib.Path, most: int, **options) -> "Tokenizer":
        lines = path.read_text(encoding="utf-8").split("\n")[:-1]
        pairs = [line.rsplit("\t", 1) for line in lines]
        return cls(
            [piece for piece, _ in pairs], [float(score) for _, score in pairs], most, **options
        )

    def __call__(self, text: "str | bytes") -> "list[int]":
        text = text.decode("utf-8", errors="replace") if isinstance(text, bytes) else text
        normal = " ".join(normalize(text))
        normal = normal.casefold() if self.lower else normal
        read = shortened(normal, CHARACTERS * self.most, self.keep).split()
        ids: list[int] = []
        for number in self._best("".join(SPACE + word for word in read)):
            if number != UNKNOWN or ids[-1:] != [UNKNOWN]:  # unknown characters in a row are one
                ids.append(number)
        return shortened(ids, self.most, self.keep)

    def added(self, number: int) -> str:
        """The text that an id adds behind others."""
        return self.pieces[number].replace(SPACE, " ")

    def _best(self, text: str) -> "list[int]":
        """The pieces whose scores have the greatest sum; each place knows the best way to it."""
        best = [(np.float32(0), 0, 0)] + [None] * len(
            text
        )  # score, where its last piece begins, that piece
        for start in range(len(text)):
            score = best[start][0]
            single = False
            for end in range(start + 1, min(start + self.longest, len(text)) + 1):
                piece = self.numbers.get(text[start:end])
                if piece:
                    single |= end == start + 1
                    self._offer(best, end, score + piece[1], start, piece[0])
            if not single:
                self._offer(best, start + 1, score + self.unknown, start, UNKNOWN)
        ids = []
        place = len(text)
        while place:
            _, start, number = best[place]
            ids.append(number)
            place = start
        return ids[::-1]

    @staticmethod
    def _offer(best, end, score, start, number):
        if best[end] is None or score > best[end][0]:
            best[end] = (score, start, number)

    def text(self, ids: "list[int]") -> str:
        """The text of ids; padding, start and end are no part of it.

        Before the first letter a piece gives no space, as in sentencepiece.
        """
        text = ""
        for number in ids:
            if number == UNKNOWN or number > END:
                piece = _FOREIGN if number == UNKNOWN else self.pieces[number]
                text += piece if text else piece.removeprefix(SPACE)
        return text.replace(SPACE, " ")
