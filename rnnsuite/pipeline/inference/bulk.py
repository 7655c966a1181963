"""Answers to a whole file of requests, row by row in their order, however often it is interrupted.

Answers are appended to OUTPUT.part as JSON and forced to disk a window of rows at a time. Its
complete lines are the rows that are done, so a killed prediction goes on behind them; nothing else
is remembered. OUTPUT appears when every row has its line, as JSON lines or as a table.
"""

import contextlib
import json
import logging
import os
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np

from rnnsuite.app import App
from rnnsuite.core.errors import Interrupted, Refused, UserError
from rnnsuite.core.fields import Record
from rnnsuite.core.files import as_user_error, exclusive, read_json, write_json
from rnnsuite.core.progress import bar
from rnnsuite.data.request_files import SUFFIXES, Row, read_rows
from rnnsuite.pipeline.inference.models import open_model
from rnnsuite.pipeline.inference.predictor import DEFAULT, Predictor
from rnnsuite.pipeline.inference.rows import readable, write_table

WINDOW = 2048
"""Rows that are answered, sorted by length, and written together."""
WINDOW_BYTES = 64 * 2**20
"""Bytes of a window at most, which bounds memory where rows are images."""
OUTPUTS = (".jsonl", ".csv", ".tsv")
"""Endings of the files that answers can be written to."""
log = logging.getLogger(__name__)


