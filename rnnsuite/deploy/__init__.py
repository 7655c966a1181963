"""What TF Serving, Docker and Kubernetes need to serve the exported models, and Kubernetes to train
them.

All of it is written anew from the models that there are. Files that were edited by hand since are
not overwritten.
"""

import hashlib
import json
import logging
import os
import pathlib
from collections.abc import Mapping, Sequence

import jinja2
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from rnnsuite.core.errors import UserError, nearest
from rnnsuite.core.files import PART, as_user_error, read_json, write_json, write_text

TAG = "2.21.0"
"""Of the image tensorflow/serving: the release of the TensorFlow that exports are made with."""
ARGUMENTS = (
    "--port=8500",
    "--rest_api_port=8501",
    "--model_config_file=/config/models.config",
    "--model_config_file_poll_wait_seconds=60",
    "--allow_version_labels_for_unavailable_models=true",
    "--file_system_poll_wait_seconds=5",
    "--enable_batching=true",
    "--batching_parameters_file=/config/batching.config",
    "--monitoring_config_file=/config/monitoring.config",
)
WRITTEN = ".written.json"
"""Digests of the files as they were written."""
TEMPLATES = pathlib.Path(__file__).parent / "templates"
DEFAULT_BATCH = 32
log = logging.getLogger(__name__)
Pins = Mapping[str, int]


def deploy(
    models: pathlib.Path,
    to: pathlib.Path,
    *,
    stable: Pins | None = None,
    canary: Pins | None = None,
    tag: str = TAG,
    workers: int = 4,
    force: bool = False,
) -> list[pathlib.Path]:
    """Writes config/, docker-compose.yml and kubernetes/ for every exported model.

    Args:
        models: the folder of all models.
        to: the folder to write.
        stable, canary: versions by model; the newest by default.
        tag: of the image tensorflow/serving.
        workers: of the training job.
        force: whether files that were edited by hand are overwritten.

    Returns:
        The files that were written.

    Raises:
        UserError: where there is no model or no such version, or files were edited by hand.
    """
    versions_of = {
        folder.name: versions for folder in _folders(models) if (versions := _versions(folder))
    }
    if not versions_of:
        raise UserError(f"{models} has no exported model: rnnsuite export makes one.")
    served = models_config(versions_of, stable or {}, canary or {})
    batch = min(_batch(models / name / str(versions[-1])) for name, versions in versions_of.items())
    values = {
        "models": os.path.relpath(models, to),
        "names": sorted(versions_of),
        "tag": tag,
        "workers": workers,
        "arguments": ARGUMENTS,
        "sizes": sizes(batch),
    }
    configs = {"models.config": served}
    for name in ("batching.config", "monitoring.config"):
        configs[name] = _filled(f"config/{name}", values)
    digest = hashlib.sha256("".join(configs.values()).encode()).hexdigest()[:16]
    values |= {"configs": configs, "digest": digest}
    contents = {f"config/{name}": content for name, content in configs.items()}
    for path in sorted(TEMPLATES.rglob("*.y*ml")):
        name = path.relative_to(TEMPLATES).as_posix()
        contents[name] = _filled(name, values)
    if not force:
        _check_unedited(to, contents)
    with as_user_error(to):
        for name, content in contents.items():
            write_text(to / name, content)
        write_json(to / WRITTEN, {name: _digest(content) for name, content in contents.items()})
        for leftover in to.rglob(f"{PART}*"):  # of a run that was killed
            leftover.unlink()
    return [to / name for name in contents]


def _check_unedited(to: pathlib.Path, contents: Mapping[str, str]) -> None:
    """Raises UserError where a file would be overwritten that is not as it was written."""
    written = read_json(to / WRITTEN) if (to / WRITTEN).is_file() else {}
    edited = []
    for name, content in contents.items():
        if (to / name).is_file():
            present = _digest((to / name).read_text(encoding="utf-8", errors="replace"))
            if present not in (written.get(name), _digest(content)):
                edited.append(name)
    if edited:
        raise UserError(
            f"{to} has files that were edited by hand: {', '.join(edited)}. Write elsewhere with "
            f"--to, or overwrite them with --force."
        )


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode("utf-8")).hexdigest()[:16]


def _folders(models: pathlib.Path) -> list[pathlib.Path]:
    return sorted(entry for entry in models.iterdir() if entry.is_dir()) if models.is_dir() else []


def _versions(folder: pathlib.Path) -> list[int]:
    names = [
        entry.name
        for entry in folder.iterdir()
        if entry.name.isdecimal() and (entry / "saved_model.pb").is_file()
    ]
    return sorted(map(int, names))


def models_config(versions_of: Mapping[str, Sequence[int]], stable: Pins, canary: Pins) -> str:
    """TF Serving's models config: the newest two versions of a model, or those with labels."""
    for name, version in [*stable.items(), *canary.items()]:
        if name not in versions_of:
            raise UserError(f"There is no model {name!r}.{nearest(name, versions_of)}")
        if version not in versions_of[name]:
            raise UserError(
                f"{name} has no version {version}; it has {', '.join(map(str, versions_of[name]))}."
            )
    config = model_server_config_pb2.ModelServerConfig()
    for name, versions in sorted(versions_of.items()):
        model = config.model_config_list.config.add()
        model.name = name
        model.base_path = f"/models/{name}"
        model.model_platform = "tensorflow"
        labels = {
            "stable": stable.get(name, versions[-1]),
            "canary": canary.get(name, versions[-1]),
        }
        for label, version in labels.items():
            model.version_labels[label] = version
        if name in stable or name in canary:
            model.model_version_policy.specific.versions.extend(sorted(set(labels.values())))
        else:
            model.model_version_policy.latest.num_versions = 2
    head = "# TF Serving's models config: --model_config_file=models.config\n"
    return head + text_format.MessageToString(config)


def _batch(folder: pathlib.Path) -> int:
    """The batch that a model was trained with, by its card."""
    try:
        card = json.loads((folder / "assets.extra" / "model_card.json").read_text(encoding="utf-8"))
        return int(card["config"]["train"]["batch_size"])
    except (OSError, ValueError, KeyError, TypeError):
        log.warning("%s has no model card; taking %d for its batch.", folder, DEFAULT_BATCH)
        return DEFAULT_BATCH


def sizes(most: int) -> list[int]:
    """1, 2, 4, 8 and the multiples of 8 up to `most`, which is the last of them."""
    return sorted({*(size for size in (1, 2, 4, 8) if size < most), *range(16, most, 8), most})


def _filled(name: str, values: Mapping[str, object]) -> str:
    environment = jinja2.Environment(  # nosec B701 - YAML and protobuf texts, no HTML
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
    )
    return environment.get_template(name).render(values)
