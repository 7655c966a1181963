"""Clips to examples, and what cannot be."""

import math

import numpy as np
import pytest
import tensorflow as tf

from apps.activity_recognition import augment, data
from apps.activity_recognition.config import DataConfig
from apps.activity_recognition.sample import ACTIONS, BACKWARDS, JOINTS, clip, pose
from rnnsuite.core.errors import UserError
from rnnsuite.data.records import collect

RNG = np.random.default_rng(0)


def store(path, lengths=(4, 6, 5, 7), people=("a", "b", "c", "d"), labels="xyxy", joints=None):
    frames = sum(lengths)
    values = RNG.normal(size=[frames, 3, 3]) if joints is None else joints
    np.savez(
        path,
        joints=values.astype("float32"),
        length=np.array(lengths),
        label=np.array(list(labels)),
        person=np.array(people),
    )
    return DataConfig(source=str(path), people={"validation": ("d",)})


class TestSample:
    def test_half_the_actions_are_others_backwards(self):
        """A performance that runs backwards has the poses of another action's, in their order."""

        def heights(action):
            values = np.nan_to_num(clip(action, 3, 0)[..., 1], nan=np.nan)
            return np.nanmean(values - np.nanmean(values[:, -2:], axis=1, keepdims=True), axis=1)

        down, up = heights("sit down"), heights("stand up")
        assert down[0] > down[-1] + 0.1
        assert up[0] < up[-1] - 0.1

    def test_limbs_keep_their_lengths(self):
        limbs = {"trunk": 0.5, "head": 0.2, "arm": 0.3, "leg": 0.4}
        for crouch, raised in ((0.0, 0.0), (0.6, 0.3), (1.0, 0.9)):
            joints = pose(limbs, crouch, raised, 0.2, 0.0)
            elbow, hand, neck = (
                joints[JOINTS.index(name)] for name in ("right elbow", "right hand", "neck")
            )
            assert np.linalg.norm(elbow - neck) == pytest.approx(0.3)
            assert np.linalg.norm(hand - elbow) == pytest.approx(0.3)

    def test_it_is_deterministic_and_everybody_is_in_one_split(self):
        np.testing.assert_array_equal(clip("wave", 1, 0), clip("wave", 1, 0))
        assert set(BACKWARDS) | set(BACKWARDS.values()) == set(ACTIONS)
        config = DataConfig(splits={"train": "train[:40]", "test": "test[:40]"})
        people = [
            {record["person"] for record in collect(data.load(config, split))}
            for split in ("train", "test")
        ]
        assert not people[0] & people[1]


class TestFit:
    def test_moments_are_of_what_the_network_reads(self, tmp_path):
        config = store(tmp_path / "a.npz")
        records = data.load(config, "train")
        fitted = data.fit(config, records)
        assert fitted.labels == ("x", "y")
        assert (fitted.width, fitted.joints, len(fitted.mean)) == (9, 3, 18)
        values = np.concatenate([record["values"] for record in collect(records)])
        np.testing.assert_allclose(fitted.spread, values.std(axis=0), rtol=1e-4)

    def test_numbers_that_are_missing_count_nowhere(self, tmp_path):
        features = RNG.normal(size=[4, 5, 2])
        features[:, 1:3, 0] = np.nan
        features[:, :, 1] = 7.0
        np.savez(tmp_path / "a.npz", features=features, label=list("xyxy"), person=list("abcd"))
        config = DataConfig(source=str(tmp_path / "a.npz"), people={"validation": ("d",)})
        fitted = data.fit(config, data.load(config, "train"))
        assert fitted.mean[0] == pytest.approx(np.nanmean(features[:3, :, 0]))
        assert (fitted.mean[1], fitted.deviation[1]) == (7.0, 1.0)

    @pytest.mark.parametrize("scaling", ["all", "length"])
    def test_sizes_of_components_can_stay(self, tmp_path, scaling):
        features = RNG.normal(size=[4, 5, 3]) * [10, 1, 0.1]
        np.savez(tmp_path / "a.npz", features=features, label=list("xyxy"), person=list("abcd"))
        path = str(tmp_path / "a.npz")
        config = DataConfig(source=path, people={"validation": ("d",)}, scaling=scaling)
        fitted = data.fit(config, data.load(config, "train"))
        assert len(set(fitted.deviation)) == 1
        assert (fitted.deviation[0] < 1) == (scaling == "length")

    def test_one_class_and_parts_that_are_none(self, tmp_path):
        config = store(tmp_path / "a.npz", labels="xxxx")
        with pytest.raises(UserError, match="one class only"):
            data.fit(config, data.load(config, "train"))
        store(tmp_path / "b.npz")
        path = str(tmp_path / "b.npz")
        config = DataConfig(source=path, people={"validation": ("d",)}, parts={"arm": (0, 3)})
        with pytest.raises(UserError, match=r"joint 3; the joints of .* are 0 to 2"):
            data.fit(config, data.load(config, "train"))
        config = DataConfig(source=path, people={"validation": ("d",)}, scaling="length")
        with pytest.raises(UserError, match="a skeleton is divided by its size"):
            data.fit(config, data.load(config, "train"))

    def test_a_class_with_one_clip_is_warned_of(self, tmp_path, caplog):
        config = store(tmp_path / "a.npz", labels="xyxx")
        data.fit(config, data.load(config, "train"))
        assert "Classes with one clip in train: y." in caplog.text


