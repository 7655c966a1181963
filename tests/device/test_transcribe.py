"""The decode loops of devices, held equal to the graph's."""

import json

import numpy as np
import pytest
import tensorflow as tf

from rnnsuite.decoding.ctc import ctc_greedy
from rnnsuite.decoding.fusion import Bonus
from rnnsuite.decoding.prefix_beam import prefix_beam_search
from rnnsuite.device.transcribe import Alphabet, PrefixSearch, Transcriber, greedy

ALPHABET = Alphabet(["", "", "", "", " ", "a", "b", "c"], is_subwords=False)
SECONDS = 0.04


def drawn(seed, time, classes=5):
    rng = np.random.default_rng(seed)
    return np.log(rng.dirichlet(np.full(classes, 0.3), size=time)).astype("f")


@pytest.mark.parametrize("seed", range(5))
def test_greedy_equals_the_graph(seed):
    logs = drawn(seed, 30)
    ids, steps, score = greedy(logs)
    graph = ctc_greedy(tf.constant(logs[None]), tf.constant([30]))
    assert ids == graph.ids[0].numpy().tolist()
    assert score == pytest.approx(float(graph.scores[0]), rel=1e-5)
    assert [logs[step].argmax() for step in steps] == ids


@pytest.mark.parametrize("seed", range(5))
def test_prefix_search_equals_the_graph(seed):
    logs = drawn(seed, 25)
    search = PrefixSearch(beam=6)
    for row in logs:
        search.feed(row)
    ids, steps, score = search.best
    graph = prefix_beam_search(tf.constant(logs[None]), tf.constant([25]), 6, Bonus([0.0] * 5))
    size = int(graph.lengths[0, 0])
    assert ids == graph.ids[0, 0].numpy().tolist()[:size]
    assert score == pytest.approx(float(graph.scores[0, 0]), rel=1e-4)
    assert steps == sorted(steps)


def test_what_is_old_stands_though_others_differ():
    logs = 4 * drawn(9, 60)  # whose first symbol stays in doubt
    search = PrefixSearch(beam=6)
    for row in logs:
        search.feed(row)
        search.settle(patience=20)
    assert len(search.written) > 10
    assert max(step for _, step in search.written) < 60 - 1


def said(text, blanks=2):
    """Steps that say a text clearly, blanks between its letters."""
    rows = []
    for letter in text:
        for number in (ALPHABET.pieces.index(letter), *[0] * blanks):
            row = np.full(len(ALPHABET.pieces), -12.0)
            row[number] = -0.001
            rows.append(row)
    return np.array(rows)


def test_what_has_settled_changes_nothing():
    logs = said("ab ca bc ac b a") + 3 * np.random.default_rng(0).normal(size=(45, 8))
    whole = PrefixSearch(beam=6)
    settled = PrefixSearch(beam=6)
    for row in logs:
        whole.feed(row)
        settled.feed(row)
        settled.settle()
    assert settled.written
    assert settled.best[:2] == whole.best[:2]
    assert settled.best[2] == pytest.approx(whole.best[2], rel=1e-6)


def followed(logs, size, **options):
    transcriber = Transcriber(ALPHABET, SECONDS, **options)
    events = [transcriber.feed(logs[start : start + size]) for start in range(0, len(logs), size)]
    return [*events, transcriber.end()]


@pytest.mark.parametrize("size", [1, 3, 7, 100])
@pytest.mark.parametrize("beam", [1, 8])
def test_final_words_are_the_text_and_never_change(size, beam):
    events = followed(said("ab ca b"), size, beam=beam)
    finals = [event for group in events for event in group if event["is_final"]]
    assert [event["text"] for event in finals] == ["ab", "ca", "b"]
    assert finals[0]["start"] == 0
    assert finals[0]["end"] == pytest.approx(4 * SECONDS)
    assert finals[1]["start"] == pytest.approx(9 * SECONDS)
    shown = [event for group in events for event in group if not event["is_final"]]
    if size < 4:
        assert shown[0]["text"] == "a"


def test_a_pause_ends_all_words():
    silence = np.tile(said("a")[1:2], (20, 1))
    events = followed(np.concatenate([said("ab"), silence, said("c")]), 4, pause=0.4)
    first = next(group for group in events if any(event["is_final"] for event in group))
    assert first == [{"text": "ab", "start": 0.0, "end": 0.16, "is_final": True}]
    last = events[-1]
    assert last == [{"text": "c", "start": 1.04, "end": 1.08, "is_final": True}]


def test_outputs_that_are_of_no_step_are_dropped():
    noise = said("b")[:2]
    events = followed(np.concatenate([noise, said("a")]), 1, ahead=2)
    assert [event["text"] for event in events[-1]] == ["a"]


@pytest.mark.parametrize(("patience", "count"), [(100.0, 0), (1.0, 1)])
def test_words_stand_in_time_though_their_first_letter_is_in_doubt(patience, count):
    logs = np.concatenate([said("ab"), *[said(" c")] * 5])
    logs[0, [5, 6]] = [-0.7, -0.69]  # "a" or "b", forever as likely
    transcriber = Transcriber(ALPHABET, SECONDS, patience=patience)
    events = [event for row in logs for event in transcriber.feed(row[None])]
    finals = [event["text"] for event in events if event["is_final"]]
    assert bool(finals) == bool(count)
    ends = [event["text"] for event in transcriber.end()]
    assert [*finals, *ends] == ["bb", "c", "c", "c", "c", "c"]


def test_silence_says_nothing():
    silence = np.tile(said("a")[1:2], (50, 1))
    assert followed(silence, 4) == [[]] * 14


def test_symbols_are_read_from_a_file(tmp_path):
    settings = {"pieces": ALPHABET.pieces, "is_subwords": False}
    (tmp_path / "alphabet.json").write_text(json.dumps(settings), encoding="utf-8")
    alphabet = Alphabet.load(tmp_path / "alphabet.json")
    assert alphabet.pieces == ALPHABET.pieces
    assert alphabet.text([5, 4, 4, 6]) == "a b"


@pytest.mark.parametrize(
    ("ids", "steps", "words"),
    [
        ([4, 5, 6], [0, 2, 3], [("lo", 2, 2), ("hi", 3, 3)]),
        ([6, 7, 5], [1, 2, 5], [("hix", 1, 2), ("lo", 5, 5)]),
        ([4, 7, 7], [0, 1, 4], [("xx", 0, 4)]),
        ([7], [3], [("x", 3, 3)]),
        ([4], [0], []),
    ],
)
def test_words_of_subwords(ids, steps, words):
    """A mark that stands by itself begins the word that follows."""
    pieces = ["", "", "", "", "\u2581", "\u2581lo", "\u2581hi", "x"]
    alphabet = Alphabet(pieces, is_subwords=True)
    assert alphabet.words(ids, steps) == words
    assert alphabet.text(ids).split() == [word for word, _, _ in words]


def test_a_search_can_begin_again():
    search = PrefixSearch(beam=3)
    for row in said("ab"):
        search.feed(row)
    search.begin()
    assert search.best == ([], [], 0.0)
    for row in said("c"):
        search.feed(row)
    assert search.best[:2] == ([7], [0])


def test_a_class_that_cannot_be_is_never_written():
    logs = np.full([3, 8], -np.inf)
    logs[:, 0] = np.log(0.5)
    logs[:, 5] = np.log(0.5)
    search = PrefixSearch(beam=8, likeliest=8)
    for row in logs:
        search.feed(row)
    assert {number for prefix in search.live for number in prefix} == {5}
