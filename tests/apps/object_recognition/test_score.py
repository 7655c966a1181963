"""What a report says of pictures whose patches are shuffled."""

import types

import numpy as np

from apps.object_recognition import score
from apps.object_recognition.config import ReportConfig
from apps.object_recognition.sample import picture
from rnnsuite.app import Asked
from rnnsuite.inputs import image_files
from tests.apps.object_recognition.test_data import png

SIDES = ("left", "right")


def records():
    """Pictures of which one half is light."""
    pictures = []
    for number in range(10):
        pixels = np.full([16, 16, 3], 20, np.uint8)
        half = slice(0, 8) if number % 2 else slice(8, 16)
        pixels[:, half] = 220
        label = SIDES[1 - number % 2].encode()
        pictures.append({"image": png(pixels), "label": label, "name": b"a.png"})
    return pictures


def ask(asked, signature, options=None):
    """Of one who says where it is lighter."""
    labels = []
    for record in asked:
        halves = image_files.pixels(record["image"]).reshape(16, 2, 8, 3).mean(axis=(0, 2, 3))
        labels.append(SIDES[int(halves.argmax())].encode())
    return {"label": labels}


def tables(grid):
    config = types.SimpleNamespace(sections={"report": ReportConfig(grid=grid)})
    asked = Asked(ask=ask, signatures=["serving_default"], config=config, fitted=None)
    return score.tables(asked, records())


def test_who_looks_at_halves_knows_no_shuffled_ones():
    whole, shuffled = tables(4)["Arrangement of patches"]
    assert whole == {"patches": "as they are", "accuracy": 1.0}
    assert shuffled["patches"] == "4 x 4 shuffled"
    assert shuffled["accuracy"] < 1.0


def test_none_are_shuffled_where_none_are_wanted():
    assert tables(0) == {}


def test_attention_names_what_was_answered_instead():
    pictures = [
        {"image": png(picture("left", n)), "label": b"left", "name": f"{n}".encode()}
        for n in range(3)
    ]
    answers = {
        "label": [b"left", b"right", b"left"],
        "probabilities": np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]),
        "weights": np.full([3, 2, 2], 0.25),
    }
    found = score.score(pictures, answers)
    titles = [axes.get_title() for axes in found.plots["Attention"]().axes]
    assert [title for title in titles if title] == ["left", "left\n(answer: right)"]
    assert found.wrong[0]["picture"] == "1"
