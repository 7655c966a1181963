"""`rnnsuite VERB APP`. Importing this imports no TensorFlow: help comes at once."""

import importlib
import logging
import os
import pathlib
import sys
from typing import Any

import click

from rnnsuite import __version__, catalog
from rnnsuite.core.errors import UserError

COMMANDS = ("train", "tune", "evaluate", "export", "predict", "serve", "deploy", "apps", "config")
"""In the order of work; each is the function of its name in the module of its name."""


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
        except UserError as error:
            if context.params.get("debug"):
                raise
            click.echo(f"rnnsuite: {error}", err=True)
            context.exit(2)
        except KeyboardInterrupt:
            click.echo(
                "rnnsuite: interrupted; the same command goes on from the last checkpoint.",
                err=True,
            )
            context.exit(130)


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
    """Recurrent applications on Keras and TensorFlow: train, tune, evaluate, export, predict."""
    context.obj = sys.stdout
    if not debug:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
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
