import os
import re
import shutil
import signal

import pytest

from tests.conftest import ROOT
from tests.processes import start, wait


class Serving:
    """A `rnnsuite serve` of its own process: `url` is where it listens."""

    def __init__(self, log, *words):
        self.log = log
        self.process = start(["serve", "--port", "0", *words], log)
        self.url = wait(self._where, log)

    def _where(self):
        assert self.process.poll() is None, self.log.read_text()[-3000:]
        found = re.search(r"Serving on (http://\S+)", self.log.read_text())
        return found and found[1]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@pytest.fixture(scope="session")
def released(tmp_path_factory):
    """All the released models, served; without the requests to warm them up, which take most of
    the start and are asked of the models of `finished`.
    """
    folder = tmp_path_factory.mktemp("serving")
    shutil.copytree(
        ROOT / "saved_models",
        folder / "models",
        ignore=shutil.ignore_patterns("lite", "tf_serving_warmup_requests"),
        copy_function=os.symlink,
    )
    serving = Serving(folder / "log", "--models", folder / "models")
    yield serving
    assert serving.stop() == 0
