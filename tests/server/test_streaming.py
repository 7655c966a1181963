"""Text that comes as it is made, over HTTP: a line of JSON for each piece."""

import asyncio
import json

import pytest

from rnnsuite.pipeline.inference.live import Live
from rnnsuite.server.service import Service, Settings


@pytest.fixture(scope="module")
def ask(language_model, sentiment, tmp_path_factory):
    """`ask(path, value)`: status, lines, and how many bodies were sent, of one service."""
    folder = tmp_path_factory.mktemp("models")
    for finished in (language_model, sentiment):
        (folder / finished.app.name).mkdir()
        (folder / finished.app.name / "1").symlink_to(finished.saved_model)
    service = Service(Settings(models=folder, threads=1))
    with asyncio.Runner() if hasattr(asyncio, "Runner") else _Runner() as runner:
        running = service.running()
        runner.run(running.__aenter__())
        yield lambda *request, **options: runner.run(answered(service, *request, **options))
        runner.run(running.__aexit__(None, None, None))


class _Runner:
    """asyncio.Runner, which Python 3.10 does not have."""

    def __enter__(self):
        self.loop = asyncio.new_event_loop()
        return self

    def run(self, task):
        return self.loop.run_until_complete(task)

    def __exit__(self, *_):
        self.loop.close()


async def answered(service, path, value, gone_after=None):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    sent = []
    waiting = [{"type": "http.request", "body": body, "more_body": False}]
    left = asyncio.Event()

    async def receive():
        if not waiting:
            await left.wait()
            return {"type": "http.disconnect"}
        return waiting.pop()

    async def send(message):
        sent.append(message)
        if gone_after is not None and len(sent) > gone_after:
            left.set()

    await service({"type": "http", "path": path, "method": "POST"}, receive, send)
    start, *bodies = sent
    text = b"".join(message["body"] for message in bodies)
    return start["status"], [json.loads(line) for line in text.splitlines()], len(bodies)


PATH = "/v1/models/language_model:stream"
ONE = {"instances": [{"text": "the fox near"}]}


def test_the_pieces_are_those_of_the_shell(ask, language_model):
    request = {**ONE, "options": {"max_length": 12}}
    status, lines, bodies = ask(PATH, request)
    assert status == 200
    assert lines[-1] == {"done": True}
    wanted = list(Live(language_model.app, language_model.run).pieces({"text": b"the fox near"}))
    assert [line["text"] for line in lines[:-1]] == wanted
    assert bodies == len(lines)  # each goes out as it is made


def test_options_are_obeyed(ask):
    def text(**options):
        lines = ask(PATH, {**ONE, "options": {"max_length": 12, **options}})[1]
        return "".join(line.get("text", "") for line in lines)

    plain = text()
    assert text(seed=9) != plain
    assert text(temperature=0.0) == text(top_k=1)
    assert len(text(max_length=2).split()) == 2
    assert text(max_length=0) == ""


def test_who_has_gone_is_written_no_more(ask):
    request = {**ONE, "options": {"max_length": 10_000, "temperature": 5.0, "top_p": 1.0}}
    assert ask(PATH, request)[2] > 20
    _, _, bodies = ask(PATH, request, gone_after=4)
    assert bodies < 10


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("/v1/models/sentiment:stream", ONE, "does not write piece by piece"),
        (PATH, b"{", "JSON Parse error"),
        (PATH, {}, "Expecting 'instances' value to be a list"),
        (PATH, {"instances": [{"text": "a"}, {"text": "b"}]}, "one row of 'instances' at a time"),
        (PATH, {**ONE, "options": 3}, "'options' must be a JSON object"),
        (PATH, {**ONE, "options": {"max_length": -1}}, "max_length must be from 0 to 10000"),
        (PATH, {**ONE, "options": {"max_length": 1e9}}, "max_length must be from 0 to 10000"),
        (PATH, {**ONE, "options": {"beam": 3}}, "'beam' is no option"),
        (PATH, {**ONE, "options": {"seed": "red"}}, "not of expected type"),
        (PATH, {**ONE, "options": {"top_p": 0.0}}, "top_p must be over 0, to 1"),
    ],
)
def test_what_cannot_be_answered(ask, path, value, message):
    status, lines, _ = ask(path, value)
    assert status == 400
    assert message in lines[0]["error"]


def test_a_model_that_is_not_there(ask):
    status, lines, _ = ask("/v1/models/other:stream", ONE)
    assert status == 404
    assert "other" in lines[0]["error"]
