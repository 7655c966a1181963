"""Folders of recordings, scored by `evaluate` with models that were trained on others."""

import json

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from apps.event_detection.sample import RATE, recording
from rnnsuite import catalog
from rnnsuite.cli.main import main
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.run import Run
from rnnsuite.pipeline.train.train import train
from tests.conftest import train_and_export

APP = catalog.find("event_detection")
SMALL = (
    "data.window=64",
    "data.stride=64",
    "train.epochs=1",
    "model.units=4",
    "model.stream_units=4",
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory, _cache):
    return train_and_export("event_detection", tmp_path_factory)


def evaluated(*words):
    done = CliRunner().invoke(main, ["evaluate", "event_detection", "--json", *map(str, words)])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def sounds(folder, people=3):
    """Sound files with a table of intervals, in seconds."""
    rows = ["record,start,end,label"]
    for number in range(people):
        values, events = recording(number, 0)
        soundfile.write(folder / f"r{number}.flac", values / 8, RATE)
        rows += [
            f"r{number},{first / RATE:.2f},{(last + 1) / RATE:.2f},{label}"
            for label, first, last in events
        ]
    (folder / "events.csv").write_text("\n".join(rows))
    return folder


def beats(folder, splits):
    """Recordings with points, in samples, and a table that says which split each is of."""
    annotations = ["record\tsample\tsymbol\taami\taux"]
    records = ["record\tsplit\tlead\tfs"]
    rng = np.random.default_rng(0)
    for number, split in enumerate(splits):
        x = 0.02 * rng.normal(size=6000)
        for place in range(200, 5800, 250):
            label = "V" if place % 4 == 0 and rng.random() < 0.5 else "N"
            width = 20 if label == "V" else 6
            x[place - width : place + width] += np.hanning(2 * width)
            annotations.append(f'{100 + number}\t{place}\t"\t{label}\t')
        annotations.append(f"{100 + number}\t10\t+\t\t(N")  # no beat: a change of rhythm
        soundfile.write(folder / f"{100 + number}.flac", x, 360)
        records.append(f"{100 + number}\t{split}\tMLII\t360")
    (folder / "ds_annotations.tsv").write_text("\n".join(annotations))
    (folder / "ds_records.tsv").write_text("\n".join(records))
    return folder


def phone(folder, people, held_out):
    """Smartphone recordings with activities and transitions between them."""
    names = ["WALKING", "WALKING_UPSTAIRS", "WALKING_DOWNSTAIRS", "SITTING", "STANDING", "LAYING"]
    names += ["STAND_TO_SIT", "SIT_TO_STAND", "SIT_TO_LIE", "LIE_TO_SIT"]
    lines = [f"{number} {name}" for number, name in enumerate(names, 1)]
    (folder / "activity_labels.txt").write_text("\n".join(lines))
    rng = np.random.default_rng(0)
    labels = []
    arrays = {}
    for number, person in enumerate(people, 1):
        x = rng.normal(0, 20, size=[2000, 6])
        for begin, kind in ((200, 7), (800, 8), (1400, 7)):
            x[begin : begin + 150] += 300 * (1 if kind == 7 else -1)
            labels += [
                [number, person, 5, begin - 150, begin],
                [number, person, kind, begin + 1, begin + 150],
            ]
        arrays[f"{number:02}_{person:02}"] = x.astype(np.int16)
    np.savez(folder / "part.npz", labels=np.array(labels), val_subjects=held_out, **arrays)
    return folder


def test_sound_files_of_others_with_a_model_that_is_there(finished, tmp_path):
    found = evaluated("--model", finished.run, "--data", sounds(tmp_path))
    assert (found["split"], found["records"]) == ("all", 3)
    assert found["metrics"].keys() >= {"f1", "precision", "recall", "class_f1", "f1_start"}


@pytest.mark.learns
def test_beats_with_the_stored_settings(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    source = beats(tmp_path / "one", ["train", "train", "val"])
    config = configuration.load(APP, "mitbih", [f"data.source={source}", *SMALL])
    train(APP, config, tmp_path / "run")
    fitted = Run(APP, tmp_path / "run").fitted()
    assert (fitted.labels, fitted.rate, fitted.matching) == (("N", "V"), 360, "onset")
    other = beats(tmp_path / "two", ["test", "test"])
    found = evaluated("--model", tmp_path / "run", "--data", other)
    assert (found["split"], found["records"]) == ("test", 2)
    assert {"f1_N", "recall_V", "precision_V"} <= found["metrics"].keys()


@pytest.mark.learns
def test_transitions_with_the_stored_settings(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    source = phone(tmp_path / "one", [1, 2, 7], [7])
    config = configuration.load(APP, "hapt", [f"data.source={source}", *SMALL])
    train(APP, config, tmp_path / "run")
    fitted = Run(APP, tmp_path / "run").fitted()
    assert fitted.labels == ("SIT_TO_STAND", "STAND_TO_SIT")
    assert fitted.others == ("STANDING",)
    assert evaluated("--model", tmp_path / "run", "--split", "validation")["records"] == 1
    found = evaluated("--model", tmp_path / "run", "--data", phone(tmp_path / "two", [4, 5], []))
    assert (found["split"], found["records"]) == ("all", 2)


def test_recordings_of_another_rate_are_told(finished, tmp_path):
    values, _ = recording(0, 0)
    soundfile.write(tmp_path / "a.wav", values / 8, 2 * RATE)
    (tmp_path / "events.csv").write_text("record,start,end,label\na,1,2,start\n")
    words = ["evaluate", "event_detection", "--model", str(finished.run), "--data", str(tmp_path)]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 2
    assert "100 samples a second, and the model 50: resample it" in done.output
