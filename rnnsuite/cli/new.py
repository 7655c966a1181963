"""rnnsuite new"""

import os
import pathlib

import click

from rnnsuite import new as templates
from rnnsuite.cli.options import JSON, PATH
from rnnsuite.cli.output import print_line, print_values


@click.command()
@click.argument("name", metavar="NAME")
@click.option(
    "--kind",
    type=click.Choice(templates.kinds()),
    default="classification",
    show_default=True,
    help="What it answers with.",
)
@click.option(
    "--to",
    type=PATH,
    default=pathlib.Path("."),
    help="Folder of applications, such as apps in a source tree.  [default: this folder]",
)
@JSON
def new(name: str, kind: str, to: pathlib.Path, as_json: bool) -> None:
    """Write a new application, which trains at once; then make it yours.

    Example: rnnsuite new gestures --kind classification --to mine
    """
    files = templates.write(name, kind, to)
    if as_json:
        print_values({"files": [str(path) for path in files]}, as_json)
        return
    for path in files:
        print_line(os.path.relpath(path))
    where = "" if templates.is_own(to) else f" --apps {to}"
    print_line(f"It is trained by:  rnnsuite{where} train {name}")
