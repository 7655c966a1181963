"""Which models and versions are served: found in a folder, looked for again and again, swapped
without a gap.
"""

import asyncio
import contextlib
import dataclasses
import logging
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from rnnsuite.core.errors import UserError, nearest
from rnnsuite.server import memory
from rnnsuite.server.servable import Servable, versions_of
from rnnsuite.server.status import RequestError, invalid

log = logging.getLogger(__name__)
LABELS = ("stable", "canary")
RELEASE = 1.0
"""Seconds after which nobody holds a version that has been unloaded."""
WARM = 30.0
"""Seconds after which a version that has been loaded has optimised the graphs it is asked for."""


@dataclasses.dataclass(frozen=True)
class VersionPolicy:
    """What of a model is to be served.

    Without labels of its own, a model's newest version is both stable and canary.

    Args:
        latest: so many of the newest versions; 0 for all.
        specific: these versions, in place of the latest.
        labels: versions by label.
    """

    latest: int = 1
    specific: tuple[int, ...] = ()
    labels: Mapping[str, int] = dataclasses.field(default_factory=dict)

    def wanted(self, versions: Sequence[int]) -> set[int]:
        if self.specific:
            return set(versions) & set(self.specific)
        return set(versions[-self.latest :])


def read_policies(path: pathlib.Path) -> dict[str, VersionPolicy]:
    """The policies in a models config of TF Serving, by model. Raises UserError."""
    try:
        text = path.read_text(encoding="utf-8")
        config = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        raise UserError(
            f"{path} is no models config of TF Serving: {' '.join(str(error).split())[:200]}"
        ) from error
    return {model.name: _policy(model) for model in config.model_config_list.config}


def _policy(config: model_server_config_pb2.ModelConfig) -> VersionPolicy:
    policy = config.model_version_policy
    labels = dict(config.version_labels)
    if policy.HasField("specific"):
        return VersionPolicy(specific=tuple(policy.specific.versions), labels=labels)
    if policy.HasField("all"):
        return VersionPolicy(latest=0, labels=labels)
    return VersionPolicy(latest=policy.latest.num_versions or 1, labels=labels)


@dataclasses.dataclass
class Loaded:
    """A version in service. users: requests under way. about: whatever the server keeps with it."""

    servable: Servable
    about: Any = None
    users: int = 0
    retired: bool = False


