"""People's own files, by the commands."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from apps.activity_recognition import data
from apps.activity_recognition.config import DataConfig
from apps.activity_recognition.sample import clip
from rnnsuite.cli.main import main
from rnnsuite.core.errors import UserError
from rnnsuite.data.records import collect
from rnnsuite.data.source_config import VideoConfig
from tests.conftest import train_and_export


@pytest.fixture(scope="module")
def finished(tmp_path_factory, _cache):
    return train_and_export("activity_recognition", tmp_path_factory)


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def evaluated(model, source, split="test"):
    words = ["evaluate", "activity_recognition", "--model", model, "--data", source]
    return run(*words, "--split", split, "--json")


def skeletons(path, joints=11, frames=20):
    """Two people, each of whom sits down and waves."""
    pairs = [(action, person) for person in (1, 2) for action in ("sit down", "wave")]
    values = np.stack([clip(action, person, 0)[:frames, :joints] for action, person in pairs])
    labels = [action for action, _ in pairs]
    np.savez(path, joints=values, label=labels, person=[f"p{person}" for _, person in pairs])
    return path


def test_another_file_is_scored_and_the_floor_learns_its_own_train(finished, tmp_path):
    skeletons(tmp_path / "train.npz")
    skeletons(tmp_path / "test.npz")
    done = evaluated(finished.run, tmp_path)
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert result["records"] == 4
    assert result["floor"]["accuracy"] >= 0.75


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"joints": 10}, r"values: an array of shape [?, 33] expected, not [20, 30]"),
        ({"frames": 1}, "at least the 2 frames of a step"),
    ],
)
def test_what_the_model_cannot_read(finished, tmp_path, changes, said):
    skeletons(tmp_path / "test.npz", **changes)
    done = evaluated(finished.run, tmp_path)
    assert done.exit_code == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_split_that_there_is_not(finished, tmp_path):
    skeletons(tmp_path / "train.npz")
    done = evaluated(finished.run, tmp_path)
    assert done.exit_code == 2
    assert "has no test split" in done.stderr


def test_joints_that_are_missing_have_an_answer(finished):
    rows = [[0.1 * number for number in range(33)], [None] * 3 + [0.2] * 30] * 4
    words = ["predict", "activity_recognition", "--model", finished.run, "--json"]
    done = run(*words, json.dumps(rows))
    assert done.exit_code == 0, done.output
    (answer,) = json.loads(done.stdout)["answers"]
    assert sum(answer["probabilities"]) == pytest.approx(1, abs=1e-5)
    assert len(answer["weights"]) == 4


class TestVideos:
    @pytest.fixture
    def folder(self, tmp_path):
        """GIFs that become lighter, and GIFs that become darker."""
        for number in range(3):
            frames = [
                Image.fromarray(np.full([8, 8, 3], 20 + 30 * level + number, np.uint8))
                for level in range(6)
            ]
            for label, many in (("lighter", frames), ("darker", frames[::-1])):
                (tmp_path / label).mkdir(exist_ok=True)
                path = tmp_path / label / f"v_{label}_g{number:02}_c01.gif"
                many[0].save(path, "GIF", save_all=True, append_images=many[1:])
        return tmp_path

    def test_films_become_features_of_frames(self, folder):
        video = VideoConfig(backbone="pixels", size=4, frames=5)
        config = DataConfig(source=str(folder), validation=0.4, test=0.2, video=video)
        records = collect(data.load(config, "train"))
        assert {record["values"].shape for record in records} == {(5, 48)}
        for record in records:
            rises = np.diff(record["values"].mean(axis=1)) > 0
            assert rises.all() == (record["label"] == b"lighter")
            assert record["person"].split()[0] == record["label"]

    def test_without_a_backbone_it_is_said_what_to_give(self, folder):
        with pytest.raises(UserError, match=r"data\.video\.backbone says what makes features"):
            data.load(DataConfig(source=str(folder)), "train")
