"""Joints of a body, and numbers that are missing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnsuite.layers.missing import FillMissing, StepMask
from rnnsuite.layers.skeleton import FARTHEST, Skeleton, parabola

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


def test_paths_are_smoothed_by_parabolas_and_come_late():
    """Of frames that are all there: scipy's filter, whose middle the features have two frames
    later."""
    from scipy.signal import savgol_filter

    assert parabola(5) == pytest.approx(np.array([-3, 12, 17, 12, -3]) / 35)
    x = np.random.default_rng(0).normal(size=[12, 4, 3]).astype("float32")
    layer = Skeleton(4, -1, BONES, smooth=5)
    layer.build((None, None, 12))
    found = layer(x.reshape(1, 12, 12))[0]
    smooth = savgol_filter(x, 5, 2, axis=0)[2:-2]
    np.testing.assert_allclose(found[5:], expected(smooth, -1, BONES)[1:], rtol=1e-3, atol=1e-3)


def test_where_frames_are_missing_a_joint_stays_where_it_is_next():
    places = np.array([1.0, np.nan, 4.0, 2.0])
    x = np.tile(places[:, None, None], [1, 2, 3]).astype("float32")
    there = np.isfinite(x).all(-1, keepdims=True).astype("float32")[None]
    layer = Skeleton(2, smooth=5)
    layer.build((None, None, 6))
    zeros = {name: np.zeros([1, *spec.shape], "float32") for name, spec in layer.states.items()}
    found, _ = layer._smoothed(np.nan_to_num(x)[None], there, zeros)
    # Read backwards from the last frame: 2, 4, then 4 for the one that is missing, 1, 1.
    last = np.dot([2, 4, 4, 1, 1], parabola(5))
    np.testing.assert_allclose(np.asarray(found)[0, 3], last, rtol=1e-5)
    np.testing.assert_allclose(np.asarray(found)[0, 0], 1, rtol=1e-5)
    with pytest.raises(ValueError, match="odd number of frames, not 4"):
        Skeleton(2, smooth=4)


@pytest.mark.parametrize("bones", [(), BONES])
def test_neither_place_nor_height_matters(bones):
    x = np.random.default_rng(0).normal(size=[1, 5, 12]).astype("float32")
    layer = built(-1, bones)
    moved = 1.7 * x + np.tile([3.0, -1.0, 2.0], 4).astype("float32")
    np.testing.assert_allclose(layer(moved), layer(x), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("smooth", [1, 3, 5])
def test_pieces_equal_the_whole(smooth):
    x = np.random.default_rng(0).normal(size=[2, 7, 12]).astype("float32")
    x[0, 3] = np.nan
    layer = Skeleton(4, 1, BONES, smooth)
    layer.build((None, None, 12))
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
