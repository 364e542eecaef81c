"""Running independent tasks: in this process, in spawned processes, or on a Dask cluster.

Results always come back in the order of the tasks, so nothing depends on which worker finishes
first. Processes are spawned, never forked: native libraries of face detectors are not fork-safe.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection
from typing import Any, TypeVar

from ferdata.core.errors import MissingExtraError, OptionError, UnknownNameError, WorkerError

Task = TypeVar("Task")
Result = TypeVar("Result")

EXECUTORS = ("serial", "processes", "dask")


class SerialExecutor(Executor):
    """An executor that runs each task immediately, in this thread."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run the task and return its finished future."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - handed over through the future, as executors do
            future.set_exception(error)
        return future


@contextmanager
def open_executor(kind: str, workers: int) -> Iterator[Executor]:
    """Open an executor; its processes end with the block, also after Ctrl-C.

    Args:
        kind: `serial`; `processes`, spawned on this machine, or this process for one worker; or
            `dask`, a local Dask cluster.
        workers: Number of processes.

    Raises:
        OptionError: The kind is unknown or the number of workers is below 1.
        MissingExtraError: `dask` is not installed.
        WorkerError: A worker process died.
    """
    if workers < 1:
        raise OptionError(f"--workers {workers}: at least 1 is needed")
    if kind == "serial" or (kind == "processes" and workers == 1):
        yield SerialExecutor()
    elif kind == "processes":
        with _open_processes(workers) as pool:
            yield pool
    elif kind == "dask":
        with _open_dask(workers) as pool:
            yield pool
    else:
        raise UnknownNameError("executor", kind, EXECUTORS)


def run_in_order(
    executor: Executor, function: Callable[[Task], Result], tasks: Iterable[Task], *, ahead: int
) -> Iterator[Result]:
    """Run a function over tasks and yield the results in the order of the tasks.

    Args:
        executor: Any object with the interface of `concurrent.futures.Executor`.
        function: A module-level function of one task.
        tasks: The tasks, consumed lazily.
        ahead: Maximum number of submitted tasks, which bounds the memory of results.
    """
    pending: deque[Future[Result]] = deque()
    for task in tasks:
        pending.append(executor.submit(function, task))
        if len(pending) >= ahead:
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()


@contextmanager
def _open_processes(workers: int) -> Iterator[Executor]:
    pool = ProcessPoolExecutor(
        workers, mp_context=multiprocessing.get_context("spawn"), initializer=_start_worker
    )
    try:
        yield pool
    except BrokenProcessPool as error:
        raise WorkerError(
            "a worker process ended abruptly, perhaps out of memory; try fewer --workers. "
            'A script that calls ferdata with workers needs `if __name__ == "__main__":` around '
            "the call."
        ) from error
    except BaseException:
        processes = list((pool._processes or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()
        pool.shutdown()  # waits for the pool's thread, which could otherwise outlive its pipes
        raise
    else:
        pool.shutdown()


@contextmanager
def _open_dask(workers: int) -> Iterator[Executor]:
    try:
        from distributed import Client  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise MissingExtraError("--executor dask", "dask", error) from error
    with Client(n_workers=workers, threads_per_worker=1, dashboard_address=None) as client:
        client.run(_use_one_thread)
        yield client.get_executor()


def _start_worker() -> None:
    """Set up a spawned worker: one thread, ignores Ctrl-C, exits with its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_exit_with, args=(parent.sentinel,), daemon=True).start()
    _use_one_thread()


def _use_one_thread() -> None:
    import cv2  # noqa: PLC0415 - only workers need it

    cv2.setNumThreads(1)


def _exit_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def default_workers() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
