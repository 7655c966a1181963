"""The rules by which trials end early, and the time that a search has."""

import csv
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnsuite import catalog
from rnnsuite.pipeline.settings import Tune
from rnnsuite.pipeline.tune.stopping import Budget, Stopping, is_below_median, is_cut

CURVES = st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=9), max_size=8)


def test_below_the_median_of_the_means():
    others = [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]
    assert is_below_median([2.5, 2.4], others, "min")
    assert not is_below_median([2.5, 1.9], others, "min")
    assert is_below_median([1.0, 1.9], others, "max")
    assert not is_below_median([1.0, 2.1], others, "max")


def test_only_others_that_have_come_as_far_count():
    others = [[1.0, 1.0, 1.0], [1.0], [1.0, 1.0]]
    assert is_below_median([5.0], others, "min")
    assert not is_below_median([5.0, 5.0], others, "min")


def test_cuts_are_at_the_grace_and_thrice_as_far():
    others = [[float(value)] * 20 for value in (1, 2, 3, 4, 5)]
    cut = [n for n in range(1, 20) if is_cut([2.5] * n, others, "min", grace=2)]
    assert cut == [2, 6, 18]


def test_the_best_third_goes_on():
    others = [[float(value)] for value in (1, 2, 3, 4, 5)]
    assert not is_cut([1.5], others, "min", grace=1)
    assert is_cut([2.5], others, "min", grace=1)
    assert not is_cut([4.5], others, "max", grace=1)
    assert is_cut([3.5], others, "max", grace=1)


@given(CURVES, CURVES.filter(bool))
def test_a_better_trial_is_never_stopped_where_a_worse_one_is_not(others, curves):
    curve = curves[0]
    better = [value - 1 for value in curve]
    for rule in (is_below_median, lambda *given: is_cut(*given, grace=1)):
        assert rule(better, others, "min") <= rule(curve, others, "min")
        mirrored = [[-value for value in other] for other in others]
        assert rule([-v for v in curve], mirrored, "max") == rule(curve, others, "min")


def trial(folder, number, losses, ended=True):
    place = folder / number
    place.mkdir(parents=True)
    with open(place / "history.csv", "w", newline="") as stream:
        writer = csv.DictWriter(stream, ["epoch", "val_loss"])
        writer.writeheader()
        writer.writerows({"epoch": n, "val_loss": loss} for n, loss in enumerate(losses, 1))
    if ended:
        (place / "metrics.json").write_text("{}")


@pytest.mark.parametrize(("rule", "reason"), [("none", ""), ("median", "below the median")])
def test_a_trial_is_held_against_those_that_have_ended(tmp_path, rule, reason):
    for number, loss in enumerate((1.0, 1.1, 1.2)):
        trial(tmp_path, str(number), [loss, loss])
    trial(tmp_path, "3", [0.1], ended=False)
    settings = Tune(stopping=rule, objective="val_loss", grace=2)
    stopping = Stopping(catalog.find("sentiment"), tmp_path, settings, "min")
    assert stopping.reason("3", [{"val_loss": 5.0}]) == ""  # within the grace
    assert stopping.reason("3", [{"val_loss": 5.0}] * 2) == reason
    assert stopping.reason("3", [{"val_loss": 5.0}, {"val_loss": 1.0}]) == ""


def test_time_is_counted_over_all_sittings(tmp_path):
    now = [100.0]
    path = tmp_path / "spent.json"
    budget = Budget(path, hours=1, clock=lambda: now[0])
    now[0] += 1800
    assert not budget.is_spent()
    now[0] += 900  # which a kill loses
    again = Budget(path, hours=1, clock=lambda: now[0])
    assert not again.is_spent()
    now[0] += 1800
    assert again.is_spent()
    assert json.loads(path.read_text()) == {"seconds": 3600.0}
    assert not Budget(path, hours=2, clock=lambda: now[0]).is_spent()
    assert not Budget(path, hours=0, clock=lambda: now[0]).is_spent()


def test_hyperband_has_its_own_rule():
    with pytest.raises(ValueError, match="hyperband stops trials by itself"):
        Tune(algorithm="hyperband", stopping="median")
