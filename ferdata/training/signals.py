"""Signal handlers of native libraries, kept through code that resets them."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

_ACTION_BYTES = 512
"""More than `struct sigaction` has on any system; it is copied, and only its first word is read."""


@contextmanager
def keep_native_handlers() -> Iterator[None]:
    """Put signal actions of native libraries back at the end of the block.

    Lightning's `fit` ends with `signal.signal(number, signal.getsignal(number))` for every signal.
    Python does not know actions that a native library installed with `sigaction` after Python
    started: `getsignal` returns `SIG_DFL` (or `SIG_IGN`, if the process began with it) for them, so
    that they are lost. A face detector's library handles SIGPROF while its timers run and ignores
    it otherwise; with `SIG_DFL` the next one ends the process ("Profiling timer expired").

    Handlers that were set from Python are left alone. Does nothing on systems without `sigaction`.
    """
    if os.name != "posix":
        yield
        return
    sigaction = ctypes.CDLL(None).sigaction
    native = {}
    for number in signal.valid_signals():
        known, action = signal.getsignal(number), ctypes.create_string_buffer(_ACTION_BYTES)
        if known not in (signal.SIG_DFL, signal.SIG_IGN) or sigaction(number, None, action) != 0:
            continue
        if (ctypes.c_void_p.from_buffer(action).value or 0) != known:  # the handler comes first
            native[number] = action
    try:
        yield
    finally:
        for number, action in native.items():
            sigaction(number, action, None)
