"""Prefetching: batches made ahead of their consumer, in one thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from queue import SimpleQueue
from typing import TypeVar

Plan = TypeVar("Plan")
Made = TypeVar("Made")

_WORTH_A_THREAD = 0.25
"""A thread is started if the consumer works longer than this fraction of the time for a batch."""


class _End:
    """The last item that the thread sends: the error that ended it, or None."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def prefetch(
    make: Callable[[Plan], Made], plans: Iterator[Plan], depth: int
) -> Generator[Made, None, None]:
    """Make batches in order, in a thread if the consumer works between batches.

    If the consumer requests batches without pause, there is no work to overlap with, and passing a
    batch between threads costs about a tenth of copying it. So batches are made in the consumer's
    own thread until it has spent a quarter of their time on other work, which in a training loop is
    the case after one or two batches.

    Closing or dropping the iterator stops the thread.

    Args:
        make: Makes a batch; called from one thread at a time.
        plans: What to make; consumed from one thread at a time.
        depth: Maximum number of batches made ahead; 0 for no thread.

    Raises:
        BaseException: Whatever `make` raised, in place of the failed batch.
    """
    away = busy = 0.0
    begun = time.perf_counter()
    for plan in plans:
        made = [make(plan)]
        left = time.perf_counter()
        busy += left - begun
        yield made.pop()  # no reference is kept here: the consumer alone decides how long it lives
        begun = time.perf_counter()
        away += begun - left
        if depth > 0 and away > _WORTH_A_THREAD * busy:
            yield from _in_thread(make, plans, depth)


def _in_thread(make: Callable[[Plan], Made], plans: Iterator[Plan], depth: int) -> Iterator[Made]:
    """Make all batches in a thread, at most `depth` ahead."""
    ready: SimpleQueue[Made | _End] = SimpleQueue()
    tickets: SimpleQueue[None] = SimpleQueue()  # each allows one more batch
    stopped = threading.Event()
    thread = threading.Thread(
        target=_produce,
        args=(make, plans, ready, tickets, stopped),
        name="ferdata-prefetch",
        daemon=True,  # an unused batch must not delay the interpreter's exit
    )
    for _ in range(depth):
        tickets.put(None)
    thread.start()
    try:
        while True:
            made = [ready.get()]
            if isinstance(made[0], _End):
                if made[0].error is not None:
                    raise made[0].error
                return
            tickets.put(None)
            yield made.pop()  # type: ignore[misc] # narrowed above
    finally:
        stopped.set()
        tickets.put(None)
        # The garbage collector may close an abandoned iterator in any thread, even this one.
        if thread is not threading.current_thread():
            thread.join()


def _produce(
    make: Callable[[Plan], Made],
    plans: Iterator[Plan],
    ready: SimpleQueue[Made | _End],
    tickets: SimpleQueue[None],
    stopped: threading.Event,
) -> None:
    """Body of the thread; it refers to nothing that the consumer could drop."""
    try:
        for plan in plans:
            tickets.get()
            if stopped.is_set():
                return
            ready.put(make(plan))
    except BaseException as error:  # noqa: BLE001 - raised again in the consumer's thread
        ready.put(_End(error))
    else:
        ready.put(_End())
