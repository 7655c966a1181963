"""Which models and versions are served: found in a folder, looked for again and again, swapped without a gap."""

import asyncio
import contextlib
import dataclasses
import logging
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from rnnsuite.errors import UserError, nearest
from rnnsuite.serve.servable import Servable, versions_of
from rnnsuite.serve.status import Refused, invalid

log = logging.getLogger(__name__)
LABELS = ("stable", "canary")


@dataclasses.dataclass(frozen=True)
class Plan:
    """What of a model is to be served: the `latest` versions (0 for all), or those in `specific`; labels of versions.

    Without labels of its own, a model's newest version is both stable and canary.
    """

    latest: int = 1
    specific: tuple[int, ...] = ()
    labels: Mapping[str, int] = dataclasses.field(default_factory=dict)

    def wanted(self, found: Sequence[int]) -> set[int]:
        if self.specific:
            return set(found) & set(self.specific)
        return set(found[-self.latest :])


def plans(path: pathlib.Path) -> dict[str, Plan]:
    """The plans in TF Serving's own models config, by name; its paths are not looked at. Raises UserError."""
    try:
        text = path.read_text(encoding="utf-8")
        config = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        raise UserError(f"{path} is no models config of TF Serving: {' '.join(str(error).split())[:200]}") from error
    return {each.name: _plan(each) for each in config.model_config_list.config}


def _plan(config: model_server_config_pb2.ModelConfig) -> Plan:
    policy, labels = config.model_version_policy, dict(config.version_labels)
    if policy.HasField("specific"):
        return Plan(specific=tuple(policy.specific.versions), labels=labels)
    if policy.HasField("all"):
        return Plan(latest=0, labels=labels)
    return Plan(latest=policy.latest.num_versions or 1, labels=labels)


@dataclasses.dataclass
class Loaded:
    """A version in service. users: requests under way. about: whatever the server keeps with it."""

    servable: Servable
    about: Any = None
    users: int = 0
    retired: bool = False


class Library:
    """The models under `folder`, or those called `names`; `refresh` brings it up to date. For one event loop.

    prepare(servable): what the server keeps with a version. A version that cannot be loaded is
    told of, tried again when its files change, and takes nothing away: old versions stay until
    all that are wanted are there.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        names: Sequence[str] = (),
        plans: Mapping[str, Plan] | None = None,
        threads: int = 0,
        prepare: Callable[[Servable], Any] = lambda servable: None,
    ):
        self.folder, self.names, self.plans, self.threads = folder, tuple(names), plans or {}, threads
        self.prepare = prepare
        self.models: dict[str, dict[int, Loaded]] = {}
        self.failed: dict[tuple[str, int], tuple[tuple, str]] = {}
        self.seen: dict[tuple[str, int], tuple] = {}
        self.leaving: list[Loaded] = []

    async def start(self) -> None:
        """Loads everything that is there. Raises UserError where that is nothing."""
        known = await asyncio.to_thread(_models, self.folder)
        for name in self.names:
            if name not in known:
                raise UserError(f"{self.folder} has no model {name!r}.{nearest(name, known)}")
        await self.refresh(settled=True)
        if not any(self.models.values()):
            said = "; ".join(message for _, message in self.failed.values()) or "it has no <model>/<version> folders"
            raise UserError(f"{self.folder} has no model that can be served: {said}.")

    async def refresh(self, settled: bool = False) -> None:
        """Loads what is new and unloads what is not wanted any more. settled: files are not being written any more."""
        for name, found in (await asyncio.to_thread(_models, self.folder)).items():
            if self.names and name not in self.names:
                continue
            wanted = self.plans.get(name, Plan()).wanted(found)
            loaded = self.models.setdefault(name, {})
            for version in sorted(wanted - loaded.keys()):
                await self._load(name, version, settled)
            if wanted and wanted <= loaded.keys():
                for version in loaded.keys() - wanted:
                    self._retire(loaded.pop(version))
            for key in [key for key in self.failed if key[0] == name and key[1] not in wanted]:
                del self.failed[key]

    async def _load(self, name: str, version: int, settled: bool) -> None:
        folder, key = self.folder / name / str(version), (name, version)
        state = await asyncio.to_thread(_state, folder)
        still = settled or self.seen.get(key) == state
        self.seen[key] = state
        if not still or (key in self.failed and self.failed[key][0] == state):
            return
        try:
            servable = await asyncio.to_thread(Servable, name, version, folder, self.threads)
        except (OSError, ValueError, KeyError, Refused) as error:
            message = f"{folder} cannot be loaded: {' '.join(str(error).split())[:300]}"
            log.error(message)
            self.failed[key] = state, message
            return
        self.failed.pop(key, None)
        self.models[name][version] = Loaded(servable, self.prepare(servable))
        log.info("%s, version %d: ready.", name, version)

    def _retire(self, loaded: Loaded) -> None:
        loaded.retired = True
        self.leaving.append(loaded)
        self._leave(loaded)

    def _leave(self, loaded: Loaded) -> None:
        if loaded.retired and not loaded.users:
            self.leaving.remove(loaded)
            asyncio.get_running_loop().run_in_executor(None, loaded.servable.close)
            log.info("%s, version %d: unloaded.", loaded.servable.name, loaded.servable.version)

    def close(self) -> None:
        for loaded in [*(each for versions in self.models.values() for each in versions.values()), *self.leaving]:
            loaded.servable.close()

    @contextlib.contextmanager
    def use(self, name: str, version: int | None = None, label: str | None = None) -> Iterator[Loaded]:
        """A version that stays until the block ends: the newest, a number, or a label's. Raises Refused."""
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
            asked = f"Latest({name})" if version is None else f"Specific({name}, {version})"
            raise Refused("NOT_FOUND", f"Servable not found for request: {asked}")
        return versions[wanted]

    def labels(self, name: str) -> dict[str, int]:
        newest = max(self.models[name])
        return dict(self.plans.get(name, Plan()).labels) or dict.fromkeys(LABELS, newest)

    def status(self, name: str, version: int | None = None, label: str | None = None) -> list[dict[str, Any]]:
        """Every version's state, as TF Serving tells it, the newest first. Raises Refused."""
        if label is not None:
            version = self._find(name, None, label).servable.version
        states = dict.fromkeys(self.models.get(name, {}), ("AVAILABLE", "OK", ""))
        states |= {
            each.servable.version: ("UNLOADING", "OK", "") for each in self.leaving if each.servable.name == name
        }
        states |= {
            number: ("END", "UNKNOWN", said) for (model, number), (_, said) in self.failed.items() if model == name
        }
        chosen = [number for number in sorted(states, reverse=True) if version in (None, number)]
        if not chosen:
            said = f"any versions of model {name}" if version is None else f"version {version} of model {name}"
            raise Refused("NOT_FOUND", f"Could not find {said}")
        return [
            {"version": str(number), "state": state, "status": {"error_code": code, "error_message": said}}
            for number in chosen
            for state, code, said in [states[number]]
        ]


def _models(folder: pathlib.Path) -> dict[str, list[int]]:
    """The versions on disk of every model."""
    if not folder.is_dir():
        return {}
    folders = [each for each in sorted(folder.iterdir()) if each.is_dir() and not each.name.startswith(".")]
    return {each.name: found for each in folders if (found := versions_of(each))}


def _state(folder: pathlib.Path) -> tuple:
    """What changes as long as files are being written."""
    found = []
    for path in sorted(folder.rglob("*")):
        with contextlib.suppress(OSError):  # gone meanwhile
            stat = path.stat()
            found.append((str(path), stat.st_size, stat.st_mtime_ns))
    return tuple(found)
