"""Options and arguments that several commands have."""

import contextlib
import functools
import json
import pathlib
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from rnnsuite import catalog
from rnnsuite.app import App
from rnnsuite.core.silence import silenced

if TYPE_CHECKING:
    from rnnsuite.pipeline.config import Config

OWN_DATA = "default"
"""The configuration for one's own data."""
PATH = click.Path(path_type=pathlib.Path)
CONFIG = click.option(
    "-c",
    "--config",
    help="YAML file, or the name of one in configs/APP.  [default: sample; default with --data]",
)
DATA = click.option(
    "--data",
    metavar="SOURCE",
    help="Your own data: a file, a folder, or tfds:NAME. Short for --set data.source=SOURCE.",
)
FRESH = click.option(
    "--fresh", is_flag=True, help="Begin anew: delete what was trained in the folder before."
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
    with contextlib.nullcontext() if is_debug() else silenced():
        yield


def find_app(name: str) -> App:
    """The application, which imports TensorFlow. Raises UserError."""
    if sys.stderr.isatty() and "tensorflow" not in sys.modules:
        click.echo("Starting TensorFlow ...", err=True)
    with quiet_imports():
        return catalog.find(name)


def configured(
    app: str, config: str | None, data: str | None, overrides: Sequence[str]
) -> "tuple[Config, str]":
    """The configuration that a command asks for, and a name for its run.

    Args:
        app: the application.
        config: the value of --config.
        data: the value of --data.
        overrides: the values of --set.

    Returns:
        The checked configuration, and the name: the configuration's, or that of the data.

    Raises:
        UserError: for a mistake in any of them.
    """
    from rnnsuite.pipeline import config as configuration

    name = config or (OWN_DATA if data else "sample")
    given = (f"data.source={json.dumps(data)}",) if data else ()
    settings = configuration.load(app, name, (*given, *overrides))
    if data and not config:
        return settings, pathlib.PurePath(data.removeprefix("tfds:")).stem or name
    return settings, pathlib.PurePath(name).stem


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
