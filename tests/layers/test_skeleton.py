"""Joints of a body, and numbers that are missing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnsuite.layers.missing import FillMissing, StepMask
from rnnsuite.layers.skeleton import FARTHEST, Skeleton

BONES = ((0, 1), (1, 2))


def expected(x, root, bones):
    """By the definition, joint by joint; x is `[time, joints, coordinates]`."""
    time, joints, coordinates = x.shape
    there = np.isfinite(x).all(-1) & (x != 0).any(-1)
    features = np.zeros([time, joints, 2 * coordinates])
    for t in range(time):
        if not there[t].any():
            continue
        known = x[t][there[t]]
        centre = x[t, root] if root >= 0 and there[t, root] else known.mean(0)
        if bones:
            lengths = [
                np.linalg.norm(x[t, a] - x[t, b]) for a, b in bones if there[t, a] and there[t, b]
            ]
            size = np.mean(lengths) if lengths else 0.0
        else:
            size = np.sqrt(np.square(known - centre).sum() / len(known)) if len(known) > 1 else 0
        if not size:
            continue
        for j in np.flatnonzero(there[t]):
            features[t, j, :coordinates] = (x[t, j] - centre) / size
            if t and there[t - 1, j]:
                features[t, j, coordinates:] = (x[t, j] - x[t - 1, j]) / size
    return np.clip(features, -FARTHEST, FARTHEST).reshape(time, -1)


def built(root, bones, coordinates=3):
    layer = Skeleton(4, root, bones)
    layer.build((None, None, 4 * coordinates))
    return layer


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    root=st.sampled_from([-1, 2]),
    bones=st.sampled_from([(), BONES]),
    coordinates=st.sampled_from([2, 3]),
)
def test_equals_the_definition_with_any_joints_missing(seed, root, bones, coordinates):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=[6, 4, coordinates]).astype("float32")
    x[rng.random([6, 4]) < 0.3] = rng.choice([np.nan, 0.0])
    found = built(root, bones, coordinates)(x.reshape(1, 6, -1))[0]
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, expected(x, root, bones), rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("bones", [(), BONES])
def test_neither_place_nor_height_matters(bones):
    x = np.random.default_rng(0).normal(size=[1, 5, 12]).astype("float32")
    layer = built(-1, bones)
    moved = 1.7 * x + np.tile([3.0, -1.0, 2.0], 4).astype("float32")
    np.testing.assert_allclose(layer(moved), layer(x), rtol=1e-3, atol=1e-3)


def test_pieces_equal_the_whole():
    x = np.random.default_rng(0).normal(size=[2, 7, 12]).astype("float32")
    x[0, 3] = np.nan
    layer = built(1, BONES)
    states = {name: np.zeros([2, *spec.shape], "float32") for name, spec in layer.states.items()}
    parts = []
    for begin, end in ((0, 1), (1, 4), (4, 7)):
        part, states = layer.stream(x[:, begin:end], states)
        parts.append(part)
    np.testing.assert_allclose(np.concatenate(parts, axis=1), layer(x), atol=1e-6)


def test_numbers_that_are_no_joints():
    with pytest.raises(ValueError, match="13 numbers of a frame are not those of 4 joints"):
        Skeleton(4).build((None, None, 13))


def test_means_stand_where_numbers_are_missing():
    x = np.array([[1.0, np.nan], [np.inf, 0.0]], "float32")
    np.testing.assert_array_equal(FillMissing([5.0, 6.0])(x), [[1, 6], [5, 0]])


def test_a_step_is_there_when_any_number_of_its_frames_is():
    x = np.zeros([1, 7, 2], "float32")
    x[0, 2:4] = np.nan
    x[0, 5, 1] = 3.0
    np.testing.assert_array_equal(StepMask(2)(x), [[False, False, True]])
    x[0, 5, 1] = 0.0
    x[0, 4, 0] = 1.0  # the last frame that is there fills no step
    np.testing.assert_array_equal(StepMask(2)(x), [[False, False, False]])
    assert StepMask(1)(x).shape == (1, 7)
