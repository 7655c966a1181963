"""What `rnnsuite serve` says when it cannot."""

import pathlib
import shutil
import socket
import subprocess
import sys

import pytest

from rnnsuite.core.errors import UserError
from rnnsuite.server import library, server

RELEASED = pathlib.Path("saved_models")


def refused(said, **settings):
    with pytest.raises(UserError, match=said):
        server.serve(server.Settings(**{"models": RELEASED, "port": 0, **settings}))


def test_no_models_at_all(tmp_path):
    refused("has no model that can be served", models=tmp_path)
    refused("has no model that can be served", models=tmp_path / "nowhere")


def test_an_application_that_is_not_there():
    refused("has no model 'sentimant'. Did you mean sentiment?", names=("sentimant",))


def test_a_model_that_is_damaged(tmp_path):
    folder = tmp_path / "sentiment" / "1"
    shutil.copytree(RELEASED / "sentiment" / "1", folder)
    (folder / "saved_model.pb").write_bytes(b"\x0a\xff\xff")
    refused("cannot be loaded", models=tmp_path)


def test_a_port_that_is_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused(f"Cannot listen on 127.0.0.1:{port}", names=("sentiment",), port=port)


@pytest.mark.parametrize("content", [b"model_config", b"\xff"])
def test_a_config_that_is_none(tmp_path, content):
    (tmp_path / "models.config").write_bytes(content)
    with pytest.raises(UserError, match="is no models config of TF Serving"):
        library.read_policies(tmp_path / "models.config")


def test_from_the_shell_it_is_one_line(tmp_path):
    command = [sys.executable, "-m", "rnnsuite", "serve", "--models", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("rnnsuite: ")
    assert len(done.stderr.splitlines()) == 1
