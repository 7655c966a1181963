import itertools
import random
import re

import pytest

from apps.translation import sample
from apps.translation.sample import SIZES, pair, pairs


@pytest.fixture(scope="module")
def everything():
    return list(pairs())


def test_deterministic(everything):
    assert list(itertools.islice(pairs(), 300)) == everything[:300]
    assert pair(random.Random(3)) == pair(random.Random(3))


def test_sizes_and_no_sentence_twice(everything):
    english = [one for _, one, _ in everything]
    assert len(set(english)) == len(english)
    for split, size in SIZES.items():
        assert sum(of == split for of, _, _ in everything) == size


def test_every_sentence_has_one_translation_and_is_well_written(everything):
    for _, english, german in everything:
        for text in (english, german):
            assert re.fullmatch(r"[A-ZÄÖÜ].*\.", text), text
            assert not re.search(r"  | [,.]|,,|,\.", text), text
    # Other sentences with the same words translate alike: the grammar never chooses on one side
    # alone.
    rng, seen = random.Random(1), {}
    for _ in range(20000):
        english, german = pair(rng)
        assert seen.setdefault(english, german) == german


def test_lengths_reach_from_short_to_long(everything):
    words = sorted(len(english.split()) for _, english, _ in everything)
    assert words[0] <= 6
    assert words[len(words) * 3 // 4] >= 18
    assert words[-1] >= 40


@pytest.mark.parametrize(
    ("case", "noun", "plural", "definite", "german"),
    [
        ("nominative", 0, False, True, "der alte Hund"),
        ("accusative", 0, False, True, "den alten Hund"),
        ("dative", 0, False, True, "dem alten Hund"),
        ("nominative", 0, False, False, "ein alter Hund"),
        ("accusative", 0, False, False, "einen alten Hund"),
        ("nominative", 1, False, False, "eine alte Katze"),
        ("dative", 1, False, True, "der alten Katze"),
        ("accusative", 2, False, False, "ein altes Pferd"),
        ("accusative", 2, False, True, "das alte Pferd"),
        ("nominative", 2, True, True, "die alten Pferde"),
        ("dative", 2, True, True, "den alten Pferden"),
        ("dative", 1, True, True, "den alten Katzen"),
    ],
)
def test_agreement(case, noun, plural, definite, german):
    class Fixed(random.Random):
        """Draws plural and definite as asked, one adjective, and the first of everything."""

        draws = iter([0.0 if plural else 0.9, 0.0 if definite else 0.9, 0.9])

        def random(self):
            return next(self.draws)

        def choice(self, options):
            return 1 if options[0] == 0 else options[0]

    found = sample._phrase(Fixed(), case, nouns=sample._NOUNS[noun:])
    assert " ".join(found.german) == german
    assert found.plural == plural


def test_the_verb_stands_where_it_belongs(everything):
    """Second or first in a main clause, its other half at the end; last in a dependent one."""
    text = {english: german for _, english, german in everything}
    perfect = [
        (e, g)
        for e, g in text.items()
        if "because" in e and g.count(",") == 1 and " has " in e.split("because")[1]
    ]
    assert len(perfect) > 20
    for _, german in perfect:
        dependent = (
            german.split("weil ")[1].rstrip(".") if ", weil" in german else german.split(",")[0]
        )
        assert dependent.endswith(" hat"), german
    present = [g for e, g in text.items() if re.search(r" that the \w+ (calls|call) ", e)]
    assert present
    assert all(re.search(r" (anruft|anrufen)[.,]", german) for german in present)
    apart = [
        g
        for e, g in text.items()
        if re.fullmatch(r"The \w+ (calls|call) [^,]*\.", e) and "," not in g
    ]
    assert apart
    assert all(re.search(r" (ruft|rufen) .* an\.$", german) for german in apart)