def predict_file(
    app: App,
    model: str | pathlib.Path,
    source: pathlib.Path,
    output: pathlib.Path,
    *,
    columns: Mapping[str, str] | None = None,
    signature: str = DEFAULT,
    options: Mapping[str, float] | None = None,
    overrides: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Writes a line for every row: its line in the input, its input, and the answer or an error.

    A row that cannot be answered gets `error` and stops nothing.

    Args:
        app: the application.
        model: its model.
        source: .jsonl with objects (or bare values where a request has one field), .csv or .tsv
            with a header, or .txt with one value a line.
        output: the file to write: .jsonl, .csv or .tsv.
        columns: the column or key of a field, where it is not the field's name.
        signature: the one to ask.
        options: values for its optional inputs.
        overrides: as `open_model` takes them.

    Returns:
        The output, and the numbers of rows and of errors.

    Raises:
        UserError: where a file is unusable, or the part file is of another prediction.
    """
    source = pathlib.Path(source)
    output = pathlib.Path(output)
    _check_paths(source, output)
    columns = dict(columns or {})
    identity = {
        "model": str(pathlib.Path(model).absolute()),
        "columns": columns,
        "signature": signature,
        "options": dict(options or {}),
        "set": list(overrides),
        "input": _identity(source),
    }
    predictor = open_model(app, model, overrides)
    part = output.with_name(f"{output.name}.part")
    with as_user_error(part), _claimed(part, identity) as written, open(source, "rb") as stream:
        rows = read_rows(stream, source, app.serving.fields, columns)
        answer = answerer(predictor, signature, options)
        try:
            done, errors = _append(rows, stream, source, written, answer)
        except KeyboardInterrupt as error:
            raise Interrupted(
                f"interrupted; {part} holds the rows that are done, and the same command goes on "
                f"behind them."
            ) from error
        if output.suffix.lower() == ".jsonl":
            os.replace(part, output)
        else:
            write_table(output, written)
            part.unlink()
    _identity_file(part).unlink(missing_ok=True)
    if errors:
        log.warning('%d of %d rows have no answer; look for "error" in %s.', errors, done, output)
    return {"output": str(output), "rows": done, "errors": errors}


def _append(
    rows: Iterator[Row],
    stream: BinaryIO,
    source: pathlib.Path,
    written: BinaryIO,
    answer: Callable[[list[Row]], list[dict[str, Any]]],
) -> tuple[int, int]:
    """Answers what is not done yet: (rows, errors), of the whole file."""
    done, errors = _resume(written)
    if done:
        log.info("Going on behind row %d of %s.", done, source)
    _skip(rows, done, source)
    size = source.stat().st_size
    with bar(
        desc="answered", total=size, initial=stream.tell(), unit="B", unit_scale=True
    ) as shown:
        for window in _windows(rows):
            lines = answer(window)
            written.write(b"".join(_json_line(line) for line in lines))
            written.flush()
            os.fsync(written.fileno())
            done += len(lines)
            errors += sum("error" in line for line in lines)
            shown.set_postfix_str(f"{done} rows", refresh=False)
            shown.update(stream.tell() - shown.n)
    return done, errors


def _check_paths(source: pathlib.Path, output: pathlib.Path) -> None:
    if not source.is_file():
        raise UserError(f"There is no file {source}.")
    if source.suffix not in SUFFIXES:
        raise UserError(f"--input {source}: give a file that ends in {', '.join(SUFFIXES)}.")
    if output.suffix.lower() not in OUTPUTS:
        raise UserError(f"--output {output}: give a file that ends in {', '.join(OUTPUTS)}.")
    if output.exists():
        raise UserError(f"{output} exists. Delete it, or choose another --output.")


def _identity(source: pathlib.Path) -> list:
    stat = source.stat()
    return [str(source.absolute()), stat.st_size, stat.st_mtime_ns]


def _identity_file(part: pathlib.Path) -> pathlib.Path:
    return part.with_name(f"{part.name}.json")


@contextlib.contextmanager
def _claimed(part: pathlib.Path, identity: Mapping[str, Any]) -> Iterator[BinaryIO]:
    """Exclusive handle to the part file, bound to model, input and options."""
    bound_to = _identity_file(part)
    with exclusive(part, f"Another process is writing {part}."), open(part, "a+b") as written:
        # Without an answered row there is nothing to lose.
        is_bound = bound_to.is_file() and b"\n" in _first_line(written)
        if is_bound and read_json(bound_to) != identity:
            raise UserError(
                f"{part} is of another prediction: another input, which may have changed since, "
                f"model or option. Delete {part} and {bound_to.name}, or choose another --output."
            )
        if not is_bound:
            written.truncate(0)
            write_json(bound_to, identity)
        yield written


def _first_line(written: BinaryIO) -> bytes:
    written.seek(0)
    return written.readline()


def _resume(written: BinaryIO) -> tuple[int, int]:
    """Complete lines and errors among them; the beginning of a line that was cut is removed."""
    written.seek(0)
    done = errors = end = 0
    for line in written:
        if not line.endswith(b"\n"):
            written.truncate(end)
            break
        done += 1
        end += len(line)
        errors += "error" in json.loads(line)
    written.seek(0, os.SEEK_END)
    return done, errors


def _skip(rows: Iterator[Row], count: int, source: pathlib.Path) -> None:
    for number in range(count):
        if next(rows, None) is None:
            raise UserError(f"{source} has {number} rows, but {count} are answered already.")


def _windows(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """Rows in groups that may be answered together."""
    window: list[Row] = []
    size = 0
    for row in rows:
        window.append(row)
        size += sum(_size(value) for value in (row.record or {}).values())
        if len(window) == WINDOW or size >= WINDOW_BYTES:
            yield window
            window = []
            size = 0
    if window:
        yield window


def _size(value: Any) -> int:
    return len(value) if isinstance(value, str | bytes) else int(np.asarray(value).nbytes)


def answerer(
    predictor: Predictor, signature: str, options: Mapping[str, Any] | None
) -> Callable[[list[Row]], list[dict[str, Any]]]:
    """A function from rows to a line each: its `row`, `input`, and the answer or an `error`.

    Args:
        predictor: the model.
        signature: the one to ask.
        options: values for its optional inputs.

    Returns:
        The function. Rows of one shape are asked together, sorted by length; one that the model
        refuses harms no other.
    """

    def ask(records: Sequence[Record]) -> list[dict[str, Any] | str]:
        """An answer or an error a record. Where they fail together, each is asked alone."""
        try:
            answers = predictor.answer(records, signature, options)
        except Refused as error:
            if len(records) == 1:
                return [str(error)]
            return [result for record in records for result in ask([record])]
        return [readable(answers, row) for row in range(len(records))]

    def answer(window: list[Row]) -> list[dict[str, Any]]:
        records = [row.record for row in window if row.record is not None]
        results = iter(ask(records) if records else [])
        lines = []
        for row in window:
            result = row.fault if row.record is None else next(results)
            answered = {"error": result} if isinstance(result, str) else result
            lines.append({"row": row.number, "input": row.shown, **answered})
        return lines

    return answer


def _json_line(line: Mapping[str, Any]) -> bytes:
    return json.dumps(line, ensure_ascii=False).encode("utf-8", errors="replace") + b"\n"
