"""rnnsuite apps"""

import click

from rnnsuite import catalog
from rnnsuite.cli.options import JSON
from rnnsuite.cli.output import print_values


@click.command()
@JSON
def apps(as_json: bool) -> None:
    """List the applications.

    Example: rnnsuite apps
    """
    print_values(catalog.summaries(), as_json)
