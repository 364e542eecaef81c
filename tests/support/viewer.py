"""The viewer for tests: a build with everything that it shows, a client, a server in a thread."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import uvicorn
from starlette.testclient import TestClient

from ferdata.viewer.app import make_app
from ferdata.viewer.marks import Marks
from ferdata.viewer.shown import Shown
from ferdata.viewer.subjects import open_subject
from support.builds import write_build
from support.pages import HOSTILE, hostile_classes

TOKEN = "a-token-of-tests"  # noqa: S105
PORT = 8123
ORIGIN = f"http://127.0.0.1:{PORT}"

HASHES = ["f" * 63 + "e", "f" * 63 + "c", "f" * 60 + "0000", "0f" * 32, "1" * 64, "0" * 64]
"""Of train: the first two are alike, the last says nothing."""


def write_viewed_build(root: Path) -> Path:
    """Write a build with copies, findings, hashes, and texts that are markup."""
    rows = {"train": [0, 1, 2, 0, 1, 0, 0, 0], "validation": [0, 1, 2], "test": [0, 1, 2]}
    people = {
        split: [
            {"split": split, "dataset": "spots", "uri": f"{HOSTILE}/{k}.png"}
            for k in range(len(labels))
        ]
        for split, labels in rows.items()
    }
    drawn = json.dumps([{"op": "brightness", "factor": 1.1342}])
    train = people["train"]
    for row, code in zip(train, HASHES, strict=False):
        row |= {"perceptual_hash": code, "pixel_sha256": code[::-1]}
    for row in train[6:]:
        row |= {**train[0], "parent_id": "spots/train_0", "operations": drawn}
    train[1] |= {"quality": ["dark:21.4", "blurred:0.1"], "face_finding": "eyes: too close"}
    train[2] |= {"quality": ["dark:20.1"], "dataset": HOSTILE}
    return write_build(
        root, rows, space=hostile_classes(), people=people, scheme="ibug68", name=HOSTILE
    )


def shown_of(path: Path, out: Path) -> Shown:
    """Return what the viewer shows of a path."""
    subject = open_subject(path)
    return Shown(subject, Marks(out, subject.rows, subject.title))


def client_of(shown: Shown, token: str | None = TOKEN, host: str = ORIGIN) -> TestClient:
    """Return a client that asks as the page does, with another token or host if given."""
    headers = {"Origin": host, "Cookie": f"ferdata-view-{PORT}={token}"} if token else {}
    return TestClient(make_app(shown, TOKEN, PORT), base_url=host, headers=headers)


@contextmanager
def served(shown: Shown) -> Iterator[str]:
    """Serve the page; yield its address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        config = uvicorn.Config(
            make_app(shown, TOKEN, port), lifespan="off", log_config=None, access_log=False,
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        server = uvicorn.Server(config)
        thread = Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{port}/?token={TOKEN}"
        finally:
            server.should_exit = True
            thread.join()
