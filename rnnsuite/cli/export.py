"""rnnsuite export"""

import pathlib

import click

from rnnsuite.cli.options import JSON, PATH, SET, find_app, with_app_name
from rnnsuite.cli.output import number, print_line, print_values


@click.command()
@with_app_name
@click.option("--run", required=True, type=PATH, help="The run to export.")
@click.option(
    "--to",
    default=pathlib.Path("saved_models"),
    type=PATH,
    show_default=True,
    help="Folder of all exported models.",
)
@click.option(
    "--version",
    type=click.IntRange(min=1),
    help="Version number.  [default: one more than the newest]",
)
@click.option(
    "--lite",
    multiple=True,
    help="Kinds of .tflite: float32, dynamic, float16, int8, for LiteRT's Interpreter; "
    "portable_float32, portable_dynamic, or portable for both, also for its CompiledModel and "
    "browsers; none for none.  [default: export.lite]",
)
@click.option(
    "--data",
    metavar="SOURCE",
    help="Where the records for the proof are, if they have moved.  [default: as in training]",
)
@click.option(
    "--search",
    type=PATH,
    help="The search that found the run's settings; its record goes to TO/APP/search/VERSION.",
)
@SET
@JSON
def export(
    app: str,
    run: pathlib.Path,
    to: pathlib.Path,
    version: int | None,
    lite: tuple[str, ...],
    data: str | None,
    search: pathlib.Path | None,
    overrides: tuple[str, ...],
    as_json: bool,
) -> None:
    """Export a run of APP as a SavedModel and .tflite files, and prove that they agree with it.

    Example: rnnsuite export sentiment --run runs/sentiment/reviews-1a2b3c4d
    """
    from rnnsuite.pipeline.config import Schema

    Schema.of(app).override({}, overrides)
    application = find_app(app)
    from rnnsuite.pipeline.export.release import release

    result = release(application, run, to, version, lite, data, overrides, search)
    if as_json:
        print_values(result, as_json)
        return
    report = result.pop("parity")
    print_values(result, as_json)
    print_line(f"parity on {report['records']} records of the {report['split']} split:")
    for name, form in report["forms"].items():
        values = "  ".join(f"{key} {number(value)}" for key, value in form.items())
        print_line(f"  {name:<16} {values}")
