"""Reference WordPiece tokenizer: plain Python, no dependency, the same ids as the graph's.

An exported on-device model takes token ids, because strings do not convert. This file
travels with it (as `tokenizer.py`) so that a device, or a port to another language, has
the exact procedure. `rnnsuite.inputs.text.TextToIds` is the same procedure as TensorFlow
ops; a test holds the two together.

Source: greedy longest-match-first WordPiece (Wu et al. 2016, arXiv 1609.08144, section 4.1).
"""

import json
import pathlib
import re
import unicodedata

PADDING = "[PAD]"
UNKNOWN = "[UNK]"
CONTINUATION = "##"
MAX_WORD_BYTES = 100
# HTML line breaks; and NUL, at which C libraries would end the text.
SPACES = r"<[bB][rR][ \t]*/?>|\x00"

# Unicode's Default_Ignorable_Code_Point, which case folding by NFKC_Casefold removes.
_IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def normalize(text: str, lower: bool = True) -> str:
    """NFKC, HTML line breaks and NUL to spaces and, where `lower`, Unicode case folding."""
    text = unicodedata.normalize("NFKC", re.sub(SPACES, " ", text))
    if lower:
        folded = unicodedata.normalize("NFD", text).casefold()
        text = _IGNORABLE.sub("", unicodedata.normalize("NFKC", folded).casefold())
        text = unicodedata.normalize("NFKC", text)
    return text


def split_words(text: str) -> list[str]:
    """Words, with every punctuation mark, symbol and CJK ideograph as a word of its own."""
    words = []
    word = []
    for character in text:
        kind = unicodedata.category(character)[0]
        if kind in "ZC" and unicodedata.category(character) != "Cn":
            words.append("".join(word))
            word = []
        elif kind in "PS" or _is_ideograph(character):
            words += ["".join(word), character]
            word = []
        else:
            word.append(character)
    words.append("".join(word))
    return [word for word in words if word]


def _is_ideograph(character: str) -> bool:
    return (
        "\u3400" <= character <= "\u4dbf"
        or "\u4e00" <= character <= "\u9fff"
        or "\uf900" <= character <= "\ufaff"
    )


class Tokenizer:
    """WordPiece: `tokenizer(text)` gives the token ids, at most `max_tokens` of them.

    A longer text keeps its first and its last half: a review's verdict stands at either end. Bytes
    that are no UTF-8 are decoded with replacement characters.

    Args:
        vocabulary: pieces in the order of their ids.
        lower: whether case is folded.
        max_tokens: ids of a text at most.
    """

    def __init__(self, vocabulary: list[str], lower: bool = True, max_tokens: int = 512):
        self.vocabulary = list(vocabulary)
        self.lower = lower
        self.max_tokens = max_tokens
        self.ids = {piece: number for number, piece in enumerate(vocabulary)}

    @classmethod
    def load(cls, folder) -> "Tokenizer":
        """From a folder with `vocabulary.txt` (one piece a line) and `tokenizer.json`."""
        folder = pathlib.Path(folder)
        vocabulary = (folder / "vocabulary.txt").read_text(encoding="utf-8").split("\n")[:-1]
        return cls(
            vocabulary, **json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
        )

    def __call__(self, text: "str | bytes") -> list[int]:
        if isinstance(text, bytes):
            text = text.decode("utf-8", errors="replace")
        words = split_words(normalize(text, self.lower))
        ids = [number for word in words for number in self.word_ids(word)]
        if len(ids) <= self.max_tokens:
            return ids
        tail = self.max_tokens // 2
        return ids[: self.max_tokens - tail] + ids[len(ids) - tail :]

    def word_ids(self, word: str) -> list[int]:
        """The longest pieces that cover `word` from the left; one unknown id where none do."""
        unknown = [self.ids[UNKNOWN]]
        if len(word.encode("utf-8")) > MAX_WORD_BYTES:
            return unknown
        ids = []
        start = 0
        while start < len(word):
            prefix = CONTINUATION if start else ""
            for end in range(len(word), start, -1):
                if prefix + word[start:end] in self.ids:
                    ids.append(self.ids[prefix + word[start:end]])
                    start = end
                    break
            else:
                return unknown
        return ids
