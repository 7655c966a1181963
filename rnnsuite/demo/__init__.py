"""Web pages on which released models compute in the browser.

An application's page is `page.mjs` in its folder: a module of JavaScript whose `start(root, model,
lite)` puts the page into an element and gives a function that asks the model. Beside it lie, as
they are written, `web/` (what pages share), `device/` (tokenizers, decode loops and front ends of
`rnnsuite.device.js`), `litert/` (LiteRT.js) and `models/<app>/`. Nothing is loaded from elsewhere.
"""

import dataclasses
import functools
import gc
import http.server
import logging
import pathlib
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

import jinja2

from rnnsuite import catalog, device
from rnnsuite.core.errors import UserError
from rnnsuite.core.files import atomic_folder, read_json
from rnnsuite.core.silence import silenced
from rnnsuite.device.browser import write_runtime
from rnnsuite.device.runner import LiteFile

log = logging.getLogger(__name__)
HERE = pathlib.Path(__file__).parent
DEVICE = pathlib.Path(device.__file__).parent
PAGE = "page.mjs"
CARD = "model_card.json"
FILES = ("portable_dynamic.tflite", "dynamic.tflite", "portable_float32.tflite", "float32.tflite")
"""Of a model, the first that there is and that every runtime takes."""
UNUSED = (".py", ".md", ".tflite")
BESIDE = ("fitted.json",)
"""Of a device folder's other files, those that no page reads; so are those that end on `UNUSED`."""
TYPES = {
    ".mjs": "text/javascript",
    ".wasm": "application/wasm",
    ".tflite": "application/octet-stream",
}
POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' blob: data:; connect-src 'self'; object-src 'none'; base-uri 'none'"
)
"""By which a browser loads nothing from elsewhere."""


@dataclasses.dataclass(frozen=True)
class Page:
    """A model that has a page.

    Args:
        app: the application.
        folder: of its on-device export.
        file: the .tflite file in it.
        script: the application's page.
        title, summary: what it does.
        card: its model card.
    """

    app: str
    folder: pathlib.Path
    file: str
    script: pathlib.Path
    title: str
    summary: str
    card: Mapping[str, Any]

    @property
    def size(self) -> int:
        """Bytes of the .tflite file."""
        return (self.folder / self.file).stat().st_size

    @property
    def scores(self) -> dict[str, float]:
        """What the proof of the export measured of the file, by metric."""
        form = self.card.get("parity", {}).get("forms", {}).get(self.file, {})
        told = ("largest_difference", "unequal", "bytes", "redrawn")
        return {name: value for name, value in form.items() if name not in told}


def pages(models: pathlib.Path, names: Sequence[str] = ()) -> list[Page]:
    """The exported models that have a page.

    Args:
        models: the folder of all models.
        names: of applications; all by default.

    Returns:
        A page for each; models without are named in the log, or refused where they were asked for.

    Raises:
        UserError: where one that was asked for has none, or there is no model at all.
    """
    if not models.is_dir():
        raise UserError(f"There is no folder {models}: rnnsuite export makes it.")
    chosen = names or sorted(path.parent.name for path in models.glob("*/lite"))
    found = []
    for name in chosen:
        try:
            found.append(_page(models, name))
        except UserError as error:
            if names:
                raise
            log.warning("%s", error)
    if not found:
        raise UserError(f"{models} has no model that runs in a browser.")
    return found


def _page(models: pathlib.Path, name: str) -> Page:
    script = catalog.place(name).folder / PAGE
    if not script.is_file():
        raise UserError(f"{name} has no {PAGE}.")
    versions = [path for path in (models / name / "lite").glob("*") if path.name.isdecimal()]
    if not versions:
        raise UserError(f"{models / name} has no .tflite files: rnnsuite export {name} makes them.")
    folder = max(versions, key=lambda path: int(path.name))
    file = next((file for file in FILES if is_portable(folder / file)), None)
    if file is None:
        raise UserError(
            f"{folder} has no file that browsers run: rnnsuite export {name} --lite portable."
        )
    title, _, summary = catalog.summaries()[name].partition(": ")
    card = read_json(folder / CARD)
    return Page(name, folder, file, script, title, summary[:1].upper() + summary[1:], card)


def is_portable(path: pathlib.Path) -> bool:
    """Whether LiteRT's CompiledModel takes a file, which is what LiteRT.js does, too."""
    if not path.is_file():
        return False
    with silenced():  # the runtime tells how it starts and ends
        try:
            LiteFile(str(path), runtime="compiled")
        except (RuntimeError, ValueError):
            return False
        finally:
            gc.collect(1)  # what is young: the runtime itself
    return True


def write(chosen: Sequence[Page], to: pathlib.Path) -> None:
    """Writes pages and models for any web server.

    Args:
        chosen: what is shown.
        to: the folder, which must not exist, or be empty.

    Raises:
        UserError: where it cannot be written.
    """
    if to.is_dir() and not any(to.iterdir()):
        to.rmdir()
    if to.exists():
        raise UserError(f"{to} exists. Choose another folder.")
    with atomic_folder(to) as part:
        shutil.copytree(HERE / "web", part / "web")
        shutil.copytree(DEVICE / "js", part / "device")
        write_runtime(part / "litert")
        (part / "pages").mkdir()
        for page in chosen:
            shutil.copyfile(page.script, part / "pages" / f"{page.app}.mjs")
            _copy_model(page, part / "models" / page.app)
            filled = _template("page.html").render(
                **{field.name: getattr(page, field.name) for field in dataclasses.fields(page)},
                size=page.size,
                scores=page.scores,
                policy=POLICY,
            )
            (part / f"{page.app}.html").write_text(filled, encoding="utf-8")
        index = _template("index.html").render(pages=chosen, policy=POLICY)
        (part / "index.html").write_text(index, encoding="utf-8")


def _copy_model(page: Page, to: pathlib.Path) -> None:
    to.mkdir(parents=True)
    for path in page.folder.iterdir():
        if path.is_file() and path.suffix not in UNUSED and path.name not in BESIDE:
            shutil.copyfile(path, to / path.name)
    shutil.copyfile(page.folder / page.file, to / page.file)


def _template(name: str) -> jinja2.Template:
    loader = jinja2.FileSystemLoader(HERE / "templates")
    undefined = jinja2.ChainableUndefined
    return jinja2.Environment(loader=loader, autoescape=True, undefined=undefined).get_template(
        name
    )


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Files that browsers keep, and ask at each visit whether they have changed."""

    protocol_version = "HTTP/1.1"
    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, **TYPES}

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *values: Any) -> None:
        log.debug(format, *values)


def server(folder: pathlib.Path, port: int = 0) -> http.server.ThreadingHTTPServer:
    """A file server of a folder on loopback; port 0 takes a free one. Raises UserError."""
    handler = functools.partial(_Handler, directory=str(folder))
    try:
        return http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        raise UserError(f"Port {port} cannot be had: {error.strerror}.") from error
