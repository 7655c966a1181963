"""A connection's one timer."""

import types

import pytest

from rnnsuite.server.server import _Protocol


@pytest.fixture
def protocol():
    """A connection that begins at 0 s, without a network; `at` calls what is due by then."""
    made = _Protocol.__new__(_Protocol)
    made.calls = []
    made.written = []
    made.now = 0.0
    made.loop = types.SimpleNamespace(
        time=lambda: made.now,
        call_at=lambda when, call: made.calls.append((when, call)) or "a timer",
    )
    made.transport = types.SimpleNamespace(write=made.written.append, close=lambda: None)
    made._timer = None
    made._expect()
    return made


def at(protocol, seconds):
    protocol.now = seconds
    due = [call for when, call in protocol.calls if when <= seconds]
    protocol.calls[:] = [(when, call) for when, call in protocol.calls if when > seconds]
    for call in due:
        call()


def test_what_does_not_come_is_refused_when_it_is_late(protocol):
    at(protocol, 29.9)
    assert protocol.written == []
    at(protocol, 30.0)
    assert protocol.written[0].startswith(b"HTTP/1.1 408 Request Timeout")


def test_what_has_come_is_not(protocol):
    protocol._due = None
    at(protocol, 30.0)
    assert protocol.written == []
    assert protocol.calls == []


def test_the_next_request_has_its_own_time(protocol):
    protocol.now = 20.0
    protocol._expect()
    at(protocol, 30.0)
    assert protocol.written == []
    at(protocol, 50.0)
    assert len(protocol.written) == 1
