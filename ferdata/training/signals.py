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
    """Put the signal handlers of native libraries back at the end of the block.

    Lightning's `fit` ends with `signal.signal(number, signal.getsignal(number))` for every signal.
    Python does not know handlers that a native library installed with `sigaction` after Python
    started: `getsignal` returns `SIG_DFL` for them, so that they are lost and the next such signal
    ends the process. MediaPipe has a handler for SIGPROF ("Profiling timer expired").

    Handlers that were set from Python are left alone. Does nothing on systems without `sigaction`.
    """
    if os.name != "posix":
        yield
        return
    sigaction = ctypes.CDLL(None).sigaction
    native = {}
    for number in signal.valid_signals():
        action = ctypes.create_string_buffer(_ACTION_BYTES)
        if signal.getsignal(number) != signal.SIG_DFL or sigaction(number, None, action) != 0:
            continue
        # the handler comes first: None is SIG_DFL
        if ctypes.c_void_p.from_buffer(action).value not in (None, signal.SIG_IGN):
            native[number] = action
    try:
        yield
    finally:
        for number, action in native.items():
            sigaction(number, action, None)
