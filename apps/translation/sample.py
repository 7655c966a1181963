"""The offline sample: English and German from one synchronous grammar, each sentence with one
translation.

What makes it translation: articles and adjectives agree with a noun's gender, case and number;
the verb stands second in a main clause and last in a dependent one, and its other half (a
participle, an infinitive, a particle) at the end of the clause, however long that is; clauses
stand within clauses. Deterministic; no English sentence occurs twice.
"""

import dataclasses
import random
from collections.abc import Iterator

import tensorflow_datasets as tfds

SIZES = {"train": 14000, "validation": 500, "test": 1000}

# English singular and plural, German singular, plural and gender.
_NOUNS = (
    ("dog", "dogs", "Hund", "Hunde", "m"),
    ("cat", "cats", "Katze", "Katzen", "f"),
    ("horse", "horses", "Pferd", "Pferde", "n"),
    ("bird", "birds", "Vogel", "Vögel", "m"),
    ("woman", "women", "Frau", "Frauen", "f"),
    ("man", "men", "Mann", "Männer", "m"),
    ("child", "children", "Kind", "Kinder", "n"),
    ("girl", "girls", "Mädchen", "Mädchen", "n"),
    ("friend", "friends", "Freund", "Freunde", "m"),
    ("sister", "sisters", "Schwester", "Schwestern", "f"),
    ("brother", "brothers", "Bruder", "Brüder", "m"),
    ("doctor", "doctors", "Ärztin", "Ärztinnen", "f"),
    ("cook", "cooks", "Koch", "Köche", "m"),
    ("teacher", "teachers", "Lehrerin", "Lehrerinnen", "f"),
    ("ghost", "ghosts", "Gespenst", "Gespenster", "n"),
    ("neighbour", "neighbours", "Nachbarin", "Nachbarinnen", "f"),
)
_PLACES = (
    ("garden", "gardens", "Garten", "Gärten", "m"),
    ("kitchen", "kitchens", "Küche", "Küchen", "f"),
    ("house", "houses", "Haus", "Häuser", "n"),
    ("street", "streets", "Straße", "Straßen", "f"),
    ("forest", "forests", "Wald", "Wälder", "m"),
    ("boat", "boats", "Boot", "Boote", "n"),
)
_ADJECTIVES = (
    ("old", "alt"),
    ("young", "jung"),
    ("small", "klein"),
    ("big", "groß"),
    ("quiet", "leis"),
    ("loud", "laut"),
    ("tired", "müd"),
    ("happy", "froh"),
    ("strange", "seltsam"),
    ("famous", "berühmt"),
    ("poor", "arm"),
    ("rich", "reich"),
)
_PREPOSITIONS = (
    ("in", "in"),
    ("behind", "hinter"),
    ("near", "bei"),
    ("above", "über"),
    ("under", "unter"),
)


@dataclasses.dataclass(frozen=True)
class Verb:
    """Forms of a verb.

    Args:
        english: he, they, participle, infinitive.
        german: the same, without its particle.
        apart: the particle.
    """

    english: tuple[str, str, str, str]
    german: tuple[str, str, str, str]
    apart: str = ""


_VERBS = (
    Verb(("sees", "see", "seen", "see"), ("sieht", "sehen", "gesehen", "sehen")),
    Verb(("hears", "hear", "heard", "hear"), ("hört", "hören", "gehört", "hören")),
    Verb(("loves", "love", "loved", "love"), ("liebt", "lieben", "geliebt", "lieben")),
    Verb(("seeks", "seek", "sought", "seek"), ("sucht", "suchen", "gesucht", "suchen")),
    Verb(("finds", "find", "found", "find"), ("findet", "finden", "gefunden", "finden")),
    Verb(("asks", "ask", "asked", "ask"), ("fragt", "fragen", "gefragt", "fragen")),
    Verb(("paints", "paint", "painted", "paint"), ("malt", "malen", "gemalt", "malen")),
    Verb(("calls", "call", "called", "call"), ("ruft", "rufen", "angerufen", "anrufen"), "an"),
    Verb(
        ("invites", "invite", "invited", "invite"),
        ("lädt", "laden", "eingeladen", "einladen"),
        "ein",
    ),
    Verb(
        ("watches", "watch", "watched", "watch"), ("sieht", "sehen", "angesehen", "ansehen"), "an"
    ),
    Verb(
        ("stops", "stop", "stopped", "stop"), ("hält", "halten", "aufgehalten", "aufhalten"), "auf"
    ),
    Verb(("fetches", "fetch", "fetched", "fetch"), ("holt", "holen", "abgeholt", "abholen"), "ab"),
)
_SAYING = (
    ("says", "say", "sagt", "sagen"),
    ("knows", "know", "weiß", "wissen"),
    ("thinks", "think", "denkt", "denken"),
)
_ADVERBS = (
    ("today", "heute"),
    ("often", "oft"),
    ("now", "jetzt"),
    ("here", "hier"),
    ("never", "nie"),
)
_REASONS = (("because", "weil"), ("although", "obwohl"), ("while", "während"))

_DEFINITE = {
    "nominative": {"m": "der", "f": "die", "n": "das", "p": "die"},
    "accusative": {"m": "den", "f": "die", "n": "das", "p": "die"},
    "dative": {"m": "dem", "f": "der", "n": "dem", "p": "den"},
}
_INDEFINITE = {  # article, ending of the adjective
    "nominative": {"m": ("ein", "er"), "f": ("eine", "e"), "n": ("ein", "es")},
    "accusative": {"m": ("einen", "en"), "f": ("eine", "e"), "n": ("ein", "es")},
    "dative": {"m": ("einem", "en"), "f": ("einer", "en"), "n": ("einem", "en")},
}

