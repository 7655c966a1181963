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
from rnnsuite.core.errors import UserError
from rnnsuite.core.files import read_json, write_json, write_text
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.releases import CARD
from rnnsuite.pipeline.run import Run

PACKAGES = ("tensorflow", "tensorflow-text", "keras", "ai-edge-litert", "numpy")
KEPT = ("split", "records", "note", "primary", "metrics", "interval", "floor")
"""What a card keeps of a score, besides where the records are and the command."""
BLANK = "\n\n"


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
        "not_for": config.export.not_for,
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
        "command": _command(),
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
    write_json(folder / CARD, card)
    forms = "".join(_form_line(name, form) for name, form in card["parity"]["forms"].items())
    metrics = "".join(f"| {name} | {value} |\n" for name, value in card["metrics"].items())
    fields = "".join(
        f"| {name} | {field['type']} | {field['meaning']} |\n"
        for name, field in card.get("fields", {}).items()
    )
    licence = f" ({card['licence']})" if card.get("licence") else ""
    not_for = card.get("not_for")
    text = (
        f"# {card['name']}, version {card['version']}\n\n"
        f"Trained on `{card['data']}`{licence}, seed {card['seed']}.\n\n"
        f"{f'**Not for:** {not_for}' + BLANK if not_for else ''}"
        f"{''.join(map(_scores, card.get('scores') or ()))}"
        f"## Training\n\n| metric | value |\n|---|---|\n{metrics}\n"
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


def _scores(score: Mapping[str, Any]) -> str:
    """What `add_score` kept: every metric with its interval, beside the floor."""
    intervals = score.get("interval") or {}
    floor = score.get("floor") or {}
    rows = "".join(
        f"| {name} | {_rounded(value)} | {_rounded(intervals.get(name, ''))} | "
        f"{_rounded(floor.get(name, ''))} |\n"
        for name, value in score["metrics"].items()
    )
    beside = "".join(
        f"| floor, {name} | | | {_rounded(value)} |\n"
        for name, value in floor.items()
        if name not in score["metrics"]
    )
    return (
        f"## Score on {score['records']} records of {score['source']}, {score['split']}\n\n"
        f"| metric | value | 95 % interval | floor |\n|---|---|---|---|\n{rows}{beside}\n"
        f"`{score['command']}`\n\n"
    )


def _rounded(value: Any) -> str:
    """A number in five digits, an interval as its two ends."""
    if isinstance(value, list | tuple):
        return " to ".join(map(_rounded, value))
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def places(model: pathlib.Path) -> list[pathlib.Path]:
    """The folders with the card of a SavedModel: its own, and that of its .tflite files.

    Raises:
        UserError: where it has no card.
    """
    own = model / "assets.extra"
    if not (own / CARD).is_file():
        raise UserError(f"--card: {model} is no exported SavedModel with a {CARD}.")
    lite = model.parent / "lite" / model.name
    return [place for place in (own, lite) if (place / CARD).is_file()]


def add_score(model: pathlib.Path, score: Mapping[str, Any]) -> None:
    """Keeps a score in the cards of a SavedModel; one of the same records is replaced.

    Args:
        model: a folder that `release` wrote.
        score: what `rnnsuite.pipeline.inference.evaluate.summary` gives.

    Raises:
        UserError: where the model has no card.
    """
    entry = {name: score[name] for name in KEPT if name in score}
    entry |= {"source": from_here(score["source"]), "command": _command()}
    for folder in places(model):
        card = read_json(folder / CARD)
        scores = [old for old in card.get("scores") or () if _records(old) != _records(entry)]
        write({**card, "scores": [*scores, entry]}, folder)


def _records(score: Mapping[str, Any]) -> tuple[Any, ...]:
    return score["source"], score["split"]


def _command() -> str:
    return shlex.join(["rnnsuite", *sys.argv[1:]])


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
