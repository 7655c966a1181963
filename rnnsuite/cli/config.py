"""rnnsuite config"""

import click

from rnnsuite.cli.options import JSON, with_app_name
from rnnsuite.cli.output import print_line, print_values


@click.command()
@with_app_name
@JSON
def config(app: str, as_json: bool) -> None:
    """Print every configuration key of APP: its default, its bounds, its meaning.

    Example: rnnsuite config sentiment
    """
    from rnnsuite.pipeline.config import Schema
    from rnnsuite.pipeline.describe import describe

    keys = describe(Schema.of(app))
    if as_json:
        print_values({key.name: key.values() for key in keys}, as_json)
        return
    for key in keys:
        bounds = f"  ({key.bounds})" if key.bounds else ""
        print_line(f"{key.name} = {key.default}{bounds}")
        print_line(f"    {key.meaning}")
