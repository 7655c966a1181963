"""Answers to a whole file of requests, row by row in their order, however often it is interrupted.

Answers are appended to OUTPUT.part and forced to disk a window of rows at a time. Its complete
lines are the rows that are done, so a killed scoring goes on behind them; nothing else is
remembered. OUTPUT appears when every row has its line.
"""

import contextlib
import csv
import json
import logging
import os
import pathlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

import tensorflow as tf

from rnnsuite import predict
from rnnsuite.app import App
from rnnsuite.errors import UserError
from rnnsuite.files import explained, only_one, read_json, write_json
from rnnsuite.progress import bar

WINDOW = 2048  # rows that are answered, sorted by length, and written together
WINDOW_BYTES = 64 * 2**20  # and of what size at most, which bounds memory where rows are pictures
SUFFIXES = (".jsonl", ".txt", ".csv", ".tsv")
log = logging.getLogger(__name__)
Row = tuple[int, Any, str]  # number from 1, value, and what is wrong with the row


def score(
    app: App,
    model: str | pathlib.Path,
    source: pathlib.Path,
    output: pathlib.Path,
    *,
    field: str | None = None,
    signature: str = "serving_default",
    options: Mapping[str, float] | None = None,
    overrides: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Writes a JSON line for every row of `source` to `output`: its number, its input, and the answer or an error.

    source: .jsonl with objects (or bare strings), .csv or .tsv with a header, or .txt with one
    value a line. field: the column of the requests; the application's own by default. A row
    that cannot be answered gets `error` and stops nothing. Gives the numbers of rows and of
    errors. Raises UserError where a file is unusable, or is another scoring's.
    """
    source, output, field = pathlib.Path(source), pathlib.Path(output), field or app.field
    _check(source, output)
    asked = {"model": str(pathlib.Path(model).absolute()), "field": field, "signature": signature}
    asked |= {"options": dict(options or {}), "set": list(overrides), "input": _identity(source)}
    predictor = predict.open_model(app, model, overrides)
    part = output.with_name(f"{output.name}.part")
    with explained(part), _claimed(part, asked) as written:
        done, errors = _done(written)
        if done:
            log.info("Going on behind row %d of %s.", done, source)
        answer = _answerer(app, predictor, signature, options)
        with open(source, "rb") as stream:
            rows = _rows(stream, source, field)
            _skip(rows, done, source)
            with bar(
                desc="scored", total=source.stat().st_size, initial=stream.tell(), unit="B", unit_scale=True
            ) as shown:
                for window in _windows(rows, app):
                    lines = answer(window)
                    written.write(b"".join(_line(line) for line in lines))
                    written.flush()
                    os.fsync(written.fileno())
                    done, errors = done + len(lines), errors + sum("error" in line for line in lines)
                    shown.set_postfix_str(f"{done} rows", refresh=False)
                    shown.update(stream.tell() - shown.n)
        os.replace(part, output)
    _settings(part).unlink(missing_ok=True)
    if errors:
        log.warning('%d of %d rows have no answer; look for "error" in %s.', errors, done, output)
    return {"output": str(output), "rows": done, "errors": errors}


def _check(source: pathlib.Path, output: pathlib.Path) -> None:
    if not source.is_file():
        raise UserError(f"There is no file {source}.")
    if source.suffix not in SUFFIXES:
        raise UserError(f"--input {source}: give a file that ends in {', '.join(SUFFIXES)}.")
    if output.exists():
        raise UserError(f"{output} exists. Delete it, or choose another --output.")


def _identity(source: pathlib.Path) -> list:
    stat = source.stat()
    return [str(source.absolute()), stat.st_size, stat.st_mtime_ns]


def _settings(part: pathlib.Path) -> pathlib.Path:
    return part.with_name(f"{part.name}.json")


@contextlib.contextmanager
def _claimed(part: pathlib.Path, asked: Mapping[str, Any]) -> Iterator[BinaryIO]:
    """The part file, open for this process alone and tied to what was asked."""
    known = _settings(part)
    with only_one(part, f"Another process is writing {part}."), open(part, "a+b") as written:
        if known.is_file() and read_json(known) != asked:
            raise UserError(
                f"{part} is of another scoring: another input, which may have changed since, model or option. "
                f"Delete {part} and {known.name}, or choose another --output."
            )
        if not known.is_file():
            written.truncate(0)  # whatever it was, it was not claimed
            write_json(known, asked)
        yield written


def _done(written: BinaryIO) -> tuple[int, int]:
    """Complete lines and errors among them; the beginning of a line that was cut off is removed."""
    written.seek(0)
    done = errors = end = 0
    for line in written:
        if not line.endswith(b"\n"):
            written.truncate(end)
            break
        done, end = done + 1, end + len(line)
        errors += "error" in json.loads(line)
    written.seek(0, os.SEEK_END)
    return done, errors


def _skip(rows: Iterator[Row], count: int, source: pathlib.Path) -> None:
    for number in range(count):
        if next(rows, None) is None:
            raise UserError(f"{source} has {number} rows, but {count} are scored already.")


def _rows(stream: BinaryIO, source: pathlib.Path, field: str) -> Iterator[Row]:
    """Every row of the file, good or bad. Raises UserError where the file itself is unusable."""
    kinds = {".jsonl": _of_json, ".txt": _of_text}
    read = kinds.get(source.suffix) or (lambda lines, field: _of_table(lines, field, source))
    # readline, not iteration, so that tell() says where we are.
    for number, (value, fault) in enumerate(read(iter(stream.readline, b""), field), 1):
        yield number, value, fault


def _of_text(lines: Iterable[bytes], _: str) -> Iterator[tuple[Any, str]]:
    for line in lines:
        yield _decoded(line.rstrip(b"\r\n"))


def _of_json(lines: Iterable[bytes], field: str) -> Iterator[tuple[Any, str]]:
    for line in lines:
        text, fault = _decoded(line.strip())
        if not text and not fault:
            continue
        try:
            row = json.loads(text) if not fault else None
        except (ValueError, RecursionError):
            fault = "not JSON"
            row = None
        value = row.get(field) if isinstance(row, dict) else row
        if not fault and not isinstance(value, str):
            fault = f"no text under {field!r}"
        yield (None if fault else value), fault


def _of_table(lines: Iterable[bytes], field: str, source: pathlib.Path) -> Iterator[tuple[Any, str]]:
    csv.field_size_limit(2**31 - 1)
    tabs = source.suffix == ".tsv"
    # Undecodable bytes become surrogates, so that one bad line does not lose the others.
    texts = (line.decode("utf-8", errors="surrogateescape").replace("\0", "\ufffd") for line in lines)
    quoting = csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL
    reader = csv.DictReader(texts, delimiter="\t" if tabs else ",", quoting=quoting)
    if reader.fieldnames is None:
        return
    names = [name.lstrip("\ufeff") for name in reader.fieldnames]
    if field not in names:
        raise UserError(f"{source} has no column {field!r}; it has {', '.join(names)}. Name one with --field.")
    reader.fieldnames = names
    for row in reader:
        value = row[field]
        if value is None or any("\udc80" <= character <= "\udcff" for character in value):
            yield None, "not UTF-8" if value is not None else f"no column {field!r}"
        else:
            yield value, ""


def _decoded(line: bytes) -> tuple[str | None, str]:
    try:
        return line.decode("utf-8"), ""
    except UnicodeDecodeError:
        return None, "not UTF-8"


def _windows(rows: Iterator[Row], app: App) -> Iterator[list[tuple[Row, Any]]]:
    """Rows with their records, so many that they may be answered together."""
    window: list[tuple[Row, Any]] = []
    size = 0
    for number, value, fault in rows:
        record = None
        if not fault:
            try:
                (record,) = app.requests([value])
                size += sum(len(each) for each in record.values())
            except UserError as error:
                fault = str(error)
        window.append(((number, value, fault), record))
        if len(window) == WINDOW or size >= WINDOW_BYTES:
            yield window
            window, size = [], 0
    if window:
        yield window


def _answerer(app: App, predictor: predict.Predictor, signature: str, options: Mapping[str, float] | None):
    def ask(records: list) -> list[dict[str, Any] | str]:
        """An answer a record; where they fail together, each alone, so that one bad record is known by its error."""
        try:
            answers = predictor.answer(records, signature, options)
        except tf.errors.InvalidArgumentError as error:
            if len(records) == 1:
                return [" ".join(str(error.message).split())[:200]]
            return [found for record in records for found in ask([record])]
        return [predict.readable(answers, row) for row in range(len(records))]

    def answer(window: list[tuple[Row, Any]]) -> list[dict[str, Any]]:
        records = [record for _, record in window if record is not None]
        found = iter(ask(records) if records else [])
        lines = []
        for (number, value, fault), record in window:
            said = next(found) if record is not None else fault
            answered = {"error": said} if isinstance(said, str) else said
            lines.append({"row": number, "input": value, **answered})
        return lines

    return answer


def _line(line: Mapping[str, Any]) -> bytes:
    return json.dumps(line, ensure_ascii=False).encode("utf-8", errors="replace") + b"\n"
