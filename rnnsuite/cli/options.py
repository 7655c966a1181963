"""Options and arguments that several commands have."""

import contextlib
import functools
import os
import pathlib
import sys
from collections.abc import Callable, Iterator

import click

from rnnsuite import catalog
from rnnsuite.app import App

PATH = click.Path(path_type=pathlib.Path)
CONFIG = click.option(
    "-c",
    "--config",
    default="sample",
    show_default=True,
    help="YAML file, or the name of one in configs/APP.",
)
SET = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override a key, such as model.units=128.",
)
MODEL = click.option("--model", required=True, type=PATH, help="Run, SavedModel folder or .tflite.")
MODELS = click.option(
    "--models",
    default=pathlib.Path("saved_models"),
    type=PATH,
    show_default=True,
    help="Folder of the exported models.",
)
JSON = click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print one JSON object and nothing else on standard output.",
)


def is_debug() -> bool:
    """Whether --debug was given."""
    return bool(click.get_current_context().find_root().params.get("debug"))


@contextlib.contextmanager
def quiet_imports() -> Iterator[None]:
    """Keeps the greetings that TensorFlow's libraries write while they load off standard error."""
    if is_debug():
        yield
        return
    sys.stderr.flush()
    standard_error = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(standard_error, 2)
        os.close(standard_error)
        os.close(nowhere)


def find_app(name: str) -> App:
    """The application, which imports TensorFlow. Raises UserError."""
    with quiet_imports():
        return catalog.find(name)


def with_app_name(function: Callable) -> Callable:
    """Gives a command its APP argument, and standard output to its answer alone."""

    @click.argument("app", metavar="APP")
    @functools.wraps(function)
    def command(app: str, **options):
        catalog.place(app)
        # Libraries that print their progress print it elsewhere.
        with contextlib.redirect_stdout(sys.stderr):
            return function(app, **options)

    return command
