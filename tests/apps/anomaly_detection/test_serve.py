"""Series that are asked about, whole and observation by observation, of anything."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from apps.anomaly_detection import APP
from apps.anomaly_detection.config import DetectConfig
from apps.anomaly_detection.sample import CHANNELS, anomalous
from apps.anomaly_detection.serve import Follower, threshold_of
from rnnsuite.cli.main import main
from rnnsuite.core.errors import Refused, UserError
from rnnsuite.core.fields import record_from_json, record_from_text
from rnnsuite.device.follow import Follower as DeviceFollower
from rnnsuite.pipeline.inference.models import fitted_of
from rnnsuite.pipeline.inference.session import Session
from rnnsuite.tasks.detection.thresholds import Largest
from tests.conftest import train_and_export


@pytest.fixture(scope="module")
def finished(tmp_path_factory, _cache):
    return train_and_export("anomaly_detection", tmp_path_factory)


@pytest.fixture(scope="module")
def values():
    x, _ = anomalous(np.random.default_rng(0), ["stop", "faster"])
    return x[:600].astype(np.float32)


def odd(values, place, value):
    changed = values.copy()
    changed[place] = value
    return changed


def test_odd_values_leave_finite_scores(finished, values):
    model = finished.open("saved_model")
    cases = {
        "all missing": np.full([50, 3], np.nan, np.float32),
        "one observation": values[:1],
        "constant": np.ones([300, 3], np.float32),
        "one enormous": odd(values, 400, 3e38),
        "infinite": odd(values, (400, 1), np.inf),
        "a long gap": odd(values, slice(200, 500), np.nan),
    }
    for name, series in cases.items():
        answer = model.answer([{"values": series}])
        assert len(answer["score"][0]) == len(series), name
        for column in answer.values():
            assert np.isfinite(np.asarray(column[0], np.float64)).all(), name
    assert model.answer([{"values": cases["all missing"]}])["score"][0].max() == 0
    alarm = model.answer([{"values": cases["one enormous"]}])
    assert alarm["score"][0][400] == alarm["score"][0].max() > 0


def test_other_shapes_are_refused(finished, values):
    model = finished.open("saved_model")
    with pytest.raises(Refused, match="at least one observation"):
        model.answer([{"values": values[:0]}])
    with pytest.raises(UserError, match=r"values \[time, 3\] are expected, not \[600, 2\]"):
        finished.open("float32.tflite").answer([{"values": values[:, :2]}])


def test_a_stream_that_begins_again_is_another_one(finished, values):
    session = Session(finished.app, finished.run, "stream")
    first = [session({"values": row[None, None]})["score"] for row in values[:150]]
    session.reset()
    again = [session({"values": row[None, None]})["score"] for row in values[:150]]
    np.testing.assert_array_equal(first, again)
    device = DeviceFollower(str(finished.lite / "float32.tflite"), "stream")
    one = device(values=values[None, :150])["score"]
    np.testing.assert_array_equal(device(values=values[None, :150])["score"], one)
    np.testing.assert_allclose(one[0], np.ravel(first), atol=1e-5, rtol=1e-5)


def test_the_states_of_a_stream_do_not_grow(finished, values):
    session = Session(finished.app, finished.saved_model, "stream")
    sizes = []
    for row in values[:50]:
        session({"values": row[None, None]})
        sizes.append(sum(state.nbytes for state in session._states.values()))
    assert len(set(sizes)) == 1


def test_events_of_a_table_are_printed_as_they_end(finished, values, tmp_path):
    table = tmp_path / "machine.csv"
    rows = [",".join(CHANNELS), *(",".join(f"{cell:.6g}" for cell in row) for row in values)]
    table.write_text("\n".join(rows) + "\n")
    settings = ["--set", "detect.threshold=fixed", "--set", "detect.level=3.0", "--json"]
    words = ["predict", "anomaly_detection", "--model", str(finished.run), *settings, "--stream"]
    done = CliRunner().invoke(main, [*words, str(table)])
    assert done.exit_code == 0, done.output
    events = json.loads(done.stdout)["events"]
    of_export = [*words[:3], str(finished.saved_model), *words[4:]]
    exported = CliRunner().invoke(main, [*of_export, str(table)])
    assert json.loads(exported.stdout)["events"] == events
    lines = "\n".join(rows[1:]) + "\n"
    piped = CliRunner().invoke(main, [*words, "-"], input=lines)
    assert json.loads(piped.stdout)["events"] == events
    answer = finished.open("run").answer([{"values": values}])
    whole = answer["score"][0]
    spans = [(event["start"], event["end"]) for event in events]
    expected = _events(whole, 3.0, DetectConfig().pause)
    assert spans == expected
    assert [event["score"] for event in events] == [
        pytest.approx(whole[first : last + 1].max(), abs=0.02) for first, last in expected
    ]
    assert {event["channel"] for event in events} <= set(CHANNELS)
    (tmp_path / "short.csv").write_text("1,2\n")
    short = CliRunner().invoke(main, [*words, "-"], input="1,2\n")
    assert short.exit_code == 2
    assert "observation 1 of - has 2 values, and the model 3 channels" in short.output
    broken = CliRunner().invoke(main, [*words, "-"], input="1,2,x\n")
    assert "line 1: '1,2,x' is no row of numbers" in broken.output


def _events(scores, threshold, pause):
    places = np.flatnonzero(scores >= threshold)
    parts = np.split(places, np.flatnonzero(np.diff(places) > pause) + 1)
    return [(int(part[0]), int(part[-1])) for part in parts if len(part)]


def test_a_request_is_a_table_numbers_or_json(tmp_path):
    fields = APP.serving.fields
    (tmp_path / "a.csv").write_text("x,y\n1,2\n3,\n")
    read = record_from_text(fields, str(tmp_path / "a.csv"))["values"]
    np.testing.assert_array_equal(read, [[1, 2], [3, np.nan]])
    np.testing.assert_array_equal(
        record_from_text(fields, "1, 2,,4")["values"].ravel(), [1, 2, np.nan, 4]
    )
    row = record_from_json(fields, {"values": [[1, None], [2, 3]]})
    np.testing.assert_array_equal(row["values"], [[1, np.nan], [2, 3]])
    with pytest.raises(UserError, match="numbers of shape"):
        record_from_json(fields, {"values": [1, 2]})


def test_an_answer_is_shown_by_its_events(finished):
    fitted = fitted_of(finished.app, finished.run)
    answer = {
        "score": [0, 5, 6, 0],
        "event": [0, 1, 1, 0],
        "threshold": [4.0] * 4,
        "channels": [[0, 0, 0], [5, 0, 0], [0, 6, 1], [0, 0, 0]],
    }
    (line,) = APP.serving.show(fitted, answer)
    assert line == "anomaly from 1 to 2, score 6.00, in flow"
    quiet = {**answer, "event": [0] * 4}
    assert APP.serving.show(fitted, quiet) == ["no anomaly: the largest score is 6.00 of 4.00"]


def test_a_follower_names_the_channel_of_the_largest_score():
    class fitted:
        names = ("a", "b")
        scored = (0, 1)

    class config:
        sections = {"detect": DetectConfig(pause=2)}

    follower = Follower(config, fitted)
    events = []
    for score, channels in ((0, [0, 0]), (5, [5, 1]), (7, [2, 7]), (0, [0, 0]), (0, [0, 0])):
        outputs = {
            "score": np.array([[score]], np.float32),
            "threshold": np.array([[4.0]], np.float32),
            "channels": np.array([[channels]], np.float32),
        }
        events += follower.feed(outputs)
    assert events == [{"start": 1, "end": 2, "score": 7.0, "channel": "b"}]
    assert follower.end() == []


def test_thresholds_of_every_kind():
    rng = np.random.default_rng(0)
    scores = rng.exponential(size=50_000)
    calibration = {"scores": json.loads(json.dumps(Largest.of([scores]).plain()))}
    for kind in ("peaks", "quantile"):
        for risk in (1e-2, 1e-3):
            settings = DetectConfig(threshold=kind, risk=risk)
            assert threshold_of(settings, calibration) == pytest.approx(-np.log(risk), rel=0.1)
    assert threshold_of(DetectConfig(threshold="fixed", level=3.5), {}) == 3.5
    spiked = np.concatenate([scores, [60.0, 61.0]])
    dynamic = {"scores": Largest.of([spiked]).plain()}
    assert 1 < threshold_of(DetectConfig(threshold="dynamic"), dynamic) < 60
    constant = {"scores": Largest.of([np.zeros(500)]).plain()}
    for kind in ("peaks", "quantile", "dynamic"):
        assert 0 < threshold_of(DetectConfig(threshold=kind), constant) < 1e-30
    with pytest.raises(ValueError, match="no finite score"):
        Largest.of([np.array([np.nan])])
