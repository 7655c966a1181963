"""rnnsuite runs"""

import pathlib

import click

from rnnsuite.cli.options import JSON, PATH
from rnnsuite.cli.output import print_line, print_values, readable
from rnnsuite.core.errors import UserError


@click.command()
@click.argument("folder", type=PATH, default=pathlib.Path("runs"))
@JSON
def runs(folder: pathlib.Path, as_json: bool) -> None:
    """List the runs in FOLDER: how far each is, its score, and the settings that differ.

    FOLDER is runs by default.

    Example: rnnsuite runs
    """
    from rnnsuite.pipeline import overview

    if not folder.is_dir():
        raise UserError(f"There is no folder {folder}.")
    found = overview.runs(folder)
    if as_json:
        print_values({"runs": found}, as_json)
        return
    if not found:
        print_line(f"No runs in {folder}.")
    for row in found:
        told = [row["state"], row["epochs"] and f"epochs {row['epochs']}", readable(row["scores"])]
        print_line(f"{row['run']}  ({row['app']})")
        print_line(f"  {', '.join(part for part in told if part)}")
        if row["settings"]:
            print_line("  " + "  ".join(f"{key}={value}" for key, value in row["settings"].items()))
