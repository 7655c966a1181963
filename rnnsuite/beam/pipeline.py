"""A pipeline that answers every row of many files, each once, however often it is begun again.

Inputs are cut into chunks. A worker answers a chunk as a whole and writes its answers in one piece
under the chunk's number; a chunk whose file is there is not answered again. So a worker that is
lost, a pipeline that is killed, and a bundle that a runner tries twice leave every row once.
"""

import json
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems
from apache_beam.metrics import Metrics
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, StandardOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.utils.shared import Shared

from rnnsuite import catalog
from rnnsuite.beam import answers, requests
from rnnsuite.core.errors import UserError
from rnnsuite.data.request_files import Row
from rnnsuite.pipeline.inference.bulk import answerer
from rnnsuite.pipeline.inference.models import open_model
from rnnsuite.pipeline.inference.predictor import DEFAULT, Predictor

CHUNK = 4 * 2**20
"""Bytes of a chunk of JSON lines."""
WINDOW = 2048
"""Rows that are answered together."""
PLAN = "plan.json"
"""The file of an output folder that says what is answered in it."""
SPACE = "rnnsuite"
COUNTERS = ("answered", "failed", "chunks")


class Scoring(beam.DoFn):
    """Chunks to files of answers.

    Args:
        plan: what `score` was asked for; see there.
        count: chunks in all.
    """

    def __init__(self, plan: Mapping[str, Any], count: int):
        self.plan = plan
        self.count = count
        self.shared = Shared()
        self.counters = {name: Metrics.counter(SPACE, name) for name in COUNTERS}

    def setup(self) -> None:
        """Opens the model, once in a process."""
        app = catalog.find(self.plan["app"])
        self.fields = app.serving.fields
        opened = self.shared.acquire(lambda: _Opened(open_model(app, self.plan["model"])))
        self.answer = answerer(opened.predictor, self.plan["signature"], self.plan["options"])

    def process(self, chunk: requests.Chunk) -> Iterator[int]:
        """Answers a chunk. Yields the number of its rows."""
        columns = self.plan["columns"]
        names = {name: columns.get(name, name) for name in self.fields}
        answered: list[dict[str, Any]] = []
        failed: list[dict[str, Any]] = []
        for window in _windows(requests.read(chunk, self.fields, names)):
            for line in self.answer(window):
                placed = {"file": chunk.path, **line}
                (failed if "error" in line else answered).append(placed)
        # The answers last: a chunk that has them is done.
        if failed:
            answers.write(
                _place(self.plan, chunk.number, self.count, "failed", "jsonl"),
                answers.json_lines(failed),
            )
        form = self.plan["form"]
        answers.write(
            _place(self.plan, chunk.number, self.count, "answers", form),
            answers.FORMATS[form](answered),
        )
        self.counters["answered"].inc(len(answered))
        self.counters["failed"].inc(len(failed))
        self.counters["chunks"].inc()
        yield len(answered) + len(failed)


class _Opened:
    """What `Shared` can keep: an object that a weak reference can be made to."""

    def __init__(self, predictor: Predictor):
        self.predictor = predictor


def _windows(rows: Iterator[Row]) -> Iterator[list[Row]]:
    window: list[Row] = []
    for row in rows:
        window.append(row)
        if len(window) == WINDOW:
            yield window
            window = []
    if window:
        yield window


def _place(plan: Mapping[str, Any], number: int, count: int, what: str, ending: str) -> str:
    name = f"{what}-{number:05d}-of-{count:05d}.{ending}"
    return FileSystems.join(plan["output"], name)


