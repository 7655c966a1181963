"""rnnsuite deploy"""

import pathlib

import click

from rnnsuite.cli.options import JSON, MODELS, PATH, quiet_imports
from rnnsuite.cli.output import print_values
from rnnsuite.core.errors import UserError


@click.command()
@MODELS
@click.option(
    "--to", default=pathlib.Path("deploy"), type=PATH, show_default=True, help="Folder to write."
)
@click.option(
    "--stable",
    multiple=True,
    metavar="APP=N",
    help="The version with the label stable.  [default: newest]",
)
@click.option(
    "--canary",
    multiple=True,
    metavar="APP=N",
    help="The version with the label canary.  [default: newest]",
)
@click.option(
    "--tag", help="Tag of the tensorflow/serving image.  [default: the release of our TensorFlow]"
)
@click.option(
    "--workers",
    default=4,
    type=click.IntRange(min=2),
    show_default=True,
    help="Of the training job.",
)
@click.option("--force", is_flag=True, help="Overwrite files that were edited by hand.")
@JSON
def deploy(
    models: pathlib.Path,
    to: pathlib.Path,
    stable: tuple[str, ...],
    canary: tuple[str, ...],
    tag: str | None,
    workers: int,
    force: bool,
    as_json: bool,
) -> None:
    """Write what TF Serving, Docker Compose and Kubernetes need to serve the exported models.

    Example: rnnsuite deploy --models saved_models --stable sentiment=1 --canary sentiment=2
    """
    with quiet_imports():
        from rnnsuite import deploy as deployment
    files = deployment.deploy(
        models,
        to,
        stable=dict(map(_pin, stable)),
        canary=dict(map(_pin, canary)),
        tag=tag or deployment.TAG,
        workers=workers,
        force=force,
    )
    print_values({"written": [str(path) for path in files]}, as_json)


def _pin(text: str) -> tuple[str, int]:
    name, _, version = text.partition("=")
    if not version.isdecimal():
        raise UserError(f"{text}: write APP=VERSION, such as sentiment=2.")
    return name, int(version)