class TestLoad:
    def test_frames_of_different_shapes(self, tmp_path):
        for label, width in (("a", 2), ("b", 3)):
            (tmp_path / label).mkdir()
            for number in range(3):
                np.save(tmp_path / label / f"{label}{number}.npy", np.ones([4, width]))
        with pytest.raises(UserError, match=r"a frame of clip a/a\d is 2, and of b/b\d 3"):
            data.load(DataConfig(source=str(tmp_path)), "train")

    def test_people_are_divided_where_nothing_names_splits(self, tmp_path):
        store(tmp_path / "a.npz")
        config = DataConfig(source=str(tmp_path / "a.npz"), validation=0.3, test=0.3)
        assert list(data.known_splits(config)) == ["all"]
        people = [
            {record["person"] for record in collect(data.load(config, split))}
            for split in ("train", "validation", "test")
        ]
        assert sum(map(len, people)) == 4

    def test_a_clip_without_a_subject_is_its_own(self, tmp_path):
        np.savez(tmp_path / "a.npz", features=np.ones([3, 4, 2]), label=list("xyx"))
        config = DataConfig(source=str(tmp_path / "a.npz"), validation=0.3)
        (record, *_) = collect(data.load(config, "train"))
        assert record["person"] == record["id"]


class TestExamples:
    def example(self, tmp_path, lengths, hop=1):
        config = store(tmp_path / "a.npz", lengths)
        records = data.load(config, "train")
        fitted = data.fit(config, records)
        config = DataConfig(source=config.source, people=config.people, hop=hop)
        return collect(data.examples(config, _with(fitted, hop=hop), records))

    def test_one_frame_and_ten_thousand(self, tmp_path):
        examples = self.example(tmp_path, (1, 10_000, 5, 7))
        assert [len(values) for values, _ in examples] == [1, 10_000, 5]
        assert [int(targets["steps"]) for _, targets in examples] == [1, 10_000, 5]

    def test_a_clip_shorter_than_a_step(self, tmp_path):
        with pytest.raises(Exception, match="2 frames; a step of the model is 4"):
            self.example(tmp_path, (2, 8, 9, 7), hop=4)


def _with(fitted, **changes):
    import dataclasses

    return dataclasses.replace(fitted, **changes)


class TestAugment:
    def altered(self, values, joints=0, **settings):
        width = values.shape[1]
        moments = ((), (), (1.0,) * width)
        fitted = data.Fitted(("x", "y"), width, joints, (), -1, 1, 1, 0, "each", False, *moments)
        config = DataConfig(**settings)
        change = augment.augment(config, fitted)
        targets = {"label": tf.constant(1), "steps": tf.constant(len(values))}
        return change(tf.constant(values, tf.float32), targets, tf.constant([3, 4], tf.int64))

    def test_nothing_asked_nothing_done(self):
        values = RNG.normal(size=[5, 6]).astype("float32")
        found, targets = self.altered(values)
        np.testing.assert_array_equal(found, values)
        assert int(targets["steps"]) == 5

    def test_another_speed_has_other_lengths_and_the_same_ends(self):
        values = np.linspace(0, 1, 50)[:, None].repeat(2, 1).astype("float32")
        found, targets = self.altered(values, speed=0.4)
        assert int(targets["steps"]) == len(found) != 50
        np.testing.assert_allclose([found[0, 0], found[-1, 0]], [0, 1], atol=1e-6)
        np.testing.assert_allclose(np.diff(found[:, 0]), 1 / (len(found) - 1), atol=1e-5)

    def test_a_number_that_is_missing_spreads_to_no_frame_before_it(self):
        values = np.ones([30, 2], "float32")
        values[10:] = np.nan
        found, _ = self.altered(values, speed=0.4)
        is_known = np.isfinite(found[:, 0])
        assert is_known[: is_known.sum()].all()

    def test_a_body_is_turned_about_the_vertical_through_itself(self):
        values = RNG.normal(size=[4, 9]).astype("float32")
        quarter = augment.turned(tf.constant(values), 3, tf.constant(math.pi / 2))
        before, after = values.reshape(4, 3, 3), quarter.numpy().reshape(4, 3, 3)
        np.testing.assert_allclose(after[..., 1], before[..., 1], atol=1e-6)
        middle = before.mean(axis=(0, 1))
        np.testing.assert_allclose(after.mean(axis=(0, 1)), middle, atol=1e-5)
        x, _, z = (before - middle).transpose(2, 0, 1)
        np.testing.assert_allclose((after - middle)[..., 0], z, atol=1e-5)
        np.testing.assert_allclose((after - middle)[..., 2], -x, atol=1e-5)

    def test_sensors_are_tilted_together_and_keep_their_strength(self):
        values = RNG.normal(size=[4, 6]).astype("float32")
        found, _ = self.altered(values, tilt=90)
        before, after = values.reshape(4, 2, 3), found.numpy().reshape(4, 2, 3)
        assert np.abs(after - before).max() > 0.1
        strengths = [np.linalg.norm(sensors, axis=-1) for sensors in (before, after)]
        np.testing.assert_allclose(*strengths, rtol=1e-4)
        inner = [(sensors[:, 0] * sensors[:, 1]).sum(-1) for sensors in (before, after)]
        np.testing.assert_allclose(*inner, atol=1e-4)
        with pytest.raises(ValueError, match="4 numbers of a frame are not sensors of three axes"):
            self.altered(values[:, :4], tilt=10)
