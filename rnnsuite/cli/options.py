"""Options and arguments that several commands have."""

import contextlib
import functools
import pathlib
import sys
from collections.abc import Callable, Iterator

import click

from rnnsuite import catalog
from rnnsuite.app import App
from rnnsuite.core.silence import silenced

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
MODEL = click.option(
    "--model",
    type=PATH,
    help="Run, SavedModel folder or .tflite.  [default: APP's newest release]",
)
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


def with_app_name(function: Callable) -> Callable:
    """Gives a command its APP argument, and standard output to its answer alone."""

    @click.argument("app", metavar="APP")
    @functools.wraps(function)
    def command(app: str, **options):
        catalog.place(app)
        return standard_output_kept(function)(app, **options)

    return command


def standard_output_kept(function: Callable) -> Callable:
    """Keeps a command's standard output to its answer: libraries print their progress elsewhere."""

    @functools.wraps(function)
    def command(*arguments, **options):
        with contextlib.redirect_stdout(sys.stderr):
            return function(*arguments, **options)

    return command
