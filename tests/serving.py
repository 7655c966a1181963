"""A server of models in a process of its own."""

import re
import signal

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
