"""rnnsuite serve"""

import pathlib
from collections.abc import Callable

import click

from rnnsuite.cli.options import MODELS, PATH, quiet_imports
from rnnsuite.core.errors import UserError

POSITIVE = click.IntRange(min=1)
MEBIBYTE = 2**20


def _count(name: str, default: int, meaning: str) -> Callable:
    """An option whose value is a number from 1 on."""
    return click.option(name, default=default, type=POSITIVE, show_default=True, help=meaning)


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
@_count("--batch", 64, "Rows that share a run.")
@_count("--rows", 4096, "Rows of a request at most.")
@_count(
    "--numbers",
    2**22,
    "Numbers in a request's arrays at most: a minute of sound at 16 kHz is 960000.",
)
@_count("--characters", 2**22, "Characters of a request's texts at most.")
@_count("--pixels", 2**26, "Pixels of a request's pictures at most, by their headers.")
@_count("--seconds", 300, "Seconds of sound in a request's WAV files at most.")
@_count("--body", 32, "MiB of a request at most.")
@_count("--concurrency", 256, "Requests at a time at most.")
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
@_count("--threads", 1, "TensorFlow threads per run.")
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
    from rnnsuite.server import memory

    memory.few_arenas()
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
