"""rnnsuite predict"""

import contextlib
import json
import pathlib
import sys
from collections.abc import Sequence

import click

from rnnsuite.app import App
from rnnsuite.cli.options import JSON, MODEL, PATH, SET, find_app, with_app_name
from rnnsuite.cli.output import print_line, print_text, print_values, readable
from rnnsuite.core.errors import UserError
from rnnsuite.core.fields import Record, record_from_text

PARTLY = 3
"""Exit status where some of several requests have no answer."""


@click.command()
@with_app_name
@MODEL
@click.option(
    "--signature", default="serving_default", show_default=True, help="Which of the model's to ask."
)
@click.option(
    "--stream",
    metavar="SOURCE",
    help='Follow a recording, or "microphone", and tell events as they come.',
)
@click.option(
    "--live",
    is_flag=True,
    help="Print a text piece by piece, as it is made; see the section decode.",
)
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    help="An optional input of the signature.",
)
@click.option("--input", "source", type=PATH, help="A .jsonl, .txt, .csv or .tsv of many requests.")
@click.option(
    "--output", type=PATH, help="Where --input's answers go: a .jsonl, .csv or .tsv to be written."
)
@click.option(
    "--field",
    "columns",
    multiple=True,
    metavar="[FIELD=]COLUMN",
    help="The column of --input that holds a field.  [default: the field's name]",
)
@click.argument("inputs", nargs=-1, metavar="INPUT...")
@SET
@JSON
def predict(
    app: str,
    model: pathlib.Path | None,
    signature: str,
    stream: str | None,
    live: bool,
    options: tuple[str, ...],
    source: pathlib.Path | None,
    output: pathlib.Path | None,
    columns: tuple[str, ...],
    inputs: tuple[str, ...],
    overrides: tuple[str, ...],
    as_json: bool,
) -> None:
    """Answer raw INPUTs: texts, paths to files, or JSON; - reads standard input, one a line.

    With --input and --output, answer a whole file; the same command goes on where it was
    interrupted. The exit status is 3 where some of several requests have no answer.

    Example: rnnsuite predict sentiment "A wonderful film."
    """
    _check(stream, inputs, source, output, columns, options)
    if live and (options or not inputs):
        raise UserError(
            "--live goes with INPUTs, and takes its settings by --set decode.KEY=VALUE."
        )
    from rnnsuite.pipeline.releases import folder_of

    model = model or folder_of(app)
    application = find_app(app)
    if stream:
        _follow(application, model, stream, overrides, as_json)
        return
    _check_overrides(application, overrides)
    if live:
        _write(application, model, _texts(inputs), overrides, as_json)
        return
    values = dict(_option(option) for option in options)
    if source and output:
        from rnnsuite.pipeline.inference.bulk import predict_file

        result = predict_file(
            application,
            model,
            source,
            output,
            columns=_columns(application, columns),
            signature=signature,
            options=values,
            overrides=overrides,
        )
        print_values(result, as_json)
        _end(result["errors"])
        return
    _answer(application, model, _texts(inputs), signature, values, overrides, as_json)


def _texts(inputs: Sequence[str]) -> list[str]:
    """The INPUTs, or the lines of standard input."""
    return [line.rstrip("\n") for line in sys.stdin] if inputs == ("-",) else list(inputs)


def _check(
    stream: str | None,
    inputs: Sequence[str],
    source: pathlib.Path | None,
    output: pathlib.Path | None,
    columns: Sequence[str],
    options: Sequence[str],
) -> None:
    if sum(map(bool, (stream, inputs, source))) != 1:
        raise UserError("Give INPUTs, or --stream SOURCE, or --input FILE.")
    if bool(source) != bool(output) or (columns and not source):
        raise UserError("--input and --output go together, and --field with them.")
    if stream and options:
        raise UserError("--option does not go with --stream.")


def _check_overrides(app: App, overrides: Sequence[str]) -> None:
    stream = app.serving.stream
    streamed = stream.section if stream and not stream.is_shared else None
    sections = [name for name in app.serving.sections if name != streamed]
    for override in overrides:
        if override.split(".")[0] not in sections:
            allowed = " and ".join(sections) or "no section"
            raise UserError(
                f"--set takes keys of {allowed} here, and with --stream those of stream."
            )


