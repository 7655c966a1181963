"""Folders of videos with captions, by the commands."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from rnnsuite.cli.main import main
from tests.conftest import train_and_export

RNG = np.random.default_rng(0)
WIDTH = 768


@pytest.fixture(scope="module")
def finished(tmp_path_factory, _cache):
    return train_and_export("video_captioning", tmp_path_factory)


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def folder(place, splits=("train", "test"), width=WIDTH):
    """Features of frames, of which the last of some is empty, and two captions each."""
    for split in splits:
        names = [f"{split}{number}_0_{number + 4}.avi" for number in range(3)]
        features = np.abs(RNG.normal(size=[3, 6, width])).astype(np.float16)
        features[0, -1] = 0
        np.savez(place / f"{split}.npz", features=features, video=np.array(names))
        captions = {name: ["A red circle moves up.", "a circle goes up"] for name in names}
        (place / f"captions_{split}.json").write_text(json.dumps(captions))
    return place


def evaluated(model, source):
    words = ["evaluate", "video_captioning", "--model", model, "--data", source]
    return run(*words, "--split", "test", "--json")


def test_another_split_laid_out_in_the_same_way_is_scored(finished, tmp_path):
    done = evaluated(finished.run, folder(tmp_path))
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert result["records"] == 3
    assert {"bleu_4", "cider", "rouge_l", "exact_match"} <= result["metrics"].keys()
    assert result["floor"]["exact_match"] == 1.0


def test_features_of_another_width(finished, tmp_path):
    done = evaluated(finished.run, folder(tmp_path, width=7))
    assert done.exit_code == 2
    assert "features: an array of shape [?, 768] expected, not [6, 7]" in done.stderr
    assert "Traceback" not in done.stderr


def test_captions_of_videos_that_there_are_not(finished, tmp_path):
    source = folder(tmp_path)
    captions = json.loads((source / "captions_test.json").read_text())
    (source / "captions_test.json").write_text(json.dumps({**captions, "lost.avi": ["a man"]}))
    done = evaluated(finished.run, source)
    assert done.exit_code == 2
    assert "captions of video 'lost.avi', of which there are no features" in done.stderr


def test_a_video_of_one_frame_has_a_caption(finished):
    words = ["predict", "video_captioning", "--model", finished.run, "--json"]
    done = run(*words, json.dumps([[0.5] * WIDTH]))
    assert done.exit_code == 0, done.output
    (answer,) = json.loads(done.stdout)["answers"]
    assert isinstance(answer["caption"], str)
    done = run(*words, json.dumps([[0.5] * 4]))
    assert done.exit_code == 2
    assert "Traceback" not in done.stderr
