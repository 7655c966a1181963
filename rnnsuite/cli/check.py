"""rnnsuite check"""

import click

from rnnsuite import catalog
from rnnsuite.cli.options import CONFIG, JSON, SET, find_app, standard_output_kept
from rnnsuite.cli.output import print_line, print_values

HIDDEN = ("label", "origin")
"""What is no input or text to learn: a class, and where a record comes from."""


@click.command()
@click.argument("data", metavar="DATA")
@click.argument("app", metavar="APP")
@CONFIG
@SET
@JSON
@click.pass_context
@standard_output_kept
def check(
    context: click.Context,
    data: str,
    app: str,
    config: str | None,
    overrides: tuple[str, ...],
    as_json: bool,
) -> None:
    """Read DATA as APP would, and say what is wrong or odd with it.

    Counts, lengths, classes, records that cannot be read, that stand there twice, or in two splits.
    Nothing is trained or written. The exit status is 2 where training would fail.

    Example: rnnsuite check reviews.csv sentiment
    """
    if data in catalog.places() and app not in catalog.places():
        data, app = app, data
    catalog.place(app)
    from rnnsuite.pipeline.asked import asked

    settings, _ = asked(app, config, data, overrides)
    application = find_app(app)
    from rnnsuite.pipeline.check import check as check_data

    report = check_data(application, settings)
    if as_json:
        print_values(report, as_json)
    else:
        _print(report)
    if report["wrong"]:
        context.exit(2)


def _print(report: dict) -> None:
    for name, split in report["splits"].items():
        print_line(f"{name}: {split['records']} records")
        for field, values in split["fields"].items():
            if values["unit"] and field not in HIDDEN:
                print_line(
                    f"  {field}: {values['shortest']} to {values['longest']} {values['unit']}, "
                    f"half up to {values['median']}"
                )
    for line in report["examples"]:
        print_line(f"as trained on: {line}.")
    for kind in ("wrong", "odd"):
        for line in report[kind]:
            print_line(f"{kind}: {line}")
    if not report["wrong"] and not report["odd"]:
        print_line("Nothing is wrong or odd.")
