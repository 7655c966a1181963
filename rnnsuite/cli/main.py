"""`rnnsuite VERB APP`. Importing this imports no TensorFlow: help comes at once."""

import importlib
import logging
import os
import pathlib
import signal
import sys
import traceback
from typing import Any

import click

from rnnsuite import __version__, catalog
from rnnsuite.cli.noise import filtered
from rnnsuite.core.backend import choose_backend
from rnnsuite.core.cache import keep_compiled
from rnnsuite.core.errors import Interrupted, UserError, nearest
from rnnsuite.data.notes import collected

COMMANDS = (
    "check",
    "train",
    "tune",
    "evaluate",
    "export",
    "predict",
    "serve",
    "deploy",
    "demo",
    "apps",
    "new",
    "models",
    "runs",
    "compare",
    "config",
)
"""In the order of work; each is the function of its name in the module of its name."""
MISTAKE = 2
"""Exit status of a mistake that the user can mend."""


class _Commands(click.Group):
    """Imports a command when it is called, and shows users' errors in a line or two."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        return getattr(importlib.import_module(f"rnnsuite.cli.{name}"), name)

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except (UserError, KeyboardInterrupt, click.UsageError) as error:
            if isinstance(error, click.exceptions.NoArgsIsHelpError):
                raise
            if context.params.get("debug"):
                traceback.print_exc()
            status, message = _told(error)
            click.echo(f"rnnsuite: {message}", err=True)
            context.exit(status)


def _told(error: BaseException) -> tuple[int, str]:
    """Exit status and message of an error."""
    if isinstance(error, Interrupted):
        return 128 + error.number, str(error)
    if isinstance(error, KeyboardInterrupt):
        return 128 + signal.SIGINT, "interrupted."
    if not isinstance(error, click.UsageError):
        return MISTAKE, str(error)
    verb = error.ctx.info_name if error.ctx and error.ctx.parent else ""
    message = error.format_message()
    if isinstance(error, click.NoSuchOption) and verb == "predict":
        message += " A text that begins with a hyphen goes behind -- in the command."
    elif not verb:
        message += nearest(message.split("'")[1], COMMANDS) if "'" in message else ""
    else:
        message += f" See rnnsuite {verb} --help."
    return MISTAKE, message


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show tracebacks and TensorFlow's own messages.")
@click.option(
    "--apps",
    "folders",
    multiple=True,
    type=click.Path(path_type=pathlib.Path),
    help="A folder with applications of your own, a folder each.",
)
@click.version_option(__version__)
@click.pass_context
def main(context: click.Context, debug: bool, folders: tuple[pathlib.Path, ...]) -> None:
    """Recurrent applications on Keras and TensorFlow: train, tune, evaluate, export, predict.

    Exit status: 0 if all went well; 2 for a mistake, told in a line or two; 3 if some of several
    requests have no answer; 130 or 143 if interrupted; 1 for a fault of rnnsuite's own.
    """
    context.obj = sys.stdout
    context.with_resource(collected())
    choose_backend()
    keep_compiled()
    if not debug:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        context.with_resource(filtered())
    logging.basicConfig(stream=sys.stderr, format="%(message)s", level=logging.WARNING)
    for name in ("rnnsuite", "apps"):
        logging.getLogger(name).setLevel(logging.INFO)
    catalog.add_folders(list(folders))


def main_of_app(name: str) -> None:
    """`python -m apps.NAME VERB ...`"""
    words = sys.argv[1:]
    has_verb = bool(words) and not words[0].startswith("-")
    main([words[0], name, *words[1:]] if has_verb else words)


if __name__ == "__main__":
    main()
