"""rnnsuite tune"""

import pathlib
import socket

import click

from rnnsuite.cli.options import CONFIG, JSON, PATH, SET, find_app, with_app_name
from rnnsuite.cli.output import print_values
from rnnsuite.core.errors import UserError


@click.command()
@with_app_name
@CONFIG
@SET
@click.option(
    "--trials", type=click.IntRange(min=1), help="Number of trials, in place of tune.trials."
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
@JSON
def tune(
    app: str,
    config: str,
    overrides: tuple[str, ...],
    trials: int | None,
    run: pathlib.Path | None,
    chief: str | None,
    worker: str | None,
    name: str | None,
    as_json: bool,
) -> None:
    """Search APP's settings with keras-tuner. The same command resumes an interrupted search."""
    if (chief and worker) or (name and not worker):
        raise UserError("Give --chief or --worker, and --name with --worker only.")
    from rnnsuite.pipeline import config as configuration

    settings = configuration.load(app, config, overrides)
    application = find_app(app)
    from rnnsuite.pipeline.run import default_folder
    from rnnsuite.pipeline.tune.tune import tune as search

    folder = run or default_folder(app, f"tune-{pathlib.Path(config).stem}", settings)
    if trials:
        settings = configuration.replace(application, settings, {"tune.trials": trials})
    as_worker = (worker, name or socket.gethostname()) if worker else None
    print_values(search(application, settings, folder, chief, as_worker), as_json)
