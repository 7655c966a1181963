"""The scenes: what they promise."""

import itertools

import numpy as np
import pytest

from apps.captioning.sample import (
    COLOURS,
    OPPOSITE,
    SHAPES,
    SIDE,
    SIZES,
    UNSEEN,
    Scene,
    Thing,
    render,
    scenes,
)

ALL = [(split, scene) for split in SIZES for scene in scenes(split)]


def test_the_same_every_time():
    train = [scene for split, scene in ALL if split == "train"]
    assert list(itertools.islice(scenes("train"), 50)) == train[:50]
    assert list(itertools.islice(scenes("train", seed=1), 50)) != train[:50]


def test_sizes():
    assert {split: sum(where == split for where, _ in ALL) for split in SIZES} == SIZES


def test_pairs_that_training_never_has():
    for split, scene in ALL:
        if split != "test":
            assert not {(thing.colour, thing.shape) for thing in scene.things} & UNSEEN
    unseen = [scene.unseen for split, scene in ALL if split == "test"]
    assert np.mean(unseen) == 0.5


def test_training_has_every_colour_and_shape():
    seen = {
        (thing.colour, thing.shape)
        for split, scene in ALL
        if split == "train"
        for thing in scene.things
    }
    assert seen == {(colour, shape) for colour in COLOURS for shape in SHAPES} - UNSEEN


def test_relations_are_true_and_shapes_apart_and_whole():
    for _, scene in ALL:
        for thing in scene.things:
            assert 0 < thing.x - thing.radius < thing.x + thing.radius < SIDE
            assert 0 < thing.y - thing.radius < thing.y + thing.radius < SIDE
        if len(scene.things) == 2:
            one, other = scene.things
            across, down = one.x - other.x, one.y - other.y
            true = {
                "left of": across < 0,
                "right of": across > 0,
                "above": down < 0,
                "below": down > 0,
            }
            assert true[scene.relation]
            assert max(abs(across), abs(down)) >= one.radius + other.radius
            assert abs(across) > abs(down) or scene.relation in ("above", "below")


def test_two_captions_say_the_same():
    one = Thing("small", "red", "ring", 9, 9, 5, COLOURS["red"])
    other = Thing("large", "blue", "cross", 30, 9, 11, COLOURS["blue"])
    assert Scene((one, other), "left of", 30).captions == [
        "a small red ring left of a large blue cross",
        "a large blue cross right of a small red ring",
    ]
    assert all(OPPOSITE[OPPOSITE[relation]] == relation for relation in OPPOSITE)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_is_drawn_where_it_lies(shape):
    pixels = render(
        Scene((Thing("large", "red", shape, 20, 40, 11, (230, 30, 30)),), "", 30)
    ).astype(int)
    drawn = np.abs(pixels - 30).sum(axis=-1) > 0
    rows, columns = np.nonzero(drawn)
    assert 29 <= rows.min() <= 32
    assert 47 <= rows.max() <= 51
    assert abs(columns.mean() - 19.5) < 0.6
    assert (drawn[40, 20]) == (shape != "ring")
    assert np.all(pixels[drawn][:, 0] >= pixels[drawn][:, 1])


def test_a_pixel_is_the_mean_of_sixteen():
    tint, shade = np.array([230, 30, 130]), 30
    scene = Scene((Thing("large", "red", "circle", 20, 40, 11, tuple(tint)),), "", shade)
    pixels = render(scene).reshape(-1, 3)
    share = np.arange(17)[:, None] / 16
    mixes = (share * tint + (1 - share) * shade).round()
    found = {tuple(pixel) for pixel in pixels.tolist()}
    assert found <= {tuple(mix) for mix in mixes.tolist()}
    assert len(found) > 8