Words = list[str]


@dataclasses.dataclass(frozen=True)
class Phrase:
    """A noun phrase in both languages; `plural` decides the verb's form."""

    english: Words
    german: Words
    plural: bool


def _phrase(rng: random.Random, case: str, nouns=_NOUNS, clause: float = 0.0) -> Phrase:
    """Article, adjectives and noun in agreement; with the share `clause` a relative clause behind
    it.
    """
    singular, many, noun, nouns_de, gender = rng.choice(nouns)
    plural = rng.random() < 0.35
    definite = rng.random() < 0.7
    adjectives = [rng.choice(_ADJECTIVES) for _ in range(rng.choice((0, 0, 1, 1, 2)))]
    kind = "p" if plural else gender
    if plural or definite:
        article = ["the"], [_DEFINITE[case][kind]]
        ending = (
            "en" if plural or case == "dative" or (case == "accusative" and gender == "m") else "e"
        )
    else:
        word, ending = _INDEFINITE[case][gender]
        article = ["a"], [word]
    english = [*article[0], *(one for one, _ in adjectives), many if plural else singular]
    if english[0] == "a" and english[1][0] in "aeiou":
        english[0] = "an"
    noun = nouns_de if plural else noun
    if case == "dative" and plural and noun[-1] not in "ns":
        noun += "n"
    german = [*article[1], *(other + ending for _, other in adjectives), noun]
    if rng.random() < clause:
        inner = _clause(
            rng, subject=Phrase(["that"], [_DEFINITE["nominative"][kind]], plural), verb="last"
        )
        english = english + inner[0]
        german = [*german, ",", *inner[1], ","]
    return Phrase(english, german, plural)


def _clause(
    rng: random.Random, subject: Phrase | None = None, verb: str = "second", clause: float = 0.0
) -> tuple[Words, Words]:
    """Subject, verb, object, and perhaps where and when; in German the verb is second or last, or
    first where something else has come before it."""
    subject = subject or _phrase(rng, "nominative", clause=clause)
    target = _phrase(rng, "accusative", clause=clause)
    what = rng.choice(_VERBS)
    where = _place(rng) if rng.random() < 0.4 else ([], [])
    number = int(subject.plural)
    tense = rng.choice(("present", "perfect", "future"))
    if tense == "present":
        english = [what.english[number]]
        finite = what.german[number]
        rest = [what.apart] if what.apart else []
    elif tense == "perfect":
        english = [("has", "have")[number], what.english[2]]
        finite = ("hat", "haben")[number]
        rest = [what.german[2]]
    else:
        english = ["will", what.english[3]]
        finite = ("wird", "werden")[number]
        rest = [what.german[3]]
    english = [*subject.english, *english, *target.english, *where[0]]
    middle = [*target.german, *where[1]]
    if verb == "last":
        end = [what.apart + finite] if tense == "present" else [*rest, finite]
        return english, [*subject.german, *middle, *end]
    if verb == "first":
        return english, [finite, *subject.german, *middle, *rest]
    return english, [*subject.german, finite, *middle, *rest]


def _place(rng: random.Random) -> tuple[Words, Words]:
    one, other = rng.choice(_PREPOSITIONS)
    place = _phrase(rng, "dative", nouns=_PLACES)
    return [one, *place.english], [other, *place.german]


def pair(rng: random.Random) -> tuple[str, str]:
    """One sentence and its translation: a main clause, in longer ones with others around it."""
    form = rng.randrange(5)
    clause = rng.choice((0.0, 0.0, 0.4))
    if form == 0:
        english, german = _clause(rng, clause=clause)
    elif form == 1:
        one, other = rng.choice(_ADVERBS)
        english, german = _clause(rng, verb="first", clause=clause)
        english = [one, *english]
        german = [other, *german]
    elif form == 2:
        who, (says, say, sagt, sagen) = (
            _phrase(rng, "nominative", clause=clause),
            rng.choice(_SAYING),
        )
        english, german = _clause(rng, verb="last", clause=clause)
        english = [*who.english, say if who.plural else says, "that", *english]
        german = [*who.german, sagen if who.plural else sagt, ",", "dass", *german]
    else:
        one, other = rng.choice(_REASONS)
        first = _clause(rng, verb="last", clause=clause)
        main = _clause(rng, verb="first" if form == 3 else "second", clause=clause)
        if form == 3:
            english = [one, *first[0], ",", *main[0]]
            german = [other, *first[1], ",", *main[1]]
        else:
            english = [*main[0], one, *first[0]]
            german = [*main[1], ",", other, *first[1]]
    return _written(english), _written(german)


def _written(words: Words) -> str:
    text = " ".join([*words, "."]).replace(" , ,", " ,").replace(" , .", " .")
    text = text.replace(" ,", ",").replace(" .", ".")
    return text[0].upper() + text[1:]


def pairs(seed: int = 0) -> Iterator[tuple[str, str, str]]:
    """(split, English, German) for all splits, no English sentence twice."""
    rng = random.Random(seed)
    seen = set()
    for split, size in SIZES.items():
        for _ in range(size):
            while (made := pair(rng))[0] in seen:
                pass
            seen.add(made[0])
            yield split, *made


class TranslationSample(tfds.core.GeneratorBasedBuilder):
    """Generated English sentences and their German translations."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {"en": tfds.features.Text(), "de": tfds.features.Text()}
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, manager):
        return {split: self._generate_examples(split) for split in SIZES}

    def _generate_examples(self, split):
        for number, (where, english, german) in enumerate(pairs()):
            if where == split:
                yield number, {"en": english, "de": german}
