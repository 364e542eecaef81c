"""`ferdata view` as a user runs it: its address, its end, a port that is taken."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

pytest.importorskip("starlette")


from ferdata.core.errors import OptionError
from ferdata.viewer import serve


def test_it_serves_until_it_is_interrupted(viewed_build: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ferdata", "view", str(viewed_build), "--no-open", "--out"]
    with subprocess.Popen(
        [*command, str(tmp_path / "marks.json")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout
        address = server.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(address) as page:  # noqa: S310 - the address is ours
            assert b"<title>ferdata view</title>" in page.read()
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(address.partition("?")[0])  # noqa: S310
        server.send_signal(signal.SIGINT)
        rest, errors = server.communicate(timeout=20)
    assert (server.returncode, rest, errors) == (0, "", "")
    assert not (tmp_path / "marks.json").exists()


def test_a_taken_port_is_an_error() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(OptionError, match=f"--port {port}: Address already in use; name"):
            serve._listen(port)
