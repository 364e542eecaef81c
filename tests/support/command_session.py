"""A process that runs commands and Python blocks one after the other, as a user's shell would.

Starting Python and importing torch for every command takes most of its time; here both are done
once. bash still splits each command into words.
"""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

_WORDS = "ferdata() { printf '%s\\0' \"$@\"; }; "
"""Defines ferdata, for bash, as what prints its arguments with a NUL after each."""


def run_session(work: Path, environment: dict[str, str], steps: Sequence[str]) -> list[dict]:
    """Run steps in a folder until one fails.

    Args:
        work: The folder.
        environment: The variables of the process.
        steps: Commands that begin with `ferdata `, or blocks of Python.

    Returns:
        For each step that was begun: `step`, `status`, `output`, `seconds`.
    """
    done = subprocess.run(
        [sys.executable, __file__],
        cwd=work,
        env=environment | {"PYTHONPATH": str(Path(__file__).parents[2])},
        input=json.dumps(list(steps)),
        capture_output=True,
        text=True,
        check=False,
    )
    results = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode:
        raise AssertionError(f"after {len(results)} steps: {done.stderr[-3000:]}")
    return results


def failed(step: str, status: int) -> bool:
    """Say whether a step failed; an audit also exits with 1 if it finds something."""
    return status not in ((0, 1) if step.startswith("ferdata audit ") else (0,))


def _run(step: str) -> int:
    if not step.startswith("ferdata "):
        exec(compile(step, "<block>", "exec"), {"__name__": "__main__"})  # noqa: S102 - a page's own
        return 0
    from ferdata.cli import main

    told = subprocess.run(["bash", "-c", _WORDS + step], capture_output=True, text=True, check=True)
    try:
        main(told.stdout.split("\0")[:-1])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def _main() -> None:
    results = sys.stdout
    for step in json.load(sys.stdin):
        printed, started = io.StringIO(), time.process_time()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            try:
                status = _run(step)
            except Exception:  # noqa: BLE001 - whatever it is, the test shows it
                traceback.print_exc()
                status = 1
        result = {"step": step, "status": status, "output": printed.getvalue(),
                  "seconds": round(time.process_time() - started, 1)}  # fmt: skip
        results.write(json.dumps(result) + "\n")
        if failed(step, status):
            return


if __name__ == "__main__":
    _main()
