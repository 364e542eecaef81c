"""Serving the page until the user ends it."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import webbrowser
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from threading import Thread

import uvicorn

from ferdata.core.errors import OptionError
from ferdata.viewer.app import make_app
from ferdata.viewer.guard import HOST
from ferdata.viewer.marks import Marks
from ferdata.viewer.options import ViewOptions
from ferdata.viewer.shown import Shown
from ferdata.viewer.subjects import open_subject

logger = logging.getLogger(__name__)

_GRACE = 1  # seconds for requests under way at the end
_WAIT = 0.5  # seconds: without a limit, Windows does not notice Ctrl-C


def serve(path: Path, out: Path, options: ViewOptions, announce: Callable[[str], object]) -> None:
    """Serve the page about a build, a run or an audit until Ctrl-C; then save what is unsaved.

    Args:
        path: The build, run or audit.
        out: The label patch that marks are saved to.
        options: How it is served.
        announce: Is told the page's address, with its token, when it can be opened.

    Raises:
        FerdataError: There is nothing to look at, `out` is no label patch, or the port is taken.
    """
    subject = open_subject(path)
    shown = Shown(subject, Marks(out, subject.rows, subject.title))
    with _listen(options.port) as listening:
        port = listening.getsockname()[1]
        token = secrets.token_urlsafe(24)
        address = f"http://{HOST}:{port}/?token={token}"
        announce(address)
        if options.open:  # a browser in the terminal would block
            Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        config = uvicorn.Config(
            make_app(shown, token, port),
            access_log=False,
            lifespan="off",
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=_GRACE,
        )
        try:
            _run(uvicorn.Server(config), listening)
        finally:
            _save_rest(shown.marks)


def _run(server: uvicorn.Server, listening: socket.socket) -> None:
    """Run a server until Ctrl-C, in a thread: a notebook has a loop of its own in this one."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(server.run, [listening])
        try:
            while not running.done():
                wait([running], _WAIT)
        except KeyboardInterrupt:  # the usual way to end it
            server.should_exit = True
        running.result()


def _listen(port: int) -> socket.socket:
    """Open the socket before the address is announced, so that the page can be asked for.

    Raises:
        OptionError: The port is taken or not allowed.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if os.name == "posix":  # on Windows it would let two servers share a port
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
    except OSError as error:
        listening.close()
        raise OptionError(
            f"--port {port}: {error.strerror}; name another, or leave it out for a free one"
        ) from error
    listening.listen()
    return listening


def _save_rest(marks: Marks) -> None:
    if marks.unsaved:
        logger.warning("Saved what was not saved yet, %d marks: %s", len(marks), marks.save())
