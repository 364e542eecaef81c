"""Signal actions of native libraries, which Python does not know, survive training.

MediaPipe handles SIGPROF while it detects and ignores it otherwise; with Python's default action,
the signal ends the process.
"""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

SCRIPT = """
import ctypes, signal
from pathlib import Path
from ferdata.runs.options import TrainOptions
from ferdata.training import run_training
from ferdata.training.signals import keep_native_handlers

kind = ctypes.CFUNCTYPE(None, ctypes.c_int)
handler, SIG_IGN = kind(lambda number: None), kind(1)
libc = ctypes.CDLL(None)
libc.signal.argtypes = [ctypes.c_int, kind]
signal.signal(signal.SIGPROF, signal.{known})
libc.signal(signal.SIGPROF, {native})
{block}
status = dict(line.split(":") for line in open("/proc/self/status"))
print(int(status[{entry!r}], 16) >> (signal.SIGPROF - 1) & 1)
"""
RESET = """
with keep_native_handlers():
    signal.signal(signal.SIGPROF, signal.getsignal(signal.SIGPROF))
"""
TRAIN = """
options = TrainOptions(model="test_resnet", epochs=1, batch_size=14, device="cpu")
run_training(Path({build!r}), Path({run!r}), options, quiet=True)
"""


def kept(block: str, known: str, native: str) -> bool:
    """Return whether a native action is still there after a block of code."""
    entry = {"SIG_IGN": "SigIgn", "handler": "SigCgt"}[native]
    script = SCRIPT.format(known=known, native=native, block=block, entry=entry)
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    return done.stdout.split() == ["1"]


@pytest.mark.parametrize("known", ["SIG_DFL", "SIG_IGN"])
@pytest.mark.parametrize("native", ["SIG_IGN", "handler"])
def test_a_native_action_survives_pythons_reset(known, native):
    assert kept(RESET, known, native)


def test_a_native_action_survives_a_run(make_build, tmp_path):
    block = TRAIN.format(build=str(make_build()), run=str(tmp_path / "run"))
    assert kept(block, "SIG_DFL", "handler")
