"""Scoring by Beam pipelines: every row once, whatever the files and however often it is begun."""

import gzip
import json
import os
import pathlib
import signal
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("apache_beam", reason="the extra beam: make check")

import apache_beam
import tensorflow as tf
from apache_beam.ml.inference.base import RunInference
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that, equal_to
from click.testing import CliRunner
from pyarrow import Table, parquet

from rnnsuite.beam import SavedModelHandler, requests, score
from rnnsuite.beam.__main__ import main
from rnnsuite.core.errors import UserError
from rnnsuite.core.fields import Array, File, Text
from tests.processes import wait

FIELDS = {"text": Text()}
NAMES = {"text": "text"}


def texts(rows):
    return [row.record["text"] if row.record else row.fault for row in rows]


def lines(folder):
    """All lines of answers and of failures."""
    found = []
    for path in sorted([*folder.glob("answers-*.jsonl"), *folder.glob("failed-*.jsonl")]):
        found += [json.loads(line) for line in path.read_text().splitlines()]
    return found


@settings(max_examples=50, deadline=None)
@given(
    rows=st.lists(st.text(max_size=12), max_size=12),
    size=st.integers(1, 40),
    ends=st.sampled_from(["\n", "\r\n", "\n\n"]),
    is_ended=st.booleans(),
)
def test_however_lines_are_cut_each_is_read_once(tmp_path_factory, rows, size, ends, is_ended):
    path = tmp_path_factory.mktemp("cut") / "rows.jsonl"
    content = ends.join(json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_bytes((content + ends * is_ended).encode("utf-8", errors="replace"))
    chunks = requests.plan([str(path)], size)
    found = [row for chunk in chunks for row in requests.read(chunk, FIELDS, NAMES)]
    again = [json.loads(json.dumps(row).encode("utf-8", errors="replace")) for row in rows]
    assert texts(found) == again
    whole = path.read_bytes()
    for row in found:
        assert json.loads(whole[row.number :].splitlines()[0]) == row.record["text"]


def test_what_is_no_request_is_a_fault(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'"good"\n{"texts": 1}\n\xff\xfe\nno json\n3\n')
    (chunk,) = requests.plan([str(path)], 1000)
    assert texts(requests.read(chunk, FIELDS, NAMES)) == [
        "good",
        "no 'text'. Did you mean texts?",
        "not UTF-8",
        "not JSON",
        "text: a text is expected, not a number",
    ]


def test_parquet_by_row_groups(tmp_path):
    path = tmp_path / "rows.parquet"
    table = Table.from_pylist([{"body": f"text {n}", "other": n} for n in range(7)])
    parquet.write_table(table, path, row_group_size=3)
    chunks = requests.plan([str(tmp_path / "*.parquet")], 1)
    assert [(chunk.begin, chunk.end) for chunk in chunks] == [(0, 1), (1, 2), (2, 3)]
    rows = [row for chunk in chunks for row in requests.read(chunk, FIELDS, {"text": "body"})]
    assert texts(rows) == [f"text {n}" for n in range(7)]
    assert [row.number for row in rows] == list(range(7))


def example(**features):
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def feature(*values):
    if isinstance(values[0], bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
    if isinstance(values[0], int):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))
    return tf.train.Feature(float_list=tf.train.FloatList(value=values))


def test_records_of_examples(tmp_path):
    path = tmp_path / "rows.tfrecord"
    shape = {"series/shape": feature(2, 2)}
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(example(series=feature(1.0, 2.0, 3.0, 4.0), sound=feature(b"\xff"), **shape))
        writer.write(example(series=feature(1.0, 2.0, 3.0), sound=feature(b""), **shape))
        writer.write(b"\xff\xff")
    (chunk,) = requests.plan([str(path)], 1)
    fields = {"series": Array((None, None)), "sound": File(pathlib.Path.read_bytes)}
    first, second, third = requests.read(chunk, fields, {"series": "series", "sound": "sound"})
    np.testing.assert_array_equal(first.record["series"], [[1, 2], [3, 4]])
    assert first.record["sound"] == b"\xff"
    assert first.shown == {"series": [[1, 2], [3, 4]], "sound": "1 bytes"}
    assert second.fault.startswith("series: numbers of shape [?, ?] expected")
    assert third.fault == "no tf.train.Example"


def test_what_is_damaged_is_said_of_the_rest(tmp_path):
    """And what stands before it is answered."""
    whole, path = tmp_path / "whole.jsonl.gz", tmp_path / "cut.jsonl.gz"
    rows = [f"text {np.random.default_rng(n).integers(10**9)}" for n in range(20_000)]
    with gzip.open(whole, "wt") as stream:
        stream.write("".join(json.dumps(row) + "\n" for row in rows))
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    *good, last = requests.read(*requests.plan([str(path)], 1), FIELDS, NAMES)
    assert texts(good) == rows[: len(good)]
    assert len(good) > 1000
    assert last.fault.startswith("from here on the file cannot be read")
    damaged = tmp_path / "damaged.tfrecord"
    with tf.io.TFRecordWriter(str(damaged)) as writer:
        for text in (b"one", b"two", b"three"):
            writer.write(example(text=feature(text)))
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    *good, last = requests.read(*requests.plan([str(damaged)], 1), FIELDS, NAMES)
    assert texts(good) == ["one"]
    assert last.fault.startswith("from here on the file cannot be read")


