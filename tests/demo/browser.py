"""A real browser on the pages, where one is installed."""

import contextlib
import pathlib
import shutil
import threading
import time
from collections.abc import Iterator
from typing import Any

from rnnsuite import demo

NAMES = ("chromium", "chromium-browser", "google-chrome")


def missing() -> str:
    """What a browser test lacks on this machine; empty where it can run."""
    if not any(map(shutil.which, NAMES)):
        return "there is no Chromium here"
    if not shutil.which("chromedriver"):
        return "there is no chromedriver here (Debian's chromium-driver)"
    return ""


@contextlib.contextmanager
def served(folder: pathlib.Path) -> Iterator[str]:
    """The address of a folder's pages."""
    with demo.server(folder) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


class Browser:
    """A headless Chromium.

    Args:
        address: of the pages.
        sound: a WAV file in the place of the microphone.
    """

    def __init__(self, address: str, sound: pathlib.Path | None = None):
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service

        options = webdriver.ChromeOptions()
        for word in (
            "--headless=new",
            "--no-sandbox",  # where tests are run by root
            "--disable-dev-shm-usage",
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            *([f"--use-file-for-fake-audio-capture={sound}"] if sound else []),
        ):
            options.add_argument(word)
        options.binary_location = next(filter(None, map(shutil.which, NAMES)))
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        service = Service(shutil.which("chromedriver"))
        self.driver = webdriver.Chrome(options=options, service=service)
        self.driver.set_script_timeout(60)
        self.address = address

    def open(self, app: str, seconds: float = 60) -> None:
        """Loads an application's page and waits until its model answers."""
        self.driver.get(f"{self.address}/{app}.html")
        state = self.wait("return document.body.dataset.state", seconds)
        assert state == "ready", self.run("return document.querySelector('#alert').textContent")

    def ask(self, expression: str, *values: Any) -> Any:
        """What the page's `ask` gives to an expression of the values `v`."""
        found = self.driver.execute_async_script(
            "const v = [...arguments]; const done = v.pop();"
            f"ask({expression}).then((answer) => done({{answer}}),"
            "(error) => done({error: error.message}));",
            *values,
        )
        assert "error" not in found, found
        return found["answer"]

    def run(self, script: str) -> Any:
        return self.driver.execute_script(script)

    def wait(self, script: str, seconds: float = 20) -> Any:
        """What a script gives when that is something at last."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = self.run(script)
            if found:
                return found
            time.sleep(0.02)
        raise AssertionError(f"{script}: {self.run('return document.body.innerText')}")

    def press(self, label: str) -> None:
        """Presses the button with this label."""
        for button in self.driver.find_elements("tag name", "button"):
            if button.text == label:
                button.click()
                return
        raise AssertionError(f"no button {label!r}")

    def errors(self) -> list[str]:
        """What the console has of errors since it was asked last."""
        return [
            each["message"] for each in self.driver.get_log("browser") if each["level"] == "SEVERE"
        ]

    def close(self) -> None:
        self.driver.quit()
