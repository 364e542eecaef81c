"""Start-up stays light: what is loaded, and how long `ferdata --help` takes."""

from __future__ import annotations

import math
import subprocess
import sys
import time

HEAVY = {"torch", "mediapipe", "albumentations", "datasets", "lightning", "matplotlib"}


def loaded_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*{{name.split('.')[0] for name in sys.modules}})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_import_loads_nothing_heavy() -> None:
    assert not loaded_by("import ferdata") & HEAVY


def test_command_line_loads_nothing_heavy() -> None:
    loaded = loaded_by("from ferdata.cli.app import app")
    assert not loaded & (HEAVY | {"pandas", "pyarrow", "cv2", "h5py"})


def test_help_is_quick() -> None:
    """0.4 s is the promise; other tests run beside this one, so the best of many runs counts."""
    best = math.inf
    for _ in range(20):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "ferdata", "--help"], check=True, capture_output=True)
        best = min(best, time.perf_counter() - start)
        if best < 0.4:
            break
    assert best < 0.4
