"""People's own pictures, by the commands."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from apps.object_recognition.sample import picture
from rnnsuite.cli.main import main
from tests.conftest import train_and_export


@pytest.fixture(scope="module")
def finished(tmp_path_factory, _cache):
    return train_and_export("object_recognition", tmp_path_factory)


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def store(path, label, seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture(label, seed)).save(path)


def evaluated(model, source):
    words = ["evaluate", "object_recognition", "--model", model, "--data", source]
    return run(*words, "--split", "test", "--json")


def train(source, *overrides):
    sets = [word for each in overrides for word in ("--set", each)]
    return run(
        "train", "object_recognition", "--data", source, "--run", source.with_name("run"), *sets
    )


def test_a_table_of_pictures_is_scored(finished, tmp_path):
    rows = ["file,label,split"]
    for split in ("train", "test"):
        for label in ("above", "left"):
            store(tmp_path / "images" / f"{split}{label}.png", label)
            rows.append(f"{split}{label}.png,{label},{split}")
    (tmp_path / "labels.csv").write_text("\n".join(rows) + "\n")
    done = evaluated(finished.saved_model, tmp_path)
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert result["records"] == 2
    assert set(result["metrics"]) == {"accuracy", "macro_f1"}


def test_a_class_that_the_model_does_not_have_is_never_right(finished, tmp_path):
    for split in ("train", "test"):
        for label in ("above", "dusk"):
            store(tmp_path / split / label / "a.png", "above")
    done = evaluated(finished.run, tmp_path)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["metrics"]["accuracy"] <= 0.5


def test_one_class_only(tmp_path):
    for number in range(4):
        store(tmp_path / "day" / f"{number}.png", "left", number)
    done = train(tmp_path)
    assert done.exit_code == 2
    assert "one class only (day)" in done.stderr


def test_patches_that_do_not_fill_the_picture(tmp_path):
    for label in ("left", "right"):
        for number in range(4):
            store(tmp_path / label / f"{number}.png", label, number)
    done = train(tmp_path, "data.size=8", "model.filters=[]", "model.patch=3")
    assert done.exit_code == 2
    assert "model.patch: 3 does not divide the 8 of data.size" in done.stderr


def test_one_pixel_has_an_answer(finished, tmp_path):
    Image.new("RGB", (1, 1), (250, 250, 250)).save(tmp_path / "a.png")
    words = ["predict", "object_recognition", "--model", finished.run, "--json"]
    done = run(*words, tmp_path / "a.png")
    assert done.exit_code == 0, done.output
    (answer,) = json.loads(done.stdout)["answers"]
    assert np.shape(answer["weights"]) == (4, 4)
    assert sum(answer["probabilities"]) == pytest.approx(1, abs=1e-5)
