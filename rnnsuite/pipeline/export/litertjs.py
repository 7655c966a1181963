"""A .tflite file in LiteRT.js, the browser's runtime, by a process of node."""

import base64
import contextlib
import json
import pathlib
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from rnnsuite.core.cache import cache_folder
from rnnsuite.core.errors import ExportFailed, UserError
from rnnsuite.core.files import atomic_folder
from rnnsuite.device import browser

NAME = "litert.js"
"""Of the runtime in reports."""
PROGRAM = pathlib.Path(__file__).with_suffix(".mjs")


def unpacked() -> pathlib.Path:
    """The folder with LiteRT.js in the cache, written when it is first asked for."""
    folder = cache_folder() / f"litertjs-{browser.VERSION}"
    if not folder.is_dir():
        with contextlib.suppress(UserError), atomic_folder(folder) as part:
            browser.write_runtime(part)  # another process may have been faster
    return folder


def missing() -> str:
    """What there is to do before LiteRT.js can be asked; empty where it can."""
    return "" if shutil.which("node") else "there is no node on this machine"


class NodeEngine:
    """What `rnnsuite.device.runner.LiteFile` takes for a runtime: a file in LiteRT.js.

    Args:
        path: of the file.
        threads: not used.

    Attributes:
        seconds: that the last call took, without the way to the process and back.

    Raises:
        ExportFailed: where LiteRT.js refuses the file.
    """

    seconds = 0.0

    def __init__(self, path: str, threads: int = 1):
        self.log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - it lives as long as the process
        self.process = subprocess.Popen(
            ["node", str(PROGRAM), str(unpacked()), path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        self.path = path
        self.signatures = {
            name: (
                {key: (tuple(shape), np.dtype(kind)) for key, (shape, kind) in takes.items()},
                {key: tuple(shape) for key, (shape, _) in gives.items()},
            )
            for name, (takes, gives) in self._answer().items()
        }

    def run(self, name: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The outputs of a signature by name."""
        takes, _ = self.signatures[name]
        arrays = {key: np.ascontiguousarray(inputs[key], takes[key][1]) for key in takes}
        encoded = {key: _encode(value) for key, value in arrays.items()}
        line = json.dumps({"name": name, "inputs": encoded}) + "\n"
        with contextlib.suppress(BrokenPipeError, ValueError):  # what has ended says why
            assert self.process.stdin
            self.process.stdin.write(line)
            self.process.stdin.flush()
        answer = self._answer()
        self.seconds = float(answer["seconds"])
        return {key: _decode(value) for key, value in answer["outputs"].items()}

    def reset(self) -> None:
        """Nothing is kept between calls."""

    def close(self) -> None:
        """Ends the process."""
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()  # type: ignore[union-attr]
        self.process.wait()

    def _answer(self) -> dict[str, Any]:
        line = ""
        if self.process.stdout and not self.process.stdout.closed:
            line = self.process.stdout.readline()
        if not line:
            self.close()
            self.log.seek(0)
            said = self.log.read().strip().splitlines()
            raise ExportFailed(f"LiteRT.js does not run {self.path}: {' '.join(said[-3:])}")
        return json.loads(line)


def _encode(value: np.ndarray) -> dict[str, Any]:
    data = base64.b64encode(value.tobytes()).decode()
    return {"shape": list(value.shape), "type": value.dtype.name, "data": data}


def _decode(value: Mapping[str, Any]) -> np.ndarray:
    content = base64.b64decode(value["data"])
    return np.frombuffer(content, value["type"]).reshape(value["shape"]).copy()
