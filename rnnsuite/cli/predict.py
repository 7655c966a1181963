"""rnnsuite predict"""

import contextlib
import json
import pathlib
import sys
from collections.abc import Sequence

import click

from rnnsuite.app import App
from rnnsuite.cli.options import JSON, MODEL, PATH, SET, find_app, with_app_name
from rnnsuite.cli.output import print_line, print_values, readable
from rnnsuite.core.errors import UserError
from rnnsuite.core.fields import record_from_text


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
    "--option",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    help="An optional input of the signature.",
)
@click.option("--input", "source", type=PATH, help="A .jsonl, .txt, .csv or .tsv of many requests.")
@click.option("--output", type=PATH, help="Where --input's answers go, as .jsonl.")
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
    model: pathlib.Path,
    signature: str,
    stream: str | None,
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
    interrupted.
    """
    _check(stream, inputs, source, output, columns, options)
    application = find_app(app)
    if stream:
        _follow(application, model, stream, overrides, as_json)
        return
    _check_overrides(application, overrides)
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
        return
    texts = [line.rstrip("\n") for line in sys.stdin] if inputs == ("-",) else list(inputs)
    _answer(application, model, texts, signature, values, overrides, as_json)


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
    sections = [name for name in app.serving.sections if not stream or name != stream.section]
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
    options: dict[str, float],
    overrides: Sequence[str],
    as_json: bool,
) -> None:
    from rnnsuite.pipeline.inference import models, rows

    model = models.open_model(app, path, overrides)
    records = [record_from_text(app.serving.fields, text) for text in texts]
    answers = model.answer(records, signature, options)
    lines = [{"input": text, **rows.readable(answers, row)} for row, text in enumerate(texts)]
    if as_json:
        print_line(json.dumps({"answers": lines}, ensure_ascii=False))
        return
    for line in lines:
        shown = [f"{name}: {readable(value)}" for name, value in line.items() if name != "input"]
        print_line("\n  ".join([str(line["input"]), *shown]))


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


def _option(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError as error:
        raise UserError(f"--option {text}: write NAME=NUMBER.") from error


def _follow(
    app: App, model: pathlib.Path, source: str, overrides: Sequence[str], as_json: bool
) -> None:
    from rnnsuite.pipeline.inference.card import training_config
    from rnnsuite.pipeline.inference.session import stream

    following = app.serving.stream
    if following is None:
        raise UserError(f"{app.name} follows no stream.")
    settings = training_config(app, model, overrides).sections[following.section]
    events = []
    with contextlib.suppress(KeyboardInterrupt):  # which is how a live source ends
        for event in stream(app, model, source, settings):
            events.append(dict(event))
            if not as_json:
                print_line("  ".join(f"{name} {readable(value)}" for name, value in event.items()))
    if as_json:
        print_line(json.dumps({"stream": source, "events": events}, ensure_ascii=False))
