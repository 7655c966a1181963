"""What captions are worth."""

import io

import numpy as np
import pytest
from PIL import Image
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider

from apps.captioning import data, score
from rnnsuite.core.errors import UserError
from rnnsuite.tasks.generation import caption_score
from rnnsuite.tasks.generation.captions import checksum


def content():
    stream = io.BytesIO()
    Image.fromarray(np.full([20, 30, 3], 90, np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def records(*captions):
    return [
        {"image": content(), "captions": np.array(each, object), "name": b"a.jpg"}
        for each in captions
    ]


def scored(said, given, fitted=None):
    return score.score(records(*said), {"caption": np.array(given, object)}, fitted)


SAID = [
    [b"A red square .", b"There is a red square ."],
    [b"Two dogs run in the snow", b"dogs running"],
]


def test_the_references_themselves_are_perfect():
    found = scored(SAID, [b"a RED square", b"Two dogs run in the snow."]).metrics
    assert found["exact_match"] == 1.0
    assert found["bleu_1"] == pytest.approx(1)
    assert found["bleu_4"] == pytest.approx(1, abs=1e-3)
    assert found["rouge_l"] == 1.0


def test_is_coco_captions_on_words_without_marks():
    given = [b"a red dog, there", b"two dogs in snow"]
    targets = {
        0: ["a red square", "there is a red square"],
        1: ["two dogs run in the snow", "dogs running"],
    }
    results = {0: ["a red dog there"], 1: ["two dogs in snow"]}
    found = scored(SAID, given).metrics
    expected, _ = Bleu(4).compute_score(targets, results, verbose=0)
    assert [found[f"bleu_{number}"] for number in range(1, 5)] == pytest.approx(expected)
    assert found["cider"] == pytest.approx(Cider().compute_score(targets, results)[0])
    assert found["exact_match"] == 0.0


def test_diversity_by_hand():
    found = scored(SAID, [b"a dog runs", b"a dog sleeps"]).metrics
    assert found["distinct_1"] == pytest.approx(4 / 6)
    assert found["distinct_2"] == pytest.approx(3 / 4)
    assert found["distinct_captions"] == 1.0
    assert found["vocabulary"] == 4
    assert "repeated" not in found


def test_captions_that_repeat_those_of_training():
    known = np.array([checksum("a dog runs")], "<u4").tobytes()
    import base64

    fitted = data.Fitted("", base64.b64encode(known).decode(), 20, True, 64)
    assert scored(SAID, [b"A dog runs.", b"a dog sleeps"], fitted).metrics["repeated"] == 0.5


def test_a_collapse_is_warned_of(caplog):
    said = [[f"caption number {number}".encode()] for number in range(30)]
    found = scored(said, [b"a dog"] * 16 + [f"caption {number}".encode() for number in range(14)])
    assert (
        'collapsed: "a dog" is the caption of 16 of 30 records' in found.notes["distinct_captions"]
    )
    assert "collapsed" in caplog.text
    caplog.clear()
    found = scored(said, [f"caption {number // 15}".encode() for number in range(30)])
    assert "distinct_captions" not in found.notes
    assert not caplog.text


def test_images_without_captions_cannot_be_scored():
    with pytest.raises(UserError, match="records without captions"):
        scored([[b"a dog"], []], [b"x", b"y"])


def test_an_empty_answer_is_only_wrong():
    found = scored(SAID, [b"", b""]).metrics
    assert found["cider"] == 0
    assert found["distinct_1"] == 0


def test_without_the_extra_nothing_begins(monkeypatch):
    import sys

    caption_score.require()
    monkeypatch.setitem(sys.modules, "pycocoevalcap", None)
    with pytest.raises(UserError, match=r"pip install 'rnnsuite\[captions\]'"):
        caption_score.require()


def test_cases_and_pictures_go_from_worst_to_best():
    found = scored(SAID, [b"a red square", b"cats"])
    assert [case["caption"] for case in found.wrong] == ["cats", "a red square"]
    assert [case["caption"] for case in found.right] == ["a red square", "cats"]
    figure = found.plots["Lowest CIDEr"]()
    assert figure.axes[0].get_title() == "cats"
    assert figure.axes[0].images[0].get_array().shape == (20, 30, 3)


def test_a_caption_is_shown_once():
    found = scored([*SAID, SAID[1]], [b"a red square", b"cats", b"cats"])
    shown = [axes.get_title() for axes in found.plots["Lowest CIDEr"]().axes]
    assert [title for title in shown if title] == ["cats", "a red square"]


def test_attention_is_drawn_word_by_word():
    asked = []

    def ask(given, signature):
        asked.append((len(given), signature))
        maps = np.zeros([1, 3, 2, 2])
        maps[:, :, 0, 1] = 1
        return {"words": np.array([["▁a".encode(), "▁dog".encode(), b"."]], object), "maps": maps}

    drawn = score.figures(ask, records(*SAID))
    assert not asked  # on demand only
    figure = drawn["Attention 1"]()
    assert asked == [(1, "attend")]
    assert [axes.get_title() for axes in figure.axes][1:4] == ["a", "dog", "."]
    np.testing.assert_array_equal(figure.axes[2].images[1].get_array(), [[0, 1], [0, 0]])
