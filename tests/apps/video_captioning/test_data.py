"""Videos to examples, and what cannot be."""

import numpy as np
import pytest
import tensorflow as tf

from apps.video_captioning import data
from apps.video_captioning.config import DataConfig
from apps.video_captioning.sample import FRAMES, Scene, render, scene
from rnnsuite.core.errors import NoSplit, UserError
from rnnsuite.data.records import collect
from tests.data.test_video_layouts import FEATURES, msvd


def config(folder, **settings):
    return DataConfig(source=str(folder), vocabulary_size=40, **settings)


class TestSample:
    def test_a_clip_backwards_moves_the_other_way(self):
        """Of a single frame nobody can say where the shape goes."""
        clip = render(Scene("red", "square", "right", None), np.random.default_rng(0))
        assert FRAMES[0] <= len(clip) <= FRAMES[1]
        columns = [(frame[..., 0] > 0.6).any(axis=0).nonzero()[0].mean() for frame in clip]
        assert np.all(np.diff(columns) >= 0)
        assert columns[-1] > columns[0] + 4

    def test_sentences_say_what_is_met(self):
        rng = np.random.default_rng(1)
        scenes = [scene(rng) for _ in range(50)]
        for what in scenes:
            for caption in what.captions():
                assert (f"{what.colour} {what.shape}") in caption
                assert ("meets" in caption) == (what.met is not None)
        assert {what.direction for what in scenes} == {"left", "right", "up", "down"}


class TestFit:
    def test_empty_frames_count_nowhere(self, tmp_path):
        features = FEATURES.copy()
        features[0, 3:] = 0
        settings = config(msvd(tmp_path, features))
        fitted = data.fit(settings, data.load(settings, "train"))
        frames = np.concatenate([features[0, :3], features[2]])
        np.testing.assert_allclose(fitted.mean, frames.mean(axis=0), rtol=1e-5)
        np.testing.assert_allclose(fitted.deviation, frames.std(axis=0), rtol=1e-4)
        assert fitted.width == 4

    def test_nothing_but_empty_frames(self, tmp_path):
        settings = config(msvd(tmp_path, np.zeros([3, 5, 4])))
        with pytest.raises(UserError, match="every frame of every video is empty"):
            data.fit(settings, data.load(settings, "train"))


class TestExamples:
    def test_every_caption_of_a_video_reads_the_same_frames(self, tmp_path):
        settings = config(msvd(tmp_path))
        records = data.load(settings, "train")
        fitted = data.fit(settings, records)
        inputs, targets = collect(data.examples(settings, fitted, records))[0]
        np.testing.assert_array_equal(inputs["features"], FEATURES[0])
        assert inputs["target"].shape == targets.shape
        assert len(targets) == 2
        subwords = fitted.subwords()
        assert subwords.text(tf.constant(targets)).numpy().tolist() == [b"a man sings.", b"singing"]

    def test_of_another_width(self, tmp_path):
        settings = config(msvd(tmp_path))
        records = data.load(settings, "train")
        fitted = data.fit(settings, records)
        (tmp_path / "wider").mkdir()
        wider = config(msvd(tmp_path / "wider", np.ones([3, 5, 6])))
        with pytest.raises(UserError, match="a frame has 6 features, and the model reads 4"):
            data.examples(wider, fitted, data.load(wider, "train"))


def test_splits(tmp_path):
    captions = {name: ["x"] for name in ("a.avi", "b.avi", "c.avi")}
    settings = config(msvd(tmp_path, captions=captions), validation=0.3)
    assert len(collect(data.load(settings, "train"))) >= 1
    with pytest.raises(NoSplit, match="has no test split"):
        data.load(settings, "test")


def test_frames_are_left_out_and_noise_is_added_to_none_that_is_empty(tmp_path):
    settings = config(msvd(tmp_path), frame_dropout=0.5, noise=0.1)
    fitted = data.fit(settings, data.load(settings, "train"))
    features = np.tile(FEATURES[0], [20, 1])
    features[::2] = 0
    change = data.augment(settings, fitted)
    inputs = {"features": tf.constant(features), "target": tf.constant([[1]])}
    altered, _ = change(inputs, tf.constant([[2]]), tf.constant([1, 2], tf.int64))
    found = altered["features"].numpy()
    np.testing.assert_array_equal(found[::2], 0)
    left_out = (found[1::2] == 0).all(axis=1).mean()
    assert 0.25 < left_out < 0.75
    present = (found[1::2] != 0).all(axis=1)
    assert np.abs(found[1::2] - features[1::2])[present].max() > 0