class Library:
    """The models in a folder; `refresh` brings it up to date. For one event loop.

    A version that fails to load is reported, retried when its files change, and leaves the old ones
    serving.

    Args:
        folder: of all models.
        names: models to serve; all of them by default.
        policies: which versions, by model.
        threads: of TensorFlow in one run.
        prepare: gives what the server keeps with a version.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        names: Sequence[str] = (),
        policies: Mapping[str, VersionPolicy] | None = None,
        threads: int = 0,
        prepare: Callable[[Servable], Any] = lambda servable: None,
    ):
        self.folder = folder
        self.names = tuple(names)
        self.policies = policies or {}
        self.threads = threads
        self.prepare = prepare
        self.models: dict[str, dict[int, Loaded]] = {}
        self.failed: dict[tuple[str, int], tuple[tuple, str]] = {}
        self.states: dict[tuple[str, int], tuple] = {}
        self.leaving: list[Loaded] = []

    async def start(self) -> None:
        """Loads everything that is there. Raises UserError where that is nothing."""
        models = await asyncio.to_thread(_models, self.folder)
        for name in self.names:
            if name not in models:
                raise UserError(f"{self.folder} has no model {name!r}.{nearest(name, models)}")
        await self.refresh(settled=True)
        if not any(self.models.values()):
            reason = (
                "; ".join(message for _, message in self.failed.values())
                or "it has no <model>/<version> folders"
            )
            raise UserError(f"{self.folder} has no model that can be served: {reason}.")

    async def refresh(self, settled: bool = False) -> None:
        """Loads what is new, unloads what is not wanted. settled: no files are being written."""
        for name, versions in (await asyncio.to_thread(_models, self.folder)).items():
            if self.names and name not in self.names:
                continue
            wanted = self.policies.get(name, VersionPolicy()).wanted(versions)
            loaded = self.models.setdefault(name, {})
            for version in sorted(wanted - loaded.keys()):
                await self._load(name, version, settled)
            if wanted and wanted <= loaded.keys():
                for version in loaded.keys() - wanted:
                    self._retire(loaded.pop(version))
            for key in [key for key in self.failed if key[0] == name and key[1] not in wanted]:
                del self.failed[key]

    async def _load(self, name: str, version: int, settled: bool) -> None:
        folder = self.folder / name / str(version)
        key = (name, version)
        state = await asyncio.to_thread(_state, folder)
        still = settled or self.states.get(key) == state
        self.states[key] = state
        if not still or (key in self.failed and self.failed[key][0] == state):
            return
        try:
            servable = await asyncio.to_thread(Servable, name, version, folder, self.threads)
        except (OSError, ValueError, KeyError, RequestError) as error:
            message = f"{folder} cannot be loaded: {' '.join(str(error).split())[:300]}"
            log.error(message)
            self.failed[key] = state, message
            return
        self.failed.pop(key, None)
        self.models[name][version] = Loaded(servable, self.prepare(servable))
        _give_back_after(WARM)
        log.info("%s, version %d: ready.", name, version)

    def _retire(self, loaded: Loaded) -> None:
        loaded.retired = True
        self.leaving.append(loaded)
        self._leave(loaded)

    def _leave(self, loaded: Loaded) -> None:
        if loaded.retired and not loaded.users:
            self.leaving.remove(loaded)
            running = asyncio.get_running_loop()
            running.run_in_executor(None, loaded.servable.close)
            _give_back_after(RELEASE)
            log.info("%s, version %d: unloaded.", loaded.servable.name, loaded.servable.version)

    def close(self) -> None:
        for loaded in [
            *(version for versions in self.models.values() for version in versions.values()),
            *self.leaving,
        ]:
            loaded.servable.close()

    @contextlib.contextmanager
    def use(
        self, name: str, version: int | None = None, label: str | None = None
    ) -> Iterator[Loaded]:
        """Keeps a version until the block ends.

        Args:
            name: the model.
            version: a number; the newest without a number or label.
            label: of a version.

        Yields:
            The version.

        Raises:
            RequestError: for no such model or version.
        """
        loaded = self._find(name, version, label)
        loaded.users += 1
        try:
            yield loaded
        finally:
            loaded.users -= 1
            self._leave(loaded)

    def _find(self, name: str, version: int | None, label: str | None) -> Loaded:
        versions = self.models.get(name) or {}
        if label is not None and versions:
            version = self.labels(name).get(label)
            if version is None:
                raise invalid(f"Unrecognized servable version label: {label}")
        wanted = max(versions, default=None) if version is None else version
        if wanted not in versions:
            request = f"Latest({name})" if version is None else f"Specific({name}, {version})"
            raise RequestError("NOT_FOUND", f"Servable not found for request: {request}")
        return versions[wanted]

    def labels(self, name: str) -> dict[str, int]:
        newest = max(self.models[name])
        return dict(self.policies.get(name, VersionPolicy()).labels) or dict.fromkeys(
            LABELS, newest
        )

    def status(
        self, name: str, version: int | None = None, label: str | None = None
    ) -> list[dict[str, Any]]:
        """Every version's state, as TF Serving tells it, the newest first. Raises RequestError."""
        if label is not None:
            version = self._find(name, None, label).servable.version
        states = dict.fromkeys(self.models.get(name, {}), ("AVAILABLE", "OK", ""))
        states |= {
            version.servable.version: ("UNLOADING", "OK", "")
            for version in self.leaving
            if version.servable.name == name
        }
        states |= {
            number: ("END", "UNKNOWN", message)
            for (model, number), (_, message) in self.failed.items()
            if model == name
        }
        chosen = [number for number in sorted(states, reverse=True) if version in (None, number)]
        if not chosen:
            message = (
                f"any versions of model {name}"
                if version is None
                else f"version {version} of model {name}"
            )
            raise RequestError("NOT_FOUND", f"Could not find {message}")
        return [
            {
                "version": str(number),
                "state": state,
                "status": {"error_code": code, "error_message": message},
            }
            for number in chosen
            for state, code, message in [states[number]]
        ]


def _give_back_after(seconds: float) -> None:
    running = asyncio.get_running_loop()
    running.call_later(seconds, running.run_in_executor, None, memory.give_back)


def _models(folder: pathlib.Path) -> dict[str, list[int]]:
    """The versions on disk of every model."""
    if not folder.is_dir():
        return {}
    folders = [
        folder
        for folder in sorted(folder.iterdir())
        if folder.is_dir() and not folder.name.startswith(".")
    ]
    return {folder.name: versions for folder in folders if (versions := versions_of(folder))}


def _state(folder: pathlib.Path) -> tuple:
    """What changes as long as files are being written."""
    entries = []
    for path in sorted(folder.rglob("*")):
        with contextlib.suppress(OSError):  # gone meanwhile
            stat = path.stat()
            entries.append((str(path), stat.st_size, stat.st_mtime_ns))
    return tuple(entries)
