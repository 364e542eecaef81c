"""Making batches ahead of their consumer, in one thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from queue import SimpleQueue
from typing import TypeVar

Plan = TypeVar("Plan")
Made = TypeVar("Made")

_AWAY_SHARE = 0.25
"""A consumer that is away for more than this part of the time a batch takes is worth a thread."""


class _End:
    """What the thread sends last: the reason why it ended, or none where all is made."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def prefetch(
    make: Callable[[Plan], Made], plans: Iterator[Plan], depth: int
) -> Generator[Made, None, None]:
    """Make batches in order, ahead of the consumer once it turns out to do work in between.

    A consumer that asks again at once leaves nothing to hide behind, and handing a batch from
    thread to thread costs about a tenth of copying one; so batches are made in the consumer's own
    thread until it has been away for a quarter of the time that making them took. A training loop
    is, from its second batch on, and then finds its batches ready.

    Closing the iterator, or dropping it, stops the thread.

    Args:
        make: Makes a batch; called from one thread at a time.
        plans: What to make; consumed from one thread at a time.
        depth: Batches that may lie ready; 0 for never a thread.

    Raises:
        BaseException: Whatever `make` raised, where the failed batch would have come.
    """
    away = busy = 0.0
    begun = time.perf_counter()
    for plan in plans:
        made = [make(plan)]
        left = time.perf_counter()
        busy += left - begun
        yield made.pop()  # no reference stays here: the consumer alone decides how long it lives
        begun = time.perf_counter()
        away += begun - left
        if depth > 0 and away > _AWAY_SHARE * busy:
            yield from _in_thread(make, plans, depth)


def _in_thread(make: Callable[[Plan], Made], plans: Iterator[Plan], depth: int) -> Iterator[Made]:
    """Make all batches in a thread, at most `depth` ahead."""
    ready: SimpleQueue[Made | _End] = SimpleQueue()
    tickets: SimpleQueue[None] = SimpleQueue()  # each allows one batch more
    stopped = threading.Event()
    thread = threading.Thread(
        target=_produce,
        args=(make, plans, ready, tickets, stopped),
        name="ferdata-prefetch",
        daemon=True,  # a batch that nobody waits for must not hold up the interpreter's end
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
        # The garbage collector may end an abandoned iterator in any thread, this one too.
        if thread is not threading.current_thread():
            thread.join()


def _produce(
    make: Callable[[Plan], Made],
    plans: Iterator[Plan],
    ready: SimpleQueue[Made | _End],
    tickets: SimpleQueue[None],
    stopped: threading.Event,
) -> None:
    """Body of the thread; refers to nothing that the consumer could abandon."""
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
