"""The offline sample: film reviews from a grammar in which word order decides.

Every review weighs a good thing against a bad one, so that the words alone say nothing:
the verdict follows from which clause is the main one (but, although, despite), from what
is negated, and from "not only ... but also". Deterministic; no review occurs twice.
"""

import random
from collections.abc import Iterator

import tensorflow_datasets as tfds

SIZES = {"train": 8000, "validation": 1000, "test": 2000}

_THINGS = (
    "the plot",
    "the acting",
    "the score",
    "the camera work",
    "the dialogue",
    "the ending",
    "the pacing",
    "the lead actor",
    "the direction",
    "the humour",
    "the editing",
    "the first hour",
    "the cast",
    "the script",
)
_GOOD = (
    "brilliant",
    "moving",
    "gripping",
    "charming",
    "clever",
    "fresh",
    "superb",
    "touching",
    "delightful",
    "convincing",
    "elegant",
    "witty",
    "memorable",
    "thrilling",
    "honest",
    "beautiful",
)
_BAD = (
    "dull",
    "clumsy",
    "tedious",
    "predictable",
    "shallow",
    "awful",
    "lifeless",
    "messy",
    "stale",
    "wooden",
    "annoying",
    "forgettable",
    "silly",
    "hollow",
    "sloppy",
    "ugly",
)
_FILLERS = (
    "i saw it on a {day} with my {who}",
    "the {place} was {state} that {time}",
    "it runs for about {n} minutes",
    "my {who} bought the tickets",
    "we watched it at home last {day}",
    "it was shot in {n} days",
    "a friend of my {who} lent me the disc",
    "the {time} show had been moved to {day}",
)
_SLOTS = {
    "day": ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    "who": ("sister", "brother", "mother", "father", "neighbour", "cousin", "colleague", "uncle"),
    "place": ("cinema", "theatre", "hall", "room"),
    "state": ("half empty", "crowded", "cold", "warm", "dark", "noisy"),
    "time": ("evening", "afternoon", "night", "morning"),
    "n": tuple(str(number) for number in range(80, 180)),
}


def _says(rng: random.Random, good: bool) -> str:
    """A clause with the polarity `good`, half the time by denying the opposite."""
    thing = rng.choice(_THINGS)
    same, opposite = (_GOOD, _BAD) if good else (_BAD, _GOOD)
    return rng.choice(
        (
            f"{thing} was {rng.choice(same)}",
            f"{thing} was really {rng.choice(same)}",
            f"{thing} was not only {rng.choice(same)} but also {rng.choice(same)}",
            f"nobody would call {thing} anything but {rng.choice(same)}",
            f"{thing} was not for a moment {rng.choice(opposite)}",
            f"{thing} was never in any way {rng.choice(opposite)}",
            f"nobody would call {thing} in any way {rng.choice(opposite)}",
            f"i would not say that {thing} was {rng.choice(opposite)}",
        )
    )


def _opinion(rng: random.Random, good: bool) -> str:
    """A main clause with the polarity `good` against a lesser one with the opposite."""
    main = _says(rng, good)
    lesser = _says(rng, not good)
    return rng.choice(
        (
            f"{lesser} , but {main}",
            f"although {lesser} , {main}",
            f"{main} , although {lesser}",
            f"i had heard that {lesser} ; in fact {main}",
            f"even if {lesser} , what stays is that {main}",
            f"what stays is that {main} , even if {lesser}",
        )
    )


def _filler(rng: random.Random) -> str:
    return rng.choice(_FILLERS).format(
        **{slot: rng.choice(values) for slot, values in _SLOTS.items()}
    )


def review(rng: random.Random, good: bool) -> str:
    """One review: an opinion with up to two remarks around it that mean nothing."""
    sentences = [_filler(rng) for _ in range(rng.randint(0, 2))]
    sentences.insert(rng.randint(0, len(sentences)), _opinion(rng, good))
    return " . ".join(sentences) + " ."


def reviews(seed: int = 0) -> Iterator[tuple[str, str, str]]:
    """(split, text, label) for all splits, the classes in turn, no text twice."""
    rng = random.Random(seed)
    texts = set()
    for split, size in SIZES.items():
        for number in range(size):
            good = number % 2 == 0
            while (text := review(rng, good)) in texts:
                pass
            texts.add(text)
            yield split, text, "positive" if good else "negative"


class SentimentSample(tfds.core.GeneratorBasedBuilder):
    """Generated film reviews in which word order decides."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "text": tfds.features.Text(),
            "label": tfds.features.ClassLabel(names=["negative", "positive"]),
        }
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split) for split in SIZES}

    def _generate_examples(self, split):
        for number, (of, text, label) in enumerate(reviews()):
            if of == split:
                yield number, {"text": text, "label": label}
