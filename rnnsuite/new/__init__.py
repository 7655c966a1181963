"""A new application from a template: it trains, is exported, served and shown as it is written."""

import keyword
import pathlib
import re
import shutil

from rnnsuite import catalog
from rnnsuite.core.errors import UserError
from rnnsuite.core.files import atomic_folder, write_text

TEMPLATES = pathlib.Path(__file__).parent / "templates"
NAME = "__NAME__"
"""What stands in the templates where the application's name is put."""
PROJECT = "pyproject.toml"


def kinds() -> list[str]:
    """The kinds of applications that there are templates of."""
    return sorted(path.name for path in TEMPLATES.iterdir() if path.is_dir())


def write(name: str, kind: str, folder: pathlib.Path) -> list[pathlib.Path]:
    """Writes the application.

    Args:
        name: of the application: a Python name in small letters.
        kind: one of `kinds()`.
        folder: of applications; the new one is a folder in it. rnnsuite's own `apps/` has
            configurations in `configs/NAME` and tests of its own; another folder becomes a project
            with an entry point, unless it is one.

    Returns:
        The files.

    Raises:
        UserError: for a name that is none or is taken, and where nothing can be written.
    """
    if not re.fullmatch("[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise UserError(f"An application's name is a Python name in small letters, not {name!r}.")
    if name in catalog.places():
        raise UserError(f"There is an application {name!r} already: {catalog.place(name).folder}.")
    place = folder / name
    if place.exists():
        raise UserError(f"{place} is there already.")
    configs = folder.resolve().parent / "configs" / name if is_own(folder) else place / "configs"
    if configs.exists():
        raise UserError(f"{configs} is there already.")
    with atomic_folder(place) as part:
        for path in sorted((TEMPLATES / kind).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                inside = str(path.relative_to(TEMPLATES / kind)).replace(NAME, name)
                (part / inside).parent.mkdir(exist_ok=True)
                text = path.read_text(encoding="utf-8").replace(NAME, name)
                (part / inside).write_text(text, encoding="utf-8")
    if is_own(folder):
        shutil.move(place / "configs", configs)
        (place / f"test_{name}.py").unlink()
    elif not (folder / PROJECT).exists():
        write_text(folder / PROJECT, _project(name))
    written = [path for root in {place, configs} for path in root.rglob("*") if path.is_file()]
    return sorted(set(written))


def is_own(folder: pathlib.Path) -> bool:
    """Whether a folder is the one of rnnsuite's own applications, in a source tree."""
    return folder.resolve() == catalog.PACKAGE.parent / "apps"


def _project(name: str) -> str:
    return f"""[project]
name = "{name.replace("_", "-")}"
version = "0.1.0"
dependencies = ["rnnsuite"]

# Where this project is installed (pip install --editable .), rnnsuite finds the application.
[project.entry-points."rnnsuite.apps"]
{name} = "{name}"

[build-system]
requires = ["setuptools>=68"]
build-backend = "setuptools.build_meta"

[tool.setuptools]
packages = ["{name}"]
package-data = {{ {name} = ["configs/*.yaml", "*.mjs"] }}
"""
