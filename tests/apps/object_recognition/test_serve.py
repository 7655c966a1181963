"""How the trained application is asked, and what its report holds."""

import json
import pathlib

import numpy as np
import pytest
from click.testing import CliRunner

from apps.object_recognition import score
from rnnsuite import catalog
from rnnsuite.cli.main import main
from rnnsuite.data.records import collect
from rnnsuite.pipeline.inference.card import data_section
from rnnsuite.pipeline.inference.evaluate import evaluate
from tests.conftest import train_and_export

APP = catalog.find("object_recognition")


@pytest.fixture(scope="module")
def finished(tmp_path_factory, _cache):
    return train_and_export("object_recognition", tmp_path_factory)


@pytest.fixture(scope="module")
def records(finished):
    return collect(APP.data.load(data_section(APP, finished.run, None), "test"), 8)


def test_pixels_of_a_device_say_what_the_files_do(finished, records):
    import tensorflow as tf

    from rnnsuite.device.resize import resize
    from rnnsuite.inputs import image_files

    loaded = tf.saved_model.load(str(finished.saved_model)).signatures
    content = tf.constant([record["image"] for record in records])
    expected = loaded["serving_default"](image=content)["probabilities"]
    pixels = np.concatenate([resize(image_files.pixels(record["image"]), 16) for record in records])
    found = loaded["pixels"](image=tf.constant(pixels))["probabilities"]
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_shuffled_patches_are_in_the_report_and_can_be_left_out(finished):
    evaluation = evaluate(APP, finished.run, split="test")
    whole, shuffled = evaluation.score.tables["Arrangement of patches"]
    assert whole["accuracy"] == round(evaluation.score.metrics["accuracy"], 4)
    assert shuffled["patches"] == "4 x 4 shuffled"
    assert evaluation.floor["model"].startswith("logistic regression of a small picture")
    words = ["evaluate", "object_recognition", "--model", finished.run, "--set", "report.grid=0"]
    done = CliRunner().invoke(main, [*map(str, words), "--split", "test", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["metrics"]["accuracy"] == evaluation.score.metrics["accuracy"]


def test_where_it_looked_is_drawn_over_the_picture(finished, records):
    answers = finished.open("run").answer(records)
    figure = score.score(records, answers).plots["Attention"]()
    drawn = [axes for axes in figure.axes if axes.images]
    assert drawn
    assert drawn[0].images[1].get_array().shape == (4, 4)


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n cut"])
def test_files_that_are_no_pictures(finished, tmp_path, content):
    path = pathlib.Path(tmp_path / "a.png")
    path.write_bytes(content)
    words = ["predict", "object_recognition", "--model", finished.run, path]
    done = CliRunner().invoke(main, list(map(str, words)))
    assert done.exit_code == 2
    assert "not a picture that can be read" in done.stderr
