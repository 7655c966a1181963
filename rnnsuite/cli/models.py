"""rnnsuite models"""

import click

from rnnsuite.cli.options import JSON
from rnnsuite.cli.output import aligned, print_line, print_values


@click.command()
@JSON
def models(as_json: bool) -> None:
    """List the released models, with sizes, scores and the licences of their data.

    They are looked for in $RNNSUITE_MODELS, in ./saved_models, and in that of the clone that
    rnnsuite was installed from.

    Example: rnnsuite models
    """
    from rnnsuite.pipeline import releases

    found = releases.summaries()
    if as_json:
        print_values({"models": found}, as_json)
        return
    if not found:
        print_line(f"No released models. {releases.PLACE} says where else to look.")
        return
    for line in aligned(found):
        print_line(line)