def _answer(
    app: App,
    path: pathlib.Path,
    texts: Sequence[str],
    signature: str,
    options: dict[str, float | str],
    overrides: Sequence[str],
    as_json: bool,
) -> None:
    from rnnsuite.pipeline.inference import models, rows

    # What cannot be read is told before the model is loaded, and keeps nobody else's answer.
    requests = [_request(app, text) for text in texts]
    records = [request for request in requests if not isinstance(request, UserError)]
    faults = [request for request in requests if isinstance(request, UserError)]
    if faults and not records:
        raise faults[0]
    for fault in faults:
        click.echo(f"rnnsuite: {fault}", err=True)
    model = models.open_model(app, path, overrides)
    answers = model.answer(records, signature, options)
    readable_answers = (rows.readable(answers, row) for row in range(len(records)))
    lines = [
        {"input": text, "error": str(request)}
        if isinstance(request, UserError)
        else {"input": text, **next(readable_answers)}
        for text, request in zip(texts, requests, strict=True)
    ]
    if as_json:
        print_line(json.dumps({"answers": lines}, ensure_ascii=False))
    else:
        _show(app, path, lines)
    _end(len(faults))


def _request(app: App, text: str) -> Record | UserError:
    try:
        return record_from_text(app.serving.fields, text)
    except UserError as error:
        return error


def _show(app: App, path: pathlib.Path, lines: Sequence[dict]) -> None:
    """Prints answers for a person, as the application shows them."""
    from rnnsuite.pipeline.inference import models

    show = app.serving.show
    fitted = models.fitted_of(app, path) if show else None
    for line in lines:
        if "error" in line:
            continue
        answer = {name: value for name, value in line.items() if name != "input"}
        shown = list(show(fitted, answer)) if show and fitted else []
        shown = shown or [f"{name}: {readable(value)}" for name, value in answer.items()]
        print_line("\n  ".join([str(line["input"]), *shown]))


def _end(faults: int) -> None:
    """Ends with status 3 where some requests have no answer."""
    if faults:
        click.get_current_context().exit(PARTLY)


def _columns(app: App, texts: Sequence[str]) -> dict[str, str]:
    """The column of each field that --field names."""
    fields = list(app.serving.fields)
    columns = {}
    for text in texts:
        name, equals, column = text.partition("=")
        if not equals and len(fields) > 1:
            raise UserError(
                f"--field {text}: write FIELD=COLUMN; the fields are {', '.join(fields)}."
            )
        if equals and name not in fields:
            raise UserError(
                f"--field {text}: there is no field {name!r}; the fields are {', '.join(fields)}."
            )
        columns[name if equals else fields[0]] = column if equals else text
    return columns


def _option(text: str) -> tuple[str, float | str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UserError(f"--option {text}: write NAME=VALUE.")
    try:
        return name, float(value)
    except ValueError:
        return name, value


def _write(
    app: App, path: pathlib.Path, texts: Sequence[str], overrides: Sequence[str], as_json: bool
) -> None:
    """Prints each text with what comes after it, piece by piece; as JSON all of it at the end."""
    from rnnsuite.pipeline.inference.live import Live

    records = [record_from_text(app.serving.fields, text) for text in texts]
    model = Live(app, path, overrides)
    if as_json:
        answers = [
            {"input": text, "text": "".join(model.pieces(record))}
            for text, record in zip(texts, records, strict=True)
        ]
        print_line(json.dumps({"answers": answers}, ensure_ascii=False))
        return
    for text, record in zip(texts, records, strict=True):
        print_text(text)
        for piece in model.pieces(record):
            print_text(piece)
        print_line("")


def _follow(
    app: App, model: pathlib.Path, source: str, overrides: Sequence[str], as_json: bool
) -> None:
    from rnnsuite.pipeline.inference.session import stream

    events = []
    with contextlib.suppress(KeyboardInterrupt):  # which is how a live source ends
        for event in stream(app, model, source, overrides):
            events.append(dict(event))
            if not as_json:
                print_line("  ".join(f"{name} {readable(value)}" for name, value in event.items()))
    if not events and not as_json:
        print_line(f"No event in {source}.")
    if as_json:
        print_line(json.dumps({"stream": source, "events": events}, ensure_ascii=False))
