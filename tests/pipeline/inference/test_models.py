"""A model by its path: what stands for one, and what is told of what does not."""

import shutil

import pytest

from rnnsuite import catalog
from rnnsuite.core.errors import UserError
from rnnsuite.pipeline.inference.models import find_model, fitted_of, open_model
from tests.conftest import ROOT

MODELS = ROOT / "saved_models"


@pytest.fixture(scope="module")
def app():
    return catalog.find("sentiment")


def versions(folder, *numbers):
    for number in numbers:
        (folder / number).mkdir(parents=True)
        (folder / number / "saved_model.pb").touch()


def test_the_newest_version_stands_for_its_folders(app, tmp_path):
    versions(tmp_path / "sentiment", "2", "10", "9")
    (tmp_path / "sentiment" / "11").mkdir()  # not yet filled
    newest = tmp_path / "sentiment" / "10"
    for path in (tmp_path, tmp_path / "sentiment", newest):
        assert find_model(app, path) == newest


def test_what_could_be_meant_is_named(app, tmp_path):
    for place in ("runs/one/config.yaml", "lite/1/dynamic.tflite"):
        (tmp_path / place).parent.mkdir(parents=True)
        (tmp_path / place).touch()
    with pytest.raises(UserError, match=r"is no run.*There are: .*runs/one"):
        find_model(app, tmp_path / "runs")
    with pytest.raises(UserError, match=r"There are: .*dynamic\.tflite"):
        find_model(app, tmp_path / "lite" / "1")
    with pytest.raises(UserError, match=r"There is no file .*float32\.tflite.*dynamic\.tflite"):
        find_model(app, tmp_path / "lite" / "1" / "float32.tflite")
    with pytest.raises(UserError, match="There is no model at"):
        find_model(app, tmp_path / "absent")


@pytest.mark.parametrize("path", ["sentiment/1", "sentiment/lite/1/dynamic.tflite"])
def test_another_applications_model_is_named(path):
    with pytest.raises(UserError, match="a model of sentiment, not of translation"):
        open_model(catalog.find("translation"), MODELS / path)


def test_a_file_without_those_beside_it(app, tmp_path):
    shutil.copy(MODELS / "sentiment" / "lite" / "1" / "dynamic.tflite", tmp_path)
    with pytest.raises(UserError, match="moved away from the files"):
        open_model(app, tmp_path / "dynamic.tflite")


def test_a_file_that_is_none(app, tmp_path):
    folder = tmp_path / "lite"
    shutil.copytree(MODELS / "sentiment" / "lite" / "1", folder)
    (folder / "dynamic.tflite").write_text("no model")
    with pytest.raises(UserError, match=r"dynamic\.tflite is no \.tflite file of sentiment"):
        open_model(app, folder / "dynamic.tflite")


def test_fitted_values_of_every_form(app):
    forms = ("sentiment/1", "sentiment", "sentiment/lite/1", "sentiment/lite/1/dynamic.tflite")
    assert {fitted_of(app, MODELS / form).labels for form in forms} == {("neg", "pos")}
