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
from ferdata.training.signals import keep_native_handlers

kind = ctypes.CFUNCTYPE(None, ctypes.c_int)
actions = {{"handler": kind(lambda number: None), "SIG_IGN": kind(1)}}
entries = {{"handler": "SigCgt", "SIG_IGN": "SigIgn"}}
libc = ctypes.CDLL(None)
libc.signal.argtypes = [ctypes.c_int, kind]

def install(known, native):
    signal.signal(signal.SIGPROF, getattr(signal, known))
    libc.signal(signal.SIGPROF, actions[native])

def is_kept(native):
    status = dict(line.split(":") for line in open("/proc/self/status"))
    return int(status[entries[native]], 16) >> (signal.SIGPROF - 1) & 1
{block}
"""
RESETS = """
for known in ("SIG_DFL", "SIG_IGN"):
    for native in actions:
        install(known, native)
        with keep_native_handlers():
            signal.signal(signal.SIGPROF, signal.getsignal(signal.SIGPROF))
        print(known, native, is_kept(native))
"""
TRAIN = """
from pathlib import Path
from ferdata.runs.options import TrainOptions
from ferdata.training import run_training
options = TrainOptions(model="test_resnet", epochs=1, batch_size=14, device="cpu")
install("SIG_DFL", "handler")
run_training(Path({build!r}), Path({run!r}), options, quiet=True)
print(is_kept("handler"))
"""


def printed(block):
    """Return the lines that a block prints, in a process of its own with native actions."""
    command = [sys.executable, "-c", SCRIPT.format(block=block)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


def test_a_native_action_survives_pythons_reset():
    assert printed(RESETS) == [
        f"{known} {native} 1"
        for known in ("SIG_DFL", "SIG_IGN")
        for native in ("handler", "SIG_IGN")
    ]


def test_a_native_action_survives_a_run(make_build, tmp_path):
    block = TRAIN.format(build=str(make_build()), run=str(tmp_path / "run"))
    assert printed(block) == ["1"]
