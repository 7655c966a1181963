"""The record of a search beside the release of a model whose settings it found."""

import pathlib
import shutil
from typing import Any

from rnnsuite.core.errors import UserError
from rnnsuite.core.files import read_json
from rnnsuite.core.nested import differences
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.run import Run

RECORD = ("best.yaml", "record.json", "record.md", "report.html")
"""Files of a search that go with a release."""


def publish(search: pathlib.Path, run: Run, target: pathlib.Path) -> dict[str, Any]:
    """Copies the record of a search to where the release of a run of its settings goes.

    Args:
        search: the folder of the search.
        run: that was trained with what it found.
        target: an empty folder.

    Returns:
        What a model card says of the search.

    Raises:
        UserError: for no finished search, or one of another application.
    """
    missing = [name for name in RECORD if not (search / name).is_file()]
    if missing:
        raise UserError(f"{search} is no finished search: there is no {missing[0]}.")
    record = read_json(search / "record.json")
    if record["app"] != run.app.name:
        raise UserError(f"{search} is a search of {record['app']}, not of {run.app.name}.")
    for name in RECORD:
        shutil.copyfile(search / name, target / name)
    searched = configuration.plain(configuration.load(run.app, search / "best.yaml"))
    changed = differences(searched, configuration.plain(run.config()))
    changed = {key for key in changed if key.split(".")[0] not in ("tune", "export")}
    columns = ("algorithm", "objective", "stopping", "budget in hours", "hours", "by hand", "found")
    return {
        **{key: record[key] for key in columns},
        "trials": len(record["trials"]),
        "best": record["trials"][0][record["objective"]],
        "other settings in this run": sorted(changed),
    }
