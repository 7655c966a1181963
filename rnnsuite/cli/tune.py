"""rnnsuite tune"""

import pathlib
import socket
from typing import Any

import click

from rnnsuite.cli.options import (
    CONFIG,
    DATA,
    FRESH,
    JSON,
    PATH,
    SET,
    find_app,
    with_app_name,
)
from rnnsuite.cli.output import aligned, print_line, print_values
from rnnsuite.core.errors import UserError


@click.command()
@with_app_name
@CONFIG
@DATA
@SET
@click.option(
    "--trials", type=click.IntRange(min=1), help="Number of trials, in place of tune.trials."
)
@click.option(
    "--hours",
    type=click.FloatRange(min=0, min_open=True),
    help="Time for all trials of all sittings, in place of tune.hours; with more, it goes on.",
)
@click.option(
    "--run",
    type=PATH,
    help="Folder of the search, which all its processes see.  [default: "
    "runs/APP/tune-CONFIG-<hash>]",
)
@click.option(
    "--chief",
    metavar="HOST:PORT",
    help="Give trials out at this address, in place of running them.",
)
@click.option(
    "--worker", metavar="HOST:PORT", help="Run trials that the chief at this address gives out."
)
@click.option(
    "--name", help="Of this worker, the same when it is started again.  [default: the host's]"
)
@FRESH
@JSON
def tune(
    app: str,
    config: str | None,
    data: str | None,
    overrides: tuple[str, ...],
    trials: int | None,
    hours: float | None,
    run: pathlib.Path | None,
    chief: str | None,
    worker: str | None,
    name: str | None,
    fresh: bool,
    as_json: bool,
) -> None:
    """Search APP's settings with keras-tuner. The same command resumes an interrupted search.

    Example: rnnsuite tune sentiment --data reviews.csv --trials 20 --hours 3
    """
    if (chief and worker) or (name and not worker):
        raise UserError("Give --chief or --worker, and --name with --worker only.")
    from rnnsuite.pipeline import config as configuration
    from rnnsuite.pipeline.asked import asked
    from rnnsuite.pipeline.space import check_overrides, check_space

    settings, stem = asked(app, config, data, overrides)
    check_space(app, settings)
    check_overrides(settings, overrides)
    application = find_app(app)
    from rnnsuite.pipeline.run import default_folder
    from rnnsuite.pipeline.tune.tune import tune as search

    folder = run or default_folder(app, f"tune-{stem}", settings)
    if trials:
        settings = configuration.replace(application, settings, {"tune.trials": trials})
    if hours:
        settings = configuration.replace(application, settings, {"tune.hours": hours})
    as_worker = (worker, name or socket.gethostname()) if worker else None
    result = search(application, settings, folder, chief, as_worker, fresh)
    _show(result, as_json)


def _show(result: dict[str, Any], as_json: bool) -> None:
    """Prints what a search found: for people with its best trials and what comes next."""
    table = result.pop("table", [])
    if as_json:
        print_values({**result, **({"table": table} if table else {})}, as_json)
        return
    print_values(result, as_json)
    if table:
        print_line("")
        for line in aligned(table):
            print_line(line)
        print_line("")
        print_line(f"next: rnnsuite train {result['app']} -c {result['best']}")
