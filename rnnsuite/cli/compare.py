"""rnnsuite compare"""

import pathlib

import click

from rnnsuite.cli.options import JSON, PATH
from rnnsuite.cli.output import aligned, print_line, print_values


@click.command()
@click.argument("runs", metavar="RUN RUN...", type=PATH, nargs=-1, required=True)
@click.option(
    "--to",
    type=PATH,
    default=pathlib.Path("compare.html"),
    show_default=True,
    help="The page to write.",
)
@JSON
def compare(runs: tuple[pathlib.Path, ...], to: pathlib.Path, as_json: bool) -> None:
    """Write a page with the curves and scores of several RUNs side by side.

    Example: rnnsuite compare runs/sentiment/sample-1a2b3c4d runs/sentiment/sample-5e6f7a8b
    """
    from rnnsuite.pipeline import overview

    rows = overview.compared(runs)
    from rnnsuite.pipeline.inference import report

    report.write_comparison(rows, to)
    if as_json:
        shown = [{key: row[key] for key in row if key != "history"} for row in rows]
        print_values({"page": str(to), "runs": shown}, as_json)
        return
    for line in aligned(report.table(rows)):
        print_line(line)
    print_line(f"page: {to}")
