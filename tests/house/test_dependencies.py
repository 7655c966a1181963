"""What is imported has been asked for: an environment of developers has more than that of users."""

import ast
import configparser
import re
import sys

from tests.conftest import ROOT

OURS = {"rnnsuite", "apps"}
ON_DEVICE = {path.stem for path in (ROOT / "rnnsuite" / "device").glob("*.py")} | {
    "sound",
    "tokenizer",
}
"""What scripts for devices import from the folder of their model."""
BROUGHT = {"numpy", "protobuf", "typing-extensions"}
"""What tensorflow itself asks for."""
NAMED = {"PIL": "pillow", "sklearn": "scikit-learn", "ruamel": "ruamel-yaml", "google": "protobuf"}
NAMED |= {"tensorflow_serving": "tensorflow-serving-api"}
NAMED |= {"grpc": "grpcio"}
"""Distributions that are not called as what they hold."""
EXTRAS = ("captions", "microphone", "video", "serve", "beam", "client")
"""What people may ask for beside; the rest is for whoever works on this tree."""


def asked_for():
    """The distributions of `pip install rnnsuite` with all extras for its users."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    lines = parser["options"]["install_requires"].splitlines()
    for extra in EXTRAS:
        lines += parser["options.extras_require"][extra].splitlines()
    names = (re.match(r"[\w.-]+", line) for line in lines if not line.startswith("#"))
    return {_plain(name[0]) for name in names if name}


def _plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(path):
    """The top names that a file imports, at its beginning or within functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.split(".")[0]


def test_every_import_is_asked_for():
    wanted = asked_for() | BROUGHT
    missing = set()
    for folder in ("rnnsuite", "apps"):
        for path in (ROOT / folder).rglob("*.py"):
            for name in set(imported(path)) - OURS - ON_DEVICE - set(sys.stdlib_module_names):
                if _plain(NAMED.get(name, name)) not in wanted:
                    missing.add(f"{path.relative_to(ROOT)}: {name}")
    assert sorted(missing) == []
