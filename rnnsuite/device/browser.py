"""LiteRT.js, by which browsers and node run .tflite files, as it travels with this package."""

import gzip
import pathlib
from collections.abc import Iterator

VERSION = "2.5.3"
"""Of the npm packages @litertjs/core and @litertjs/wasm-utils."""
PACKED = pathlib.Path(__file__).parent / "litert"
BARE = b'"@litertjs/wasm-utils"'
BESIDE = b'"../../wasm-utils/dist/index.js"'
"""What LiteRT.js imports by the name of a package, which browsers do not know, and where it is."""


def runtime_files() -> Iterator[tuple[str, bytes]]:
    """The files of LiteRT.js by their paths, ready for a browser."""
    for path in sorted(PACKED.rglob("*")):
        name = path.relative_to(PACKED).as_posix()
        if path.suffix == ".gz":
            yield name.removesuffix(".gz"), gzip.decompress(path.read_bytes())
        elif path.is_file():
            yield name, path.read_bytes().replace(BARE, BESIDE)


def write_runtime(folder: pathlib.Path) -> None:
    """Writes LiteRT.js into a folder."""
    for name, content in runtime_files():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
