"""Large requests are read by another process: nobody waits, and nothing else is different."""

import asyncio
import json
import os
import pickle
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from rnnsuite.server import reading
from rnnsuite.server.cost import Limits
from rnnsuite.server.reading import LARGE, Reader
from rnnsuite.server.signatures import Field, Signature
from rnnsuite.server.status import RequestError

SIGNATURES = {
    "serving_default": Signature({"text": Field("t:0", "string", (None,))}, {}, {}),
    "numbers": Signature({"x": Field("x:0", "float32", (None, None))}, {}, {}),
}
FILL = " " * LARGE


@pytest.fixture
def reader():
    made = Reader(Limits(rows=100, numbers=1000))
    yield made
    made.close()


def body(signature="serving_default", fill=FILL, **request):
    return (json.dumps({"signature_name": signature, **request}) + fill).encode()


def asked(reader, content):
    return asyncio.run(reader(content, SIGNATURES))


@pytest.mark.parametrize("fill", ["", FILL], ids=["small", "large"])
def test_small_and_large_are_read_alike(reader, fill):
    texts = asked(reader, body(instances=["a", {"b64": "YQ=="}], fill=fill))
    assert texts.inputs["text"].tolist() == [b"a", b"a"]
    assert (texts.signature, texts.is_rows, texts.count) == ("serving_default", True, 2)
    numbers = asked(reader, body("numbers", inputs={"x": [[1, 2.5]]}, fill=fill))
    np.testing.assert_array_equal(numbers.inputs["x"], np.array([[1, 2.5]], np.float32))
    assert numbers.inputs["x"].dtype == np.float32
    assert not numbers.is_rows
    for wrong, code in (
        (body(instances=[3], fill=fill), "INVALID_ARGUMENT"),
        (body("none", instances=["a"], fill=fill), "INVALID_ARGUMENT"),
        (body(instances=["a"] * 101, fill=fill), "TOO_LARGE"),
        (b"{" + fill.encode(), "INVALID_ARGUMENT"),
        (b"[" * 100_000 + fill.encode(), "INVALID_ARGUMENT"),
    ):
        with pytest.raises(RequestError) as error:
            asked(reader, wrong)
        assert error.value.code == code


def test_a_process_is_there_only_where_one_is_needed(reader):
    asked(reader, body(instances=["a"], fill=""))
    assert reader._pool is None
    asked(reader, body(instances=["a"]))
    assert reader._pool is not None


def test_while_a_large_request_is_read_this_process_is_free(reader):
    """It is a second's work in the other one, and less than a tenth here."""
    content = body("numbers", inputs={"x": [[0.123456789] * 2_000_000]})
    asked(reader, body(instances=["a"]))  # the process is there
    before = time.process_time()
    with pytest.raises(RequestError, match="2000000 numbers; at most 1000"):
        asked(reader, content)
    here = time.process_time() - before
    before = time.process_time()
    with pytest.raises(RequestError):
        reading.read(content, SIGNATURES, reader.limits)
    assert here < 0.5 * (time.process_time() - before)


def test_a_process_that_is_lost_is_said_and_made_again(reader):
    asked(reader, body(instances=["a"]))
    (process,) = reader._pool._processes.values()
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    while not reader._pool._broken:
        time.sleep(0.01)
    with pytest.raises(RequestError) as error:
        asked(reader, body(instances=["a"]))
    assert error.value.http == 503
    assert asked(reader, body(instances=["a"])).count == 1


def test_what_is_refused_goes_from_process_to_process():
    error = pickle.loads(pickle.dumps(RequestError("TOO_LARGE", "much")))
    assert (error.code, str(error), error.http) == ("TOO_LARGE", "much", 413)


PROGRAM = """
import asyncio, os, signal
from rnnsuite.server.reading import Reader
from rnnsuite.server.cost import Limits

if __name__ == "__main__":
    reader = Reader(Limits())
    try:
        asyncio.run(reader(b"{" + b" " * 2**20, {}))
    except Exception:
        pass
    (process,) = reader._pool._processes.values()
    print(process.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_it_does_not_outlive_a_server_that_is_killed(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, tmp_path / "program.py"], stdout=subprocess.PIPE, text=True
    )
    process = int(done.stdout)
    for _ in range(100):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    raise AssertionError(f"process {process} is still there")


def test_reading_imports_no_tensorflow():
    program = "import sys, rnnsuite.server.reading; print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr
