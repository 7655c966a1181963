"""What is written for TF Serving, Docker and Kubernetes, held against their own definitions."""

import json
import shutil
import subprocess
import sys

import kubernetes_validate
import pytest
import ruamel.yaml
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
    wrappers_pb2,
)
from tensorflow_serving.config import model_server_config_pb2

from rnnsuite import deploy
from rnnsuite.core.errors import UserError
from tests.conftest import ROOT

KUBERNETES = "1.30"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("deploy")
    deploy.deploy(ROOT / "saved_models", folder)
    return folder


def yaml(path):
    return ruamel.yaml.YAML(typ="safe", pure=True).load(path.read_text())


def test_the_files_in_the_project_are_those_of_its_models(tmp_path):
    """`rnnsuite deploy` has to be run again after an export that is released."""
    deploy.deploy(ROOT / "saved_models", tmp_path / "deploy")
    for path in (tmp_path / "deploy").rglob("*"):
        # One has the path from there to the models, the other a digest of it.
        if path.is_file() and path.name not in ("docker-compose.yml", deploy.WRITTEN):
            assert path.read_bytes() == (ROOT / path.relative_to(tmp_path)).read_bytes(), path
    compose = yaml(ROOT / "deploy" / "docker-compose.yml")
    assert compose["services"]["serving"]["volumes"][0] == "../saved_models:/models:ro"


def test_models_config(written):
    text = (written / "config" / "models.config").read_text()
    config = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    found = {each.name: each for each in config.model_config_list.config}
    released = sorted(path.name for path in (ROOT / "saved_models").iterdir() if path.is_dir())
    assert sorted(found) == released
    for name, each in found.items():
        assert each.base_path == f"/models/{name}"
        assert each.model_version_policy.latest.num_versions == 2
        assert set(each.version_labels) == {"stable", "canary"}


def message(name, **fields):
    """A message type with these fields, for what tensorflow-serving-api has no module for."""
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{name}.proto", package="checked", syntax="proto3"
    )
    file.dependency.append("google/protobuf/wrappers.proto")
    kinds = descriptor_pb2.FieldDescriptorProto
    types = {"bool": kinds.TYPE_BOOL, "string": kinds.TYPE_STRING, "int64": kinds.TYPE_INT64}
    parts = {key: value for key, value in fields.items() if isinstance(value, dict)}
    for part, of_part in {**parts, name: fields}.items():
        kind = file.message_type.add(name=part)
        for number, (key, value) in enumerate(of_part.items(), 1):
            field = kind.field.add(name=key, number=number, label=kinds.LABEL_OPTIONAL)
            if isinstance(value, dict):
                field.type, field.type_name = kinds.TYPE_MESSAGE, f".checked.{key}"
            elif value == "wrapped":
                field.type, field.type_name = kinds.TYPE_MESSAGE, ".google.protobuf.Int64Value"
            else:
                field.type = types[value.removesuffix("s")]
                field.label = kinds.LABEL_REPEATED if value.endswith("s") else kinds.LABEL_OPTIONAL
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"checked.{name}"))()


def test_batching_and_monitoring_config(written):
    # The fields of tensorflow_serving's BatchingParameters and MonitoringConfig.
    wrapped = (
        "max_batch_size",
        "batch_timeout_micros",
        "max_enqueued_batches",
        "num_batch_threads",
    )
    parameters = message(
        "BatchingParameters",
        **dict.fromkeys(wrapped, "wrapped"),
        allowed_batch_sizes="int64s",
        pad_variable_length_inputs="bool",
    )
    text_format.Parse((written / "config" / "batching.config").read_text(), parameters)
    sizes = list(parameters.allowed_batch_sizes)
    cards = [
        json.loads(path.read_text())
        for path in (ROOT / "saved_models").glob("*/*/assets.extra/model_card.json")
    ]
    assert sizes == sorted(sizes)
    assert (
        sizes[-1]
        == parameters.max_batch_size.value
        == min(c["config"]["train"]["batch_size"] for c in cards)
    )
    assert not parameters.pad_variable_length_inputs
    monitoring = message("MonitoringConfig", prometheus_config={"enable": "bool", "path": "string"})
    text_format.Parse((written / "config" / "monitoring.config").read_text(), monitoring)
    assert monitoring.prometheus_config.enable


def test_docker_compose(written):
    path = written / "docker-compose.yml"
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        str(path),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    service = yaml(path)["services"]["serving"]
    assert service["image"] == f"tensorflow/serving:{deploy.TAG}"
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    for argument in service["command"]:
        if "=/config/" in argument:
            assert (written / "config" / argument.rpartition("/")[2]).is_file()


