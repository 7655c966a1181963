"""Figures of a report, and the report itself."""

import math

import pytest

from rnnsuite import catalog
from rnnsuite.app import Score
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.claim import claim
from rnnsuite.pipeline.inference import figures, report
from rnnsuite.pipeline.inference.evaluate import Evaluation
from rnnsuite.pipeline.run import Run

HISTORY = [
    {"epoch": float(n), "loss": 1 / n, "val_loss": 2 / n, "val_cider": n / 9, "seconds": 1.0}
    for n in (1, 2, 3)
]


def health(updates):
    layers = {f"a_rather_long_name_of_a_layer_{n}": {"gradient": 0.1} for n in range(7)}
    return {"layers": layers, "states": {"recurrent": [0.1, 0.2]}, "updates": updates}


def test_every_metric_has_a_curve_also_those_of_validation_alone():
    found = figures.curves(HISTORY)
    assert list(found) == ["loss", "cider"]
    labels = [
        [line.get_label() for line in figure.axes[0].get_lines()] for figure in found.values()
    ]
    assert labels == [["train", "validation"], ["validation"]]


@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_axes_have_whole_epochs(epochs):
    axes = figures.curves(HISTORY[:epochs])["loss"].axes[0]
    assert all(float(tick).is_integer() for tick in axes.get_xticks())


def test_what_begins_as_zeros_has_no_point():
    found = figures.health([health({"a_rather_long_name_of_a_layer_1": 0.5}), health({})])
    lines = found["update over weight, first step of each epoch"].axes[0].get_lines()
    assert [line.get_label() for line in lines] == ["a_rather_long_name_of_a_layer_1"]
    values = lines[0].get_ydata()
    assert values[0] == 0.5
    assert math.isnan(values[1])


def test_legends_leave_the_plot_its_width():
    figure = figures.health([health({})])["gradient norm of each layer"]
    figure.draw_without_rendering()
    plot = figure.axes[0].get_window_extent().width
    assert plot > 0.8 * figure.bbox.width
    (legend,) = figure.legends
    assert legend.get_window_extent().y1 <= figure.axes[0].get_window_extent().y0


def test_the_best_so_far_never_gets_worse():
    figure = figures.best_so_far([0.5, 0.7, 0.3, 0.4], "min", "val_loss")
    points, best = figure.axes[0].get_lines()
    assert list(points.get_ydata()) == [0.5, 0.7, 0.3, 0.4]
    assert list(best.get_ydata()) == [0.5, 0.5, 0.3, 0.3]
    (_, best) = figures.best_so_far([0.5, 0.7, 0.3], "max", "val_accuracy").axes[0].get_lines()
    assert list(best.get_ydata()) == [0.5, 0.7, 0.7]


def test_trials_are_drawn_over_numbers_and_names():
    rows = [
        {"trial": "0", "val_loss": 0.1, "model.cell": "lstm", "train.learning_rate": 0.1},
        {"trial": "1", "val_loss": 0.2, "model.cell": "gru", "train.learning_rate": 0.001},
    ]
    found = figures.trials(rows, "val_loss", ["model.cell", "train.learning_rate"])
    assert list(found) == ["model.cell", "train.learning_rate"]
    assert found["train.learning_rate"].axes[0].get_xscale() == "log"


def test_a_report_has_what_is_promised(tmp_path):
    app = catalog.find("sentiment")
    run = Run(app, tmp_path / "run")
    claim(run, configuration.load(app, "tiny"))
    lengths = {"shortest": 1.0, "median": 2.0, "longest": 3.0}
    split = {"examples": 5, "lengths": lengths, "classes": {"a": 2, "b": 3}}
    run.save_data({**run.data(), "splits": {"train": split}, "skipped": 4})
    run.save_history(HISTORY)
    run.save_health([{**health({}), "warnings": ["look here"]}])
    run.save_metrics({"val_accuracy": 0.5, "app": "sentiment"})
    row = {"class": "<a>", "precision": 0.25}
    score = Score({"accuracy": 0.5}, tables={"By class": [row]})
    report.write(run, Evaluation(score, "validation", 7, "x", "held out of train by a hash"))
    page = (run.folder / "report.html").read_text(encoding="utf-8")
    for part in (
        'class="main"><dt>val_accuracy',
        "0:00:03",
        "5 examples of length 1 to 3, half up to 2; a 2, b 3",
        "4 bad records",
        "held out of train by a hash",
        "&lt;a&gt;",
        "look here",
        'name="viewport"',
    ):
        assert part in page, part
    assert len(page) < 2e6
