"""Runs and device folders that version 0.1.0 wrote are read, and answer as they did there."""

import json
import shutil

import numpy as np
import pytest

from rnnsuite import catalog
from rnnsuite.core.errors import UserError
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.claim import claim
from rnnsuite.pipeline.config import Schema
from rnnsuite.pipeline.inference.models import open_model
from rnnsuite.pipeline.run import Run
from tests.apps.test_released import assert_answers, records
from tests.conftest import FIXTURES, ROOT

OLD = FIXTURES / "v0_1_0"
NAMES = sorted(path.name for path in OLD.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_a_run_answers_as_before(name, tmp_path):
    stored = json.loads((OLD / name / "answers.json").read_text(encoding="utf-8"))
    model = open_model(catalog.find(name), OLD / name)
    assert_answers(model.answer(records(name, tmp_path, stored["inputs"])), stored["answers"])


@pytest.mark.parametrize("name", NAMES)
def test_its_files_are_read(name):
    run = Run(catalog.find(name), OLD / name)
    config = run.config()
    again = configuration.dump(config)
    assert Schema.of(run.app).build(configuration.ruamel.yaml.YAML(typ="safe").load(again)) == (
        config
    )
    history = run.history()
    assert len(history) == run.metrics()["epochs"]
    assert np.isfinite([row["val_loss"] for row in history]).all()
    assert run.calibration() == {}


def test_a_run_goes_on_under_its_own_settings(tmp_path):
    """The same command claims the folder again; other settings are refused."""
    shutil.copytree(OLD / "sentiment", tmp_path / "run")
    run = Run(catalog.find("sentiment"), tmp_path / "run")
    config = run.config()
    claim(run, config)
    wider = configuration.replace(run.app, config, {"model.units": 9})
    with pytest.raises(UserError, match=r"other settings \(model\.units\)"):
        claim(run, wider)


@pytest.mark.parametrize("name", ["captioning", "translation"])
def test_decode_json_with_the_word_of_then(name, tmp_path):
    """`most` was what is `max_length` now, in what the decode loop on a device reads."""
    from rnnsuite.device import writer

    source = ROOT / "saved_models" / name / "lite" / "1"
    folder = shutil.copytree(source, tmp_path / "lite")
    settings = json.loads((folder / "decode.json").read_text(encoding="utf-8"))
    model = writer.LiteWriter(str(folder / "dynamic.tflite"))
    settings["most"] = settings.pop("max_length")
    (folder / "decode.json").write_text(json.dumps(settings), encoding="utf-8")
    old = writer.LiteWriter(str(folder / "dynamic.tflite"))
    assert vars(old).keys() == vars(model).keys()
    assert old.max_length == model.max_length == settings["most"]
