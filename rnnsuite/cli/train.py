"""rnnsuite train"""

import os
import pathlib
import sys
import time

import click

from rnnsuite.app import App
from rnnsuite.cli.noise import unfilter
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
from rnnsuite.cli.output import print_values
from rnnsuite.core.errors import UserError

RESTARTS = 50
"""Of one process, after which a lost worker is no accident any more."""
RESTARTED = "RNNSUITE_RESTARTS"
"""Environment variable that counts them."""


@click.command()
@with_app_name
@CONFIG
@DATA
@SET
@click.option("--run", type=PATH, help="Run folder.  [default: runs/APP/CONFIG-<hash of settings>]")
@FRESH
@JSON
def train(
    app: str,
    config: str | None,
    data: str | None,
    overrides: tuple[str, ...],
    run: pathlib.Path | None,
    fresh: bool,
    as_json: bool,
) -> None:
    """Train APP. The same command resumes a run that was interrupted.

    Example: rnnsuite train sentiment --data reviews.csv --set train.epochs=10
    """
    from rnnsuite.pipeline.asked import asked

    settings, name = asked(app, config, data, overrides)
    application = find_app(app)
    from rnnsuite.pipeline.run import default_folder
    from rnnsuite.pipeline.train import workers
    from rnnsuite.pipeline.train.train import train as train_run

    folder = run or default_folder(app, name, settings)
    try:
        team = workers.start(settings.train)
        metrics = train_run(application, settings, folder, workers=team, fresh=fresh)
        # The others wait, so that nobody is missed before all is done.
        team.broadcast(lambda: _report(application, folder))
    except workers.WorkerLost as error:
        _restart(str(error))
        return
    where = {"run": str(folder), "report": str(folder / "report.html")}
    print_values({**(where if team.chief else {"worker": team.number}), **metrics}, as_json)


def _report(app: App, folder: pathlib.Path) -> None:
    from rnnsuite.pipeline.inference import report
    from rnnsuite.pipeline.inference.evaluate import evaluate
    from rnnsuite.pipeline.run import Run

    if not (folder / "report.html").is_file():
        evaluation = evaluate(app, folder, split="validation") if app.scoring else None
        report.write(Run(app, folder), evaluation)


def _restart(reason: str) -> None:
    """Begins this command anew in the same process: a cluster without a worker is beyond repair."""
    count = int(os.environ.get(RESTARTED, "0"))
    if count >= RESTARTS:
        raise UserError(f"Workers were lost {count} times; the last time: {reason}")
    click.echo(
        f"rnnsuite: a worker was lost ({reason}); going on from the last checkpoint with all.",
        err=True,
    )
    os.environ[RESTARTED] = str(count + 1)
    time.sleep(1)
    unfilter()
    os.execv(sys.executable, sys.orig_argv)