def score(
    app: str,
    model: str,
    patterns: Sequence[str],
    output: str,
    *,
    form: str = "jsonl",
    columns: Mapping[str, str] | None = None,
    signature: str = DEFAULT,
    options: Mapping[str, Any] | None = None,
    chunk: int = CHUNK,
    workers: int = 1,
    arguments: Sequence[str] = (),
) -> dict[str, int]:
    """Answers every row of the inputs in a Beam pipeline; begun again, it goes on.

    Args:
        app: the application's name.
        model: its SavedModel, run, or .tflite file, at a path that every worker can read.
        patterns: of input files: .jsonl, .jsonl.gz, .parquet, .tfrecord.
        output: a folder, on any file system that Beam knows. answers-*.jsonl has a line for each
            row with its `file`, the byte or the number (`row`) that it begins at, its `input` and
            the answer; failed-*.jsonl has those without an answer, and why.
        form: of the answers: jsonl, parquet or tfrecord.
        columns: the column or key of a field, where it is not the field's name.
        signature: the one to ask.
        options: values for its optional inputs.
        chunk: bytes of JSON lines that are answered and written together.
        workers: processes on this machine, where arguments name no runner.
        arguments: Beam's own, such as --runner=FlinkRunner.

    Returns:
        The rows that were `answered` and that `failed`, and the `chunks`, of this time, and chunks
        that were there `before`.

    Raises:
        UserError: for inputs that there are not, and for an output folder of another prediction.
    """
    catalog.find(app)
    model, output, *patterns = map(_absolute, (model, output, *patterns))
    if form not in answers.FORMATS:
        raise UserError(f"There is no format {form!r}; there are {', '.join(answers.FORMATS)}.")
    chunks = requests.plan(list(patterns), chunk)
    plan = {
        "app": app,
        "model": model,
        "signature": signature,
        "options": dict(options or {}),
        "columns": dict(columns or {}),
        "form": form,
        "output": output,
        "chunks": [[part.path, part.length, part.begin, str(part.end)] for part in chunks],
    }
    _claim(plan)
    count = len(chunks)
    done = _done(plan, count)
    left = [part for part in chunks if part.number not in done]
    counts = dict.fromkeys(COUNTERS, 0)
    if left:
        settings = PipelineOptions(list(arguments), pipeline_type_check=True)
        pipeline = beam.Pipeline(runner=_runner(settings, workers), options=settings)
        small = {name: value for name, value in plan.items() if name != "chunks"}
        _ = (
            pipeline
            | "Chunks" >> beam.Create(left)
            | "Spread" >> beam.Reshuffle()
            | "Score" >> beam.ParDo(Scoring(small, count))
        )
        result = pipeline.run()
        result.wait_until_finish()
        for counter in result.metrics().query()["counters"]:
            if counter.key.metric.namespace == SPACE and counter.key.metric.name in counts:
                counts[counter.key.metric.name] = counter.result
    return {**counts, "before": len(done)}


def _absolute(path: str) -> str:
    """A path that means the same in other processes; those of other file systems do already."""
    return path if "://" in path else str(pathlib.Path(path).expanduser().absolute())


def _runner(settings: PipelineOptions, workers: int) -> Any:
    """The runner that options name; without one, processes of this machine.

    Beam's DirectRunner of today would first fetch a program, Prism.
    """
    named = settings.view_as(StandardOptions).runner
    if named:
        return named
    local = settings.view_as(DirectOptions)
    local.direct_num_workers = workers
    local.direct_running_mode = "multi_processing" if workers > 1 else "in_memory"
    return FnApiRunner()


def _claim(plan: Mapping[str, Any]) -> None:
    """Binds the output folder to what is answered in it. Raises UserError for another one."""
    output = plan["output"]
    place = FileSystems.join(output, PLAN)
    if not FileSystems.exists(output):
        FileSystems.mkdirs(output)
    content = json.dumps(plan, sort_keys=True).encode()
    if not FileSystems.exists(place):
        answers.write(place, content)
        return
    with FileSystems.open(place) as stream:
        if stream.read() != content:
            raise UserError(
                f"{output} is of another prediction: another input, model or option. Delete it, or "
                "choose another --output."
            )


def _done(plan: Mapping[str, Any], count: int) -> set[int]:
    """The chunks whose answers are there."""
    pattern = FileSystems.join(plan["output"], f"answers-*-of-{count:05d}.{plan['form']}")
    (match,) = FileSystems.match([pattern])
    names = {FileSystems.split(entry.path)[1] for entry in match.metadata_list}
    return {int(name.split("-")[1]) for name in names}
