"""The model card: what a model is, how it was made, and how well it answers."""

import importlib.metadata
import json
import pathlib
import platform
import shlex
import sys
from collections.abc import Mapping
from typing import Any

from rnnsuite import __version__
from rnnsuite.core.files import write_json, write_text
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.run import Run

PACKAGES = ("tensorflow", "tensorflow-text", "keras", "ai-edge-litert", "numpy")


def describe(run: Run, report: Mapping[str, Any], version: int) -> dict[str, Any]:
    """The card of a run's export as plain values. report: the parity report."""
    config = run.config()
    plain = configuration.plain(config)
    plain["data"]["source"] = source = from_here(config.data.source)
    return {
        "name": run.app.name,
        "version": version,
        "data": source,
        "licence": config.data.licence,
        "seed": config.seed,
        "fields": {name: field.describe() for name, field in run.app.serving.fields.items()},
        "metrics": run.metrics() or _unfinished(run),
        "parity": report,
        "config": plain,
        "made_with": {
            "rnnsuite": __version__,
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in PACKAGES},
        },
        "command": shlex.join(["rnnsuite", *sys.argv[1:]]),
    }


def from_here(source: str) -> str:
    """A path below the working directory without it: a card that travels tells nobody's folders."""
    here = pathlib.Path.cwd()
    path = pathlib.Path(source)
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else source


def _unfinished(run: Run) -> dict[str, Any]:
    return {"note": f"training had not ended; {len(run.history())} epochs done"}


def write(card: Mapping[str, Any], folder: pathlib.Path) -> None:
    """Writes model_card.json and model_card.md."""
    write_json(folder / "model_card.json", card)
    forms = "".join(_form_line(name, form) for name, form in card["parity"]["forms"].items())
    metrics = "".join(f"| {name} | {value} |\n" for name, value in card["metrics"].items())
    fields = "".join(
        f"| {name} | {field['type']} | {field['meaning']} |\n"
        for name, field in card["fields"].items()
    )
    licence = f" ({card['licence']})" if card["licence"] else ""
    text = (
        f"# {card['name']}, version {card['version']}\n\n"
        f"Trained on `{card['data']}`{licence}, seed {card['seed']}.\n\n"
        f"| metric | value |\n|---|---|\n{metrics}\n"
        f"## A request\n\n| field | type | meaning |\n|---|---|---|\n{fields}\n"
        f"## Parity on {card['parity']['records']} records of the {card['parity']['split']} "
        f"split\n\n"
        f"| form | largest difference | score | bytes |\n|---|---|---|---|\n{forms}\n"
        f"{_search(card.get('search') or {}, card['version'])}"
        f"## Made with\n\n`{card['command']}`\n\n"
        f"```json\n{json.dumps(card['made_with'], indent=2)}\n```\n\n"
        f"## Configuration\n\n```json\n{json.dumps(card['config'], indent=2)}\n```\n"
    )
    write_text(folder / "model_card.md", text)


def _search(search: Mapping[str, Any], version: int) -> str:
    """How the settings were found."""
    if not search:
        return ""
    rows = "".join(f"| {name} | {value} |\n" for name, value in search.items())
    return (
        f"## The search for its settings\n\n| | |\n|---|---|\n{rows}\n"
        f"Its record is in `search/{version}`.\n\n"
    )


def _form_line(name: str, form: Mapping[str, Any]) -> str:
    others = ("largest_difference", "unequal", "bytes")
    score = ", ".join(f"{key} {value:.4f}" for key, value in form.items() if key not in others)
    return (
        f"| {name} | {form.get('largest_difference', 0):.1e} | {score} | "
        f"{form.get('bytes', '')} |\n"
    )