@pytest.mark.parametrize(
    ("pattern", "said"), [("none*.jsonl", "There is no "), ("rows.xml", "give files that end in")]
)
def test_inputs_that_cannot_be_read(tmp_path, pattern, said):
    (tmp_path / "rows.xml").touch()
    with pytest.raises(UserError, match=said):
        requests.plan([str(tmp_path / pattern)], 10)


@pytest.fixture
def rows(tmp_path):
    """Two files of 30 rows, one of which is no request."""
    for number in range(2):
        rows = [json.dumps({"text": f"film {number} {n} " + "fine " * (n % 5)}) for n in range(15)]
        rows[3 + number] = '{"txt": 1}' if number else rows[3]
        (tmp_path / f"rows{number}.jsonl").write_text("\n".join(rows) + "\n")
    return str(tmp_path / "rows*.jsonl")


def ask(sentiment, rows, output, **more):
    settings = {"chunk": 150, **more}
    return score("sentiment", str(sentiment.saved_model), [rows], str(output), **settings)


def test_begun_again_it_answers_what_is_missing(sentiment, rows, tmp_path):
    output = tmp_path / "out"
    first = ask(sentiment, rows, output)
    assert first["answered"] == 29
    assert first["failed"] == 1
    assert first["before"] == 0
    found = lines(output)
    assert len({(line["file"], line["row"]) for line in found}) == len(found) == 30
    (fault,) = [line["error"] for line in found if "error" in line]
    assert fault.startswith("no 'text'")
    expected = sentiment.open("saved_model").answer([{"text": line["input"]} for line in found[:5]])
    for row, line in enumerate(found[:5]):
        np.testing.assert_allclose(line["probabilities"], expected["probabilities"][row], atol=1e-5)
    times = {path: path.stat().st_mtime_ns for path in output.glob("answers-*")}
    lost = sorted(times)[1]
    lost.unlink()
    (output / f"{sorted(times)[2].name}.writing").touch()  # what a killed worker leaves
    again = ask(sentiment, rows, output)
    assert again["chunks"] == 1
    assert again["before"] == first["chunks"] - 1
    assert lines(output) == found
    assert all(path.stat().st_mtime_ns == times[path] for path in times if path != lost)
    assert ask(sentiment, rows, output)["chunks"] == 0
    with pytest.raises(UserError, match="another prediction"):
        ask(sentiment, rows, output, signature="explain")
    with open(tmp_path / "rows1.jsonl", "a") as stream:
        stream.write('{"text": "x"}\n')
    with pytest.raises(UserError, match="another input"):
        ask(sentiment, rows, output)


@pytest.mark.parametrize("form", ["parquet", "tfrecord"])
def test_answers_in_other_forms(sentiment, rows, tmp_path, form):
    ask(sentiment, rows, tmp_path / "lines")
    ask(sentiment, rows, tmp_path / form, form=form)
    expected = [line for line in lines(tmp_path / "lines") if "error" not in line]
    found = []
    for path in sorted((tmp_path / form).glob("answers-*")):
        if form == "parquet":
            found += [row["probabilities"] for row in parquet.read_table(path).to_pylist()]
        else:
            for content in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
                features = tf.train.Example.FromString(content).features.feature
                found.append(list(features["probabilities"].float_list.value))
    np.testing.assert_allclose(found, [line["probabilities"] for line in expected], atol=1e-6)


def test_in_a_pipeline_of_one_s_own(sentiment):
    handler = SavedModelHandler("sentiment", str(sentiment.saved_model), batch=(2, 4))
    given = [{"text": "fine"}, {"text": "dull " * 30}, {"text": ""}]
    expected = sentiment.open("saved_model").answer(given)["label"]
    with apache_beam.Pipeline(runner=FnApiRunner()) as pipeline:
        found = (
            pipeline
            | apache_beam.Create(given)
            | RunInference(handler)
            | apache_beam.Map(lambda result: (result.example["text"], result.inference["label"]))
        )
        pairs = [(g["text"], label.decode()) for g, label in zip(given, expected, strict=True)]
        assert_that(found, equal_to(pairs))


def test_the_command(sentiment, rows, tmp_path):
    words = ["sentiment", "--model", str(sentiment.saved_model), "--input", rows]
    done = CliRunner().invoke(main, [*words, "--output", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["answered"] == 29
    done = CliRunner().invoke(main, [*words, "--output", str(tmp_path / "o"), "--form", "xml"])
    assert done.exit_code == 2
    assert "There is no format 'xml'" in done.stderr


@pytest.mark.thorough
def test_killed_and_begun_again_every_row_is_there_once(sentiment, tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text(
        "".join(json.dumps(f"film {n} " + "fine " * (n % 50)) + "\n" for n in range(20_000))
    )
    output = tmp_path / "out"
    words = ["sentiment", "--model", sentiment.saved_model, "--input", path, "--output", output]
    words += ["--workers", 2, "--chunk", 0.1]
    command = [sys.executable, "-m", "rnnsuite.beam", *map(str, words)]
    log = tmp_path / "log"
    with open(log, "w") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream, start_new_session=True)
    wait(lambda: len([*output.glob("answers-*")]) >= 3 or process.poll() is not None, log)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = len([*output.glob("answers-*")])
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    found = lines(output)
    assert len(found) == len({line["row"] for line in found}) == 20_000
    assert 3 <= before < len([*output.glob("answers-*")])
