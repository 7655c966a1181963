"""What `rnnsuite serve` says when it cannot."""

import shutil
import socket
import subprocess
import sys

import pytest


def refused(*words):
    command = [sys.executable, "-m", "rnnsuite.cli", "serve", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def test_no_models_at_all(tmp_path):
    assert "has no model that can be served" in refused("--models", tmp_path)
    assert "has no model that can be served" in refused("--models", tmp_path / "nowhere")


def test_an_application_that_is_not_there():
    assert "has no model 'sentimant'. Did you mean sentiment?" in refused("sentimant")


def test_a_model_that_is_damaged(tmp_path):
    folder = tmp_path / "sentiment" / "1"
    shutil.copytree("saved_models/sentiment/1", folder)
    (folder / "saved_model.pb").write_bytes(b"\x0a\xff\xff")
    assert "cannot be loaded" in refused("--models", tmp_path)


def test_a_port_that_is_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"Cannot listen on 127.0.0.1:{port}" in refused("sentiment", "--port", port)


@pytest.mark.parametrize("content", [b"model_config", b"\xff"])
def test_a_config_that_is_none(tmp_path, content):
    (tmp_path / "models.config").write_bytes(content)
    assert "is no models config of TF Serving" in refused("--config", tmp_path / "models.config")
