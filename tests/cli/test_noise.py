"""What libraries write on standard error is left out, and nothing else is."""

import subprocess
import sys

import pytest

from rnnsuite.cli.noise import NOISE

PROGRAM = """
import os, sys
from rnnsuite.cli.noise import filtered
os.write(2, b"before\\n")
with filtered():
    os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\\n")
    os.write(2, b"a fault of a library\\n")
    print("from Python", file=sys.stderr)
    os.system("echo of a child >&2")
os.write(2, b"behind\\n")
print("on", sys.stderr is sys.__stderr__)
"""


def test_in_a_process_of_its_own():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.stdout == "on True\n"
    assert set(done.stderr.splitlines()) == {
        "before",
        "a fault of a library",
        "from Python",
        "of a child",
        "behind",
    }


@pytest.mark.parametrize(
    ("line", "is_noise"),
    [
        (b"normalizer.cc(51) LOG(INFO) precompiled_charsmap is empty. use identity", True),
        (b"I0000 00:00 port.cc:153] oneDNN custom operations are on.", True),
        (b"WARNING: All log messages before absl::InitializeLog() is called", True),
        (b"Traceback (most recent call last):", False),
        (b"terminate called after throwing an instance of 'std::bad_alloc'", False),
        (b"epoch 1: loss 0.5", False),
    ],
)
def test_what_is_noise(line, is_noise):
    assert bool(NOISE.search(line)) == is_noise