@pytest.mark.parametrize("part", ["serving", "training"])
def test_kubernetes_manifests(written, part):
    folder = written / "kubernetes" / part
    listed = yaml(folder / "kustomization.yaml")["resources"]
    assert sorted(listed) == sorted(
        path.name for path in folder.iterdir() if path.name != "kustomization.yaml"
    )
    for name in listed:
        kubernetes_validate.validate(yaml(folder / name), KUBERNETES, strict=True)
    with pytest.raises(kubernetes_validate.ValidationError):  # it does look
        kubernetes_validate.validate(
            {**yaml(folder / listed[0]), "specs": {}}, KUBERNETES, strict=True
        )


def test_kubernetes_parts_fit_together(written):
    folder = written / "kubernetes" / "serving"
    deployment, config, service = (
        yaml(folder / f"{n}.yaml") for n in ("deployment", "config", "service")
    )
    for name, content in config["data"].items():
        assert content == (written / "config" / name).read_text()
    pod = deployment["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    names = {port["name"] for port in container["ports"]}
    assert {port["targetPort"] for port in service["spec"]["ports"]} <= names
    assert (
        yaml(folder / "autoscaler.yaml")["spec"]["scaleTargetRef"]["name"]
        == deployment["metadata"]["name"]
    )
    assert (
        pod["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"]
        == yaml(folder / "models.yaml")["metadata"]["name"]
    )


def test_every_worker_of_the_training_job_knows_its_place(written):
    """The job's own lines, run by a shell."""
    from rnnsuite.pipeline.train.workers import cluster_position

    job = yaml(written / "kubernetes" / "training" / "job.yaml")
    (script,) = job["spec"]["template"]["spec"]["containers"][0]["args"]
    setup = script[: script.index("exec ")] + 'printf %s "$TF_CONFIG"'
    for number in range(job["spec"]["completions"]):
        environment = {"JOB_COMPLETION_INDEX": str(number), "PATH": "/usr/bin:/bin"}
        done = subprocess.run(
            ["bash", "-c", setup], capture_output=True, text=True, env=environment, check=True
        )
        assert cluster_position({"TF_CONFIG": done.stdout}) == (4, number)
        assert f"rnnsuite-training-{number}.rnnsuite-training:2222" in done.stdout


def test_a_canary(tmp_path):
    for version in ("1", "2", "3"):
        shutil.copytree(
            ROOT / "saved_models" / "sentiment" / "1", tmp_path / "m" / "sentiment" / version
        )
    deploy.deploy(tmp_path / "m", tmp_path / "d", stable={"sentiment": 1}, canary={"sentiment": 3})
    text = (tmp_path / "d" / "config" / "models.config").read_text()
    (model,) = text_format.Parse(
        text, model_server_config_pb2.ModelServerConfig()
    ).model_config_list.config
    assert list(model.model_version_policy.specific.versions) == [1, 3]
    assert dict(model.version_labels) == {"stable": 1, "canary": 3}
    with pytest.raises(UserError, match="sentiment has no version 4; it has 1, 2, 3"):
        deploy.deploy(tmp_path / "m", tmp_path / "d", stable={"sentiment": 4})
    with pytest.raises(UserError, match="no model 'speech'"):
        deploy.deploy(tmp_path / "m", tmp_path / "d", stable={"speech": 1})
    with pytest.raises(UserError, match="has no exported model"):
        deploy.deploy(tmp_path / "nowhere", tmp_path / "d")


@pytest.mark.parametrize("most", [1, 2, 3, 8, 9, 32, 100])
def test_sizes(most):
    found = deploy.sizes(most)
    assert found == sorted(set(found))
    assert found[-1] == most
    assert found[0] == 1


def test_files_that_were_edited_by_hand_are_not_overwritten(tmp_path):
    models = ROOT / "saved_models"
    deploy.deploy(models, tmp_path)
    deploy.deploy(models, tmp_path, workers=8)  # what it wrote itself it may write anew
    job = tmp_path / "kubernetes" / "training" / "job.yaml"
    job.write_text(job.read_text() + "# mine\n")
    with pytest.raises(
        UserError, match=r"edited by hand: kubernetes/training/job\.yaml\..*--force"
    ):
        deploy.deploy(models, tmp_path, workers=4)
    assert "# mine" in job.read_text()
    deploy.deploy(models, tmp_path, workers=4, force=True)
    assert "# mine" not in job.read_text()


def test_files_of_somebody_else_are_not_overwritten(tmp_path):
    (tmp_path / "docker-compose.yml").write_text("services: {}\n")
    with pytest.raises(UserError, match=r"edited by hand: docker-compose\.yml"):
        deploy.deploy(ROOT / "saved_models", tmp_path)
