"""rnnsuite serve"""

import pathlib

import click

from rnnsuite.cli.options import MODELS, PATH, quiet_imports
from rnnsuite.core.errors import UserError

POSITIVE = click.IntRange(min=1)
MEBIBYTE = 2**20


@click.command()
@click.argument("names", nargs=-1, metavar="[APP]...")
@MODELS
@click.option(
    "--config", type=PATH, help="TF Serving's models config: version policies and labels."
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Where to listen; 0.0.0.0 for other machines, too.",
)
@click.option(
    "--port",
    default=8501,
    type=click.IntRange(0, 65535),
    show_default=True,
    help="0 takes a free one.",
)
@click.option(
    "--batch", default=64, type=POSITIVE, show_default=True, help="Rows that share a run."
)
@click.option(
    "--rows", default=4096, type=POSITIVE, show_default=True, help="Rows of a request at most."
)
@click.option(
    "--numbers",
    default=2**22,
    type=POSITIVE,
    show_default=True,
    help="Numbers in a request's arrays at most: a minute of sound at 16 kHz is 960000.",
)
@click.option(
    "--characters",
    default=2**22,
    type=POSITIVE,
    show_default=True,
    help="Characters of a request's texts at most.",
)
@click.option(
    "--pixels",
    default=2**26,
    type=POSITIVE,
    show_default=True,
    help="Pixels of a request's pictures at most, by their headers.",
)
@click.option(
    "--seconds",
    default=300,
    type=POSITIVE,
    show_default=True,
    help="Seconds of sound in a request's WAV files at most.",
)
@click.option(
    "--body", default=32, type=POSITIVE, show_default=True, help="MiB of a request at most."
)
@click.option(
    "--concurrency",
    default=256,
    type=POSITIVE,
    show_default=True,
    help="Requests at a time at most.",
)
@click.option(
    "--timeout",
    default=30.0,
    type=click.FloatRange(min=0.001),
    show_default=True,
    help="Time for an answer (s).",
)
@click.option(
    "--poll",
    default=1.0,
    type=click.FloatRange(min=0.05),
    show_default=True,
    help="Polling interval for new versions (s).",
)
@click.option(
    "--threads", default=1, type=POSITIVE, show_default=True, help="TensorFlow threads per run."
)
@click.option(
    "--grace",
    default=30.0,
    type=click.FloatRange(min=0),
    show_default=True,
    help="Grace period on shutdown (s).",
)
def serve(
    names: tuple[str, ...],
    models: pathlib.Path,
    config: pathlib.Path | None,
    body: int,
    rows: int,
    numbers: int,
    characters: int,
    pixels: int,
    seconds: int,
    **options,
) -> None:
    """Serve exported models by TF Serving's REST interface; new versions are picked up.

    GET / tells what can be asked.

    Example: rnnsuite serve sentiment --models saved_models --port 8501
    """
    with quiet_imports():
        try:
            from rnnsuite.server import cost, library, server
        except ModuleNotFoundError as error:
            raise UserError(
                f"There is no {error.name} here: pip install 'rnnsuite[serve]'."
            ) from error
    policies = library.read_policies(config) if config else {}
    limits = cost.Limits(rows, numbers, characters, pixels, seconds)
    settings = server.Settings(
        models=models,
        names=names,
        policies=policies,
        body=body * MEBIBYTE,
        limits=limits,
        **options,
    )
    server.serve(settings)
