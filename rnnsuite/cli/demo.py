"""rnnsuite demo"""

import contextlib
import pathlib
import signal
import webbrowser

import click

from rnnsuite.cli.options import MODELS, PATH, quiet_imports
from rnnsuite.cli.output import print_line
from rnnsuite.core.files import temporary_folder


@click.command()
@click.argument("names", nargs=-1, metavar="[APP]...")
@MODELS
@click.option("--to", type=PATH, help="Write the pages to a folder for any web server, and end.")
@click.option(
    "--port",
    default=8600,
    type=click.IntRange(0, 65535),
    show_default=True,
    help="Of the pages on this machine; 0 takes a free one.",
)
@click.option("--browser/--no-browser", default=True, help="Whether to open a browser.")
def demo(
    names: tuple[str, ...],
    models: pathlib.Path,
    to: pathlib.Path | None,
    port: int,
    browser: bool,
) -> None:
    """Show exported models on web pages, where they compute in the browser.

    Example: rnnsuite demo sentiment captioning
    """
    with quiet_imports():
        from rnnsuite import demo as pages
    chosen = pages.pages(models, names)
    if to is not None:
        pages.write(chosen, to)
        print_line(f"{to}: {len(chosen)} of them, for any web server.")
        return
    with temporary_folder() as place:
        folder = place / "demo"
        pages.write(chosen, folder)
        with pages.server(folder, port) as server:
            address = f"http://127.0.0.1:{server.server_address[1]}/"
            print_line(f"{address}  (ends with Ctrl-C)")
            if browser:
                webbrowser.open(address)
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.default_int_handler)
            with contextlib.suppress(KeyboardInterrupt):
                server.serve_forever()
