"""What a command or a function asks for: a configuration, data, and changes to both."""

import json
import pathlib
from collections.abc import Sequence

from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.config import Config

OWN_DATA = "default"
"""The configuration for data of one's own."""


def asked(
    app: str, config: str | None, data: str | None, overrides: Sequence[str]
) -> tuple[Config, str]:
    """A configuration, and a name for its run.

    Args:
        app: the application.
        config: a configuration's name or file; None for that of own data, where there are some, and
            else of the sample.
        data: where the records are, in place of what the configuration says.
        overrides: `key=value`.

    Returns:
        The checked configuration, and the name: the configuration's, or that of the data.

    Raises:
        UserError: for a mistake in any of them.
    """
    name = config or (OWN_DATA if data else "sample")
    given = (f"data.source={json.dumps(data)}",) if data else ()
    settings = configuration.load(app, name, (*given, *overrides))
    if data and not config:
        return settings, pathlib.PurePath(data.removeprefix("tfds:")).stem or name
    return settings, pathlib.PurePath(name).stem
