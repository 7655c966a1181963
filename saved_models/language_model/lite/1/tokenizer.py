"""The reference tokenizer of words and characters: plain Python, the same ids as the graph's.

This file travels with on-device exports (as `tokenizer.py`). `rnnsuite.inputs.words.Words` is the
same procedure as TensorFlow operations; a test holds the two together.
"""

import json
import pathlib
import re
import unicodedata

UNKNOWN = 1
END = 3
CHARACTERS = 20  # so many a token are read of a text


class Tokenizer:
    """`tokenizer(text)` gives at most `most` ids, `tokenizer.text(ids)` a text.

    Args:
        pieces: in the order of the ids.
        unit: "words" or "characters".
        most: ids of a text at most.
        lower: whether case is folded.
        keep: "first" or "last", what of a longer text is read.
    """

    def __init__(
        self,
        pieces: "list[str]",
        unit: str,
        most: int,
        lower: bool = False,
        keep: str = "first",
    ):
        self.pieces = pieces
        self.unit = unit
        self.most = most
        self.lower = lower
        self.keep = keep
        self.numbers = {piece: number for number, piece in enumerate(pieces)}
        if unit == "words":
            self.numbers["\n"] = END

    @classmethod
    def load(cls, path: pathlib.Path, unit: str, most: int, **options) -> "Tokenizer":
        return cls(json.loads(path.read_text(encoding="utf-8")), unit, most, **options)

    def __call__(self, text: "str | bytes") -> "list[int]":
        text = text.decode("utf-8", errors="replace") if isinstance(text, bytes) else text
        text = self._part(text, CHARACTERS * self.most)
        text = text.lower() if self.lower else text
        tokens = list(text) if self.unit == "characters" else self._words(text)
        return self._part([self.numbers.get(token, UNKNOWN) for token in tokens], self.most)

    def _part(self, values, most):
        return values[:most] if self.keep == "first" else values[max(len(values) - most, 0) :]

    def _words(self, text: str) -> "list[str]":
        spaced = "".join(" " if _is_space(c) else c for c in text.replace("\n", " \n "))
        words = []
        for word in spaced.split(" "):
            if word and word not in self.numbers:
                word = "".join(f" {c} " if unicodedata.category(c)[0] in "PS" else c for c in word)
            words += [part for part in re.split(" +", word) if part]
        return words

    def text(self, ids: "list[int]") -> str:
        """The text of ids; padding and start are no part of it, an end is a line end."""
        shown = [number for number in ids if number == UNKNOWN or number >= END]
        tokens = ["\n" if number == END else self.pieces[number] for number in shown]
        if self.unit == "characters":
            return "".join(tokens)
        return re.sub(" ?\n ?", "\n", " ".join(tokens))

    def added(self, number: int) -> str:
        """The text that an id adds behind others."""
        return (" " if self.unit == "words" else "") + self.pieces[number]


def _is_space(character: str) -> bool:
    return character in "\t\r\f\v" or unicodedata.category(character)[0] == "Z"
