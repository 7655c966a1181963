"""A fresh clone with the files that the guide speaks of, and the code of its pages run in it."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import wave

import numpy as np
import pyarrow.parquet
from PIL import Image

from rnnsuite.device.browser import write_runtime
from tests.conftest import ROOT
from tests.demo.browser import Browser, missing, served
from tests.processes import film_reviews

STAND_INS = ROOT / "tests" / "house" / "stand_ins"
"""What no test can ask of a machine: an engine of containers, a cluster, a microphone, an index."""
SERVERS = (
    (re.compile(r"rnnsuite serve\b.*--port (\d+)"), None),
    (re.compile(r"rnnsuite serve\b"), 8501),
    (re.compile(r"docker compose .*\bup\b"), 8501),
    (re.compile(r"rnnsuite demo\b(?!.* --to )"), 8600),
    (re.compile(r"rnnsuite tune\b.*--chief \S+:(\d+)"), None),
)
"""Commands that go on until they are stopped, and where they answer."""
SMALLER = {
    "--trials 20": "--trials 2",
    "--trials 60": "--trials 1",
    "--lengths 100 400": "--lengths 100 400 --steps 20",
    "--tasks train infer --rounds 3 --seconds 0.25": "--tasks infer --shapes 0 --plain --rounds 1 "
    "--seconds 0.01 --without torch onnx",
    "--seeds 0 1 2": "--seeds 0",
    "lite_layers.py": "lite_layers.py --rounds 1 --seconds 0.01",
    "serving.py": "serving.py --seconds 3",
    "--minutes 60": "--minutes 0.2",
    "--rows 25000": "--rows 50",
    "--rounds 20": "--rounds 1 captioning",
    "--rounds 5": "--rounds 1 sentiment",
    "--rounds 6": "--rounds 1 --features 8 --units 8",
    "-c wikitext2 --data wikitext2": "--set train.share=0.1 --set train.epochs=1",
    "forecasting.py": "forecasting.py --rounds 1",
    "/shared/": "shared/",
    "a:2222": "127.0.0.1:2222",
    "b:2222": "127.0.0.1:2223",
    "chief:9000": "127.0.0.1:9000",
}
"""What the pages say, and what is run in its place: hours as minutes, machines as this one."""
CONFIGURE = """
import sys
from rnnsuite import catalog
from rnnsuite.pipeline import config
config.load(catalog.find("sentiment"), sys.argv[1])
"""
PAGE = """<!doctype html><meta charset="utf-8"><body><script type="importmap">
{"imports": {"@litertjs/core": "./litert/core/dist/index.js"}}</script>
<script type="module">
globalThis.Module = {printErr: () => {}};
const tell = (state) => { document.body.dataset.state = state; };
import('./guide.mjs').then(() => tell('ready'), (error) => tell(String(error)));
</script>"""


def blocks(page: str) -> list[tuple[str, str]]:
    """Language and content of every fenced block of a page of the guide, in their order."""
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    return re.findall(r"^```(\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


class Clone:
    """What git holds of this tree, in a folder of its own, with data and requests beside it.

    Args:
        folder: where it is made.
    """

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.servers: dict[int, subprocess.Popen] = {}
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
        )
        for name in filter(None, listed.stdout.decode().split("\0")):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / name).is_file():
                shutil.copy(ROOT / name, target)
        self._write_requests()
        for name in ("path/to/aclImdb", "shared/aclImdb", "data/aclImdb"):
            self._write_reviews(name)
        paths = (STAND_INS, pathlib.Path(sys.executable).parent, os.environ["PATH"])
        self.environment = {
            **os.environ,
            "PATH": os.pathsep.join(map(str, paths)),
            "PYTHONPATH": str(STAND_INS),
            "RNNSUITE_MODELS": str(folder / "saved_models"),
            "BROWSER": "true",
        }
        # What the tests choose for themselves: the scan that compiles fastest, and runs slowest.
        self.environment.pop("RNNSUITE_SCAN", None)

    def _write_requests(self) -> None:
        film_reviews(self.folder / "reviews.csv", 60)
        (self.folder / "new.csv").write_text("text\ngood film number 3\nbad film number 3\n")
        lines = "".join(json.dumps({"text": text}) + "\n" for text in ("superb", "dull"))
        (self.folder / "reviews.jsonl").write_text(lines)
        (self.folder / "reviews").mkdir()
        (self.folder / "reviews" / "some.jsonl").write_text(lines)
        table = pyarrow.table({"text": ["superb", "dull"]})
        pyarrow.parquet.write_table(table, self.folder / "reviews" / "some.parquet")
        sound = np.random.default_rng(0).normal(size=16_000) * 3000
        models = self.folder / "saved_models"
        for place in (self.folder, models / "speech_commands" / "lite" / "1"):
            with wave.open(str(place / "yes.wav"), "wb") as file:
                file.setparams((1, 2, 16_000, 0, "NONE", ""))
                file.writeframes(sound.astype("<i2").tobytes())
        pixels = np.random.default_rng(0).integers(0, 256, [90, 120, 3], dtype=np.uint8)
        for place in (self.folder, models / "captioning" / "lite" / "1"):
            Image.fromarray(pixels).save(place / "picture.jpg")

    def _write_reviews(self, name: str) -> None:
        for split in ("train", "test"):
            for label, word in (("pos", "good"), ("neg", "bad")):
                folder = self.folder / name / split / label
                folder.mkdir(parents=True)
                for number in range(60):
                    text = f"a {word} film, number {number} of {split}"
                    (folder / f"{number}_7.txt").write_text(text)

    def run(self, language: str, code: str) -> None:
        """Runs a block as a reader would, and asserts that it ends well."""
        for text, other in SMALLER.items():
            code = code.replace(text, other)
        runners = {
            "bash": self._shell,
            "python": self._python,
            "js": self._browser,
            "yaml": self._configure,
        }
        runners[language](code)

    def _shell(self, code: str) -> None:
        lines = re.sub(r" \\\n\s*", " ", code).splitlines()
        if "TF_CONFIG" in code:
            second = self._begin(code.replace('"index": 0', '"index": 1'))
            try:
                self._done(["bash", "-e", "-c", code])
                assert second.wait(120) == 0
            finally:
                _end(second)
        elif any(self._port(line) for line in lines):
            for line in lines:
                port = self._port(line)
                if port:
                    self._serve(line, port)
                else:
                    self._done(["bash", "-e", "-c", line])
        else:
            self._done(["bash", "-e", "-c", code])

    def _python(self, code: str) -> None:
        place = re.match(r"# in ([^\s,]+)", code)
        self._done([sys.executable, "-c", code], place[1] if place else ".")

    def _configure(self, code: str) -> None:
        (self.folder / "page.yaml").write_text(f"app: sentiment\n{code}")
        self._done([sys.executable, "-c", CONFIGURE, "page.yaml"])

    def _browser(self, code: str) -> None:
        assert not missing(), missing()
        site = self.folder / "site"
        shutil.copytree(ROOT / "rnnsuite" / "device" / "js", site, dirs_exist_ok=True)
        write_runtime(site / "litert")
        shutil.copytree(site / "litert" / "core" / "wasm", site / "wasm", dirs_exist_ok=True)
        lite = self.folder / "saved_models" / "sentiment" / "lite" / "2"
        for name in ("portable_dynamic.tflite", "vocabulary.tsv"):
            shutil.copy(lite / name, site)
        (site / "guide.html").write_text(PAGE, encoding="utf-8")
        (site / "guide.mjs").write_text(code, encoding="utf-8")
        with served(site) as address:
            browser = Browser(address)
            try:
                browser.driver.get(f"{address}/guide.html")
                state = browser.wait("return document.body.dataset.state", 60)
                assert state == "ready", state
            finally:
                browser.close()

    def _done(self, program: list[str], place: str = ".") -> None:
        done = subprocess.run(
            program,
            cwd=self.folder / place,
            env=self.environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, f"{program[-1]}\n{done.stdout[-500:]}\n{done.stderr[-3000:]}"

    def _begin(self, code: str) -> subprocess.Popen:
        return subprocess.Popen(
            ["bash", "-e", "-c", code],
            cwd=self.folder,
            env=self.environment,
            start_new_session=True,
        )

    @staticmethod
    def _port(line: str) -> int | None:
        for pattern, port in SERVERS:
            match = pattern.search(line)
            if match:
                return port or int(match[1])
        return None

    def _serve(self, line: str, port: int) -> None:
        """Starts a server in the place of the one at its port, and waits until it answers."""
        if port in self.servers:
            _end(self.servers.pop(port))
        process = self.servers[port] = self._begin(line)
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline:
            assert process.poll() is None, f"{line} has ended"
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            time.sleep(0.2)
        raise AssertionError(f"{line} does not answer at {port}")

    def close(self) -> None:
        """Ends every server."""
        for process in self.servers.values():
            _end(process)


def _end(process: subprocess.Popen) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
