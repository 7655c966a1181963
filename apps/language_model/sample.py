"""The offline sample: sentences of a stochastic grammar whose entropy is known in closed form.

    sentence = subject place{1,2,3} verb object aside? echo "."
    place    = preposition "the" spot           aside = open words{2,3} (aside words{2,3})? close

The verb and the echo agree with the class of the subject, and a bracket is closed by its own kind,
at distances that an n-gram does not reach. Every choice is free and even unless a probability is
given, and no sentence has two derivations: its probability is the product of those of its choices.
"""

import dataclasses
import math
import random
from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow_datasets as tfds

SIZES = {"train": 20_000, "validation": 1_000, "test": 2_000}
SUBJECTS = {
    "baker": ("baker", "miller", "potter", "weaver"),
    "fox": ("fox", "badger", "otter", "weasel"),
    "engine": ("engine", "crane", "tractor", "lorry"),
    "swallow": ("swallow", "heron", "starling", "plover"),
    "salmon": ("salmon", "trout", "perch", "carp"),
    "oak": ("oak", "willow", "birch", "maple"),
}
"""Subjects by class."""
VERBS = {
    "baker": ("sells", "mends", "praises"),
    "fox": ("hunts", "sniffs", "steals"),
    "engine": ("lifts", "hauls", "crushes"),
    "swallow": ("circles", "spots", "carries"),
    "salmon": ("nibbles", "dodges", "follows"),
    "oak": ("shades", "shelters", "outgrows"),
}
ECHOES = {
    "baker": "kindly",
    "fox": "slyly",
    "engine": "loudly",
    "swallow": "lightly",
    "salmon": "smoothly",
    "oak": "slowly",
}
PREPOSITIONS = ("near", "behind", "beyond", "above")
SPOTS = ("river", "barn", "bridge", "meadow", "tower", "market", "harbour", "quarry")
OBJECTS = ("apple", "basket", "feather", "lantern", "pebble", "ribbon")
BRACKETS = {"(": ")", "[": "]", "{": "}", "<": ">"}
ASIDE_WORDS = ("so", "they", "often", "say", "here", "again")
ASIDE = 0.7
"""Probability that a sentence has an aside."""
NESTED = 0.4
"""Probability that an aside has another one in it."""


@dataclasses.dataclass
class Derivation:
    """A sentence under way: its words, and the logarithm of its probability in nats."""

    rng: random.Random
    words: list[str] = dataclasses.field(default_factory=list)
    log_probability: float = 0.0

    def choose(self, choices: Sequence) -> str:
        """One of several, each as probable as the others."""
        self.log_probability -= math.log(len(choices))
        return self.rng.choice(choices)

    def happens(self, probability: float) -> bool:
        """True with this probability."""
        is_so = self.rng.random() < probability
        self.log_probability += math.log(probability if is_so else 1 - probability)
        return is_so

    def aside(self) -> None:
        """Appends a phrase in brackets, perhaps with another one in it."""
        bracket = self.choose(list(BRACKETS))
        self.words.append(bracket)
        self.words += [self.choose(ASIDE_WORDS) for _ in range(self.choose((2, 3)))]
        if self.happens(NESTED):
            self.aside()
            self.words += [self.choose(ASIDE_WORDS) for _ in range(self.choose((2, 3)))]
        self.words.append(BRACKETS[bracket])


def sentence(rng: random.Random) -> tuple[str, float]:
    """A sentence, and the logarithm of its probability in nats."""
    derivation = Derivation(rng)
    kind = derivation.choose(list(SUBJECTS))
    derivation.words += ["the", derivation.choose(SUBJECTS[kind])]
    for _ in range(derivation.choose((1, 2, 3))):
        derivation.words += [derivation.choose(PREPOSITIONS), "the", derivation.choose(SPOTS)]
    derivation.words += [derivation.choose(VERBS[kind]), "the", derivation.choose(OBJECTS)]
    if derivation.happens(ASIDE):
        derivation.aside()
    derivation.words += [ECHOES[kind], "."]
    return " ".join(derivation.words), derivation.log_probability


def entropy_per_word() -> float:
    """The grammar's entropy in nats a word; the end of a sentence counts as one."""
    # An aside: bracket, words, and with probability NESTED another aside and further words.
    words = 2.5
    phrase = math.log(2) + words * math.log(len(ASIDE_WORDS))
    aside = math.log(len(BRACKETS)) + phrase + _flip(NESTED) + NESTED * phrase
    aside_words = 2 + words + NESTED * words
    # Every aside holds NESTED further ones on average, and so on: a geometric series.
    series = 1 / (1 - NESTED)
    places = 2.0
    place = math.log(len(PREPOSITIONS)) + math.log(len(SPOTS))
    subjects = sum(len(nouns) for nouns in SUBJECTS.values())
    nats = (
        math.log(subjects)
        + math.log(3)
        + places * place
        + math.log(len(VERBS["fox"]))
        + math.log(len(OBJECTS))
        + _flip(ASIDE)
        + ASIDE * aside * series
    )
    length = 2 + 3 * places + 3 + ASIDE * aside_words * series + 2 + 1
    return nats / length


def _flip(probability: float) -> float:
    rest = 1 - probability
    return -probability * math.log(probability) - rest * math.log(rest)


def sentences(seed: int = 0) -> Iterator[tuple[str, str, float]]:
    """(split, sentence, log probability in nats) of all splits."""
    rng = random.Random(seed)
    for split, size in SIZES.items():
        for _ in range(size):
            yield split, *sentence(rng)


class LanguageModelSample(tfds.core.GeneratorBasedBuilder):
    """Sentences of a stochastic grammar with agreement and brackets over distance."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "text": tfds.features.Text(),
            "log_probability": tfds.features.Scalar(np.float32),
        }
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split) for split in SIZES}

    def _generate_examples(self, split):
        for number, (of, text, log_probability) in enumerate(sentences()):
            if of == split:
                yield number, {"text": text, "log_probability": log_probability}
