"""Where applications are found: in this package or its source tree, in folders, by entry points.

An application is found by the name of its folder, in this order: the folders of `--apps` (and of
the environment variable RNNSUITE_APPS), entry points of the group `rnnsuite.apps`, and those of
rnnsuite itself. Their configurations lie in `<folder>/configs/`, or for rnnsuite's own in
`configs/<name>/`.
"""

import ast
import dataclasses
import functools
import importlib
import importlib.metadata
import importlib.util
import os
import pathlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rnnsuite.core.errors import UserError, nearest

if TYPE_CHECKING:
    from rnnsuite.app import App

GROUP = "rnnsuite.apps"
FOLDERS = "RNNSUITE_APPS"
"""Environment variable with folders of applications; processes that we start inherit it."""
PACKAGE = pathlib.Path(__file__).parent


@dataclasses.dataclass(frozen=True)
class Place:
    """Where one application lies.

    Args:
        package: the name it is imported by.
        folder: its files.
        configs: its YAML files.
    """

    package: str
    folder: pathlib.Path
    configs: pathlib.Path


def add_folders(folders: Iterator[pathlib.Path] | list[pathlib.Path]) -> None:
    """Also looks for applications in these folders, in this process and those that it starts.

    Raises:
        UserError: for a folder that does not exist.
    """
    for folder in folders:
        if not folder.is_dir():
            raise UserError(f"--apps {folder}: there is no such folder.")
        folders_before = _outside_folders()
        if folder.resolve() not in folders_before:
            os.environ[FOLDERS] = os.pathsep.join(map(str, [*folders_before, folder.resolve()]))
    places.cache_clear()


def _outside_folders() -> list[pathlib.Path]:
    return [pathlib.Path(part) for part in os.environ.get(FOLDERS, "").split(os.pathsep) if part]


@functools.cache
def places() -> Mapping[str, Place]:
    """Every application that can be found, by name."""
    by_name = dict(_own())
    for point in importlib.metadata.entry_points(group=GROUP):
        by_name[point.name] = _of_entry_point(point)
    for number, root in enumerate(_outside_folders()):
        package = f"rnnsuite_outside_{number}"
        for folder in _app_folders(root):
            by_name[folder.name] = Place(f"{package}.{folder.name}", folder, folder / "configs")
    return dict(sorted(by_name.items()))


def _own() -> Iterator[tuple[str, Place]]:
    """rnnsuite's own: beside the package in a source tree, within it in an installation."""
    base = PACKAGE if (PACKAGE / "apps").is_dir() else PACKAGE.parent
    package = "apps" if base is not PACKAGE and _is_ours("apps", base / "apps") else "rnnsuite.apps"
    for folder in _app_folders(base / "apps"):
        yield folder.name, Place(f"{package}.{folder.name}", folder, base / "configs" / folder.name)


def _is_ours(package: str, folder: pathlib.Path) -> bool:
    """False where another project's package of that name would be imported, or has been."""
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return False
    return spec is not None and str(folder) in map(str, spec.submodule_search_locations or ())


def _app_folders(root: pathlib.Path) -> list[pathlib.Path]:
    if not root.is_dir():
        return []
    return [entry for entry in sorted(root.iterdir()) if (entry / "__init__.py").is_file()]


def _of_entry_point(point: importlib.metadata.EntryPoint) -> Place:
    spec = importlib.util.find_spec(point.module)
    if spec is None or not spec.submodule_search_locations:
        raise UserError(
            f"The entry point {point.name!r} names {point.module}, which is no package."
        )
    folder = pathlib.Path(next(iter(spec.submodule_search_locations)))
    return Place(point.module, folder, folder / "configs")


def summaries() -> dict[str, str]:
    """The first line of every application's docstring, by name, without importing any."""
    return {name: _summary(place.folder / "__init__.py") for name, place in places().items()}


def _summary(file: pathlib.Path) -> str:
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return docstring.split("\n")[0]


def place(name: str) -> Place:
    """Where the application `name` lies. Raises UserError that suggests the nearest one."""
    by_name = places()
    if name not in by_name:
        raise UserError(f"There is no application {name!r}.{nearest(name, by_name)}")
    return by_name[name]


def find(name: str) -> "App":
    """The application `name`. Raises UserError that suggests the nearest one."""
    from rnnsuite.app import App  # which takes numpy, and help should come at once

    module = _import(place(name).package, place(name).folder)
    app = getattr(module, "APP", None)
    if not isinstance(app, App):
        raise UserError(
            f"{place(name).folder}/__init__.py does not define APP, an rnnsuite.app.App."
        )
    return app


def sections(name: str) -> Mapping[str, type]:
    """The application's own configuration sections by name.

    They are read from its `config.py` (SECTIONS), where it has one, without importing the rest of
    it, and so without TensorFlow.

    Args:
        name: the application.

    Returns:
        Dataclasses by section name.

    Raises:
        UserError: for an unknown application.
    """
    where = place(name)
    module = _config_module(where)
    return module.SECTIONS if module else find(name).sections


def monitored(name: str) -> Sequence[str] | None:
    """The names of what training validates (MONITORED in `config.py`), or None if not known."""
    return getattr(_config_module(place(name)), "MONITORED", None)


def _config_module(where: Place):
    """The application's `config.py`, imported without the rest; None where it has none."""
    file = where.folder / "config.py"
    if not file.is_file():
        return None
    return sys.modules.get(f"{where.package}.config") or _load(f"{where.package}.config", file)


def _import(package: str, folder: pathlib.Path):
    if package in sys.modules:
        return sys.modules[package]
    parent = package.rpartition(".")[0]
    if parent == "rnnsuite.apps" and not (PACKAGE / "apps").is_dir():
        _import(parent, folder.parent)
    elif parent.startswith("rnnsuite_outside_") and parent not in sys.modules:
        sys.modules[parent] = _namespace(parent, folder.parent)
    elif not parent.startswith("rnnsuite_outside_"):
        return importlib.import_module(package)
    return _load(package, folder / "__init__.py", [str(folder)])


def _namespace(name: str, folder: pathlib.Path):
    spec = importlib.machinery.ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = [str(folder)]
    return importlib.util.module_from_spec(spec)


def _load(name: str, file: pathlib.Path, locations: list[str] | None = None):
    """Imports a file as the module `name`. Its relative imports work where it is a package."""
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=locations)
    if spec is None or spec.loader is None:
        raise UserError(f"{file} cannot be imported.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
