"""Executors: results in the order of the tasks, workers that end with their parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from ferdata.core.errors import OptionError, UnknownNameError, WorkerError
from ferdata.core.parallel import open_executor, run_in_order


def late_square(number: int) -> int:
    """Square a number; earlier tasks take longer."""
    time.sleep(0.05 * (4 - number) if number < 4 else 0)
    return number * number


def fail(number: int) -> int:
    raise ValueError(f"task {number}")


@pytest.mark.parametrize("kind", ["serial", "processes", "dask"])
def test_results_come_in_the_order_of_the_tasks(kind: str) -> None:
    with open_executor(kind, 2) as executor:
        assert list(run_in_order(executor, late_square, range(8), ahead=4)) == [
            number * number for number in range(8)
        ]


@pytest.mark.parametrize("kind", ["serial", "processes"])
def test_a_task_that_fails_ends_the_run(kind: str) -> None:
    with pytest.raises(ValueError, match="task 0"), open_executor(kind, 2) as executor:
        list(run_in_order(executor, fail, range(100), ahead=4))


def die(number: int) -> int:
    os._exit(3)


def test_a_worker_that_dies_is_a_clear_error() -> None:
    with pytest.raises(WorkerError, match="fewer --workers"), open_executor("processes", 2) as pool:
        list(run_in_order(pool, die, range(4), ahead=4))


def test_wrong_executor_and_workers() -> None:
    with pytest.raises(UnknownNameError, match="dask, processes, serial"), open_executor("gpu", 1):
        pass
    with pytest.raises(OptionError, match="at least 1"), open_executor("serial", 0):
        pass


CHILD = """
import os, time
from ferdata.core.parallel import open_executor

def main():
    with open_executor("processes", 2) as executor:
        pids = {executor.submit(os.getpid).result() for _ in range(8)}
        print(*pids, flush=True)
        time.sleep(60)

if __name__ == "__main__":
    main()
"""


def test_workers_end_when_their_parent_is_killed(tmp_path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(CHILD)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as parent:
        pids = [int(word) for word in parent.stdout.readline().split()]
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while any(map(is_alive, pids)):
        assert time.monotonic() < deadline, "workers outlived their parent"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
