"""The space that a search may draw settings from, checked before anything is tried."""

from collections.abc import Sequence

from rnnsuite.app import App
from rnnsuite.core.errors import UserError
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.config import Config


def check_space(app: App | str, config: Config) -> None:
    """Checks that every value of the search space is one that the configuration may have.

    Args:
        app: the application, or its name.
        config: whose `tune.space` it is.

    Raises:
        UserError: for an empty space, or a key or value that cannot be.
    """
    if config.train.strategy == "multi_worker":
        raise UserError(
            "tune: a trial is one process; train.strategy=multi_worker goes with train, --worker "
            "with tune."
        )
    if not config.tune.space:
        raise UserError(
            "tune.space is empty: name at least one key to search, such as model.units: {range: "
            "[32, 128]}."
        )
    for key, dimension in config.tune.space.items():
        if key.split(".")[0] not in ("data", "model", "train"):
            raise UserError(
                f"tune.space: {key} cannot be searched; it must be a key of data, model or train."
            )
        for value in dimension.ends():
            configuration.replace(app, config, {key: value})


def check_overrides(config: Config, overrides: Sequence[str]) -> None:
    """Raises UserError for a `key=value` whose key is searched, and so would be ignored."""
    for override in overrides:
        key = override.partition("=")[0]
        if key in config.tune.space:
            raise UserError(
                f"--set {key}: tune.space searches this key, so the value would be ignored. Leave "
                f"it out, or give tune.space without the key."
            )
