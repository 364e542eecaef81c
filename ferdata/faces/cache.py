"""Earlier detections, in one SQLite file.

Finding landmarks is the expensive step of a build, and its result depends only on the pixels, the
detector's version and the given box. The cache changes no result, only the time it takes: it may be
deleted, and where it can't be used, work continues without it.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ferdata.core.folders import cache_folder
from ferdata.core.schema import BLENDSHAPES
from ferdata.faces.detection import Detection

logger = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS detection (
    pixel_sha256 TEXT NOT NULL,
    box TEXT NOT NULL,           -- the given box, see box_key
    detector TEXT NOT NULL,      -- version of the detector, with what it was asked for
    face_count INTEGER NOT NULL, -- 0: no face was found
    rule TEXT,
    score REAL,
    landmarks BLOB,              -- little-endian float32 (P, 2)
    blendshapes BLOB,            -- little-endian float32
    PRIMARY KEY (pixel_sha256, box, detector)
)
"""
_LOOKUP = (
    "SELECT pixel_sha256, box, face_count, rule, score, landmarks, blendshapes "
    "FROM detection WHERE detector = ? AND pixel_sha256 IN ({})"
)
_INSERT = "INSERT OR REPLACE INTO detection VALUES (?, ?, ?, ?, ?, ?, ?, ?)"

_LOCK_TIMEOUT = 30.0  # seconds that one build waits while another writes
_KEYS_PER_QUERY = 500  # SQLite allows 999 parameters in old versions

Key = tuple[str, str]
"""Pixel hash and box key of one image to detect in."""


def cache_path() -> Path:
    """Return the path of the user's detection cache."""
    return cache_folder() / "detections-1.sqlite"


def box_key(box: Sequence[float] | None) -> str:
    """Return a box as part of a key; empty without a box.

    Args:
        box: x1, y1, x2, y2 in pixels.
    """
    return "" if box is None else ",".join(f"{value:.9g}" for value in box)


class DetectionCache:
    """A table of detections; use it as a context manager.

    A file that SQLite can't read is moved aside and a new one started. Several processes may read
    and write at once.

    Args:
        path: The SQLite file, or None for a cache that holds nothing.
        detector: Version of the detector whose results are looked up and stored.
        points: Number of landmarks of a face, as in that detector's scheme.
        repair: Whether to move a broken file aside and to warn of trouble. One process of a build
            does so; its workers continue without the cache.
    """

    def __init__(
        self, path: Path | None, detector: str, points: int, *, repair: bool = True
    ) -> None:
        self._path = path
        self._detector = detector
        self._points = points
        self._repair = repair
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def get(self, keys: Iterable[Key]) -> dict[Key, Detection | None]:
        """Look up detections.

        Returns:
            The stored ones, None for an image without a face; keys that are not stored are missing.
        """
        wanted = set(keys)
        found: dict[Key, Detection | None] = {}
        with self._recovering():
            for row in self._rows(sorted({pixels for pixels, _ in wanted})):
                key, usable, detection = _decode(row, self._points)
                if usable and key in wanted:
                    found[key] = detection
        return found

    def put(self, detections: Mapping[Key, Detection | None]) -> None:
        """Store detections, all or none of them."""
        rows = [_encode(key, self._detector, value) for key, value in detections.items()]
        with self._recovering():
            if self._connection is not None and rows:
                with self._connection:
                    self._connection.executemany(_INSERT, rows)

    def _rows(self, pixels: list[str]) -> Iterator[Sequence[Any]]:
        if self._connection is None:
            return
        for start in range(0, len(pixels), _KEYS_PER_QUERY):
            some = pixels[start : start + _KEYS_PER_QUERY]
            query = _LOOKUP.format(",".join("?" * len(some)))
            yield from self._connection.execute(query, (self._detector, *some))

    def _open(self) -> None:
        if self._path is None:
            return
        with self._recovering():
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                self._give_up(error)
                return
            self._connection = sqlite3.connect(self._path, timeout=_LOCK_TIMEOUT)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute(_SCHEMA)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextlib.contextmanager
    def _recovering(self) -> Iterator[None]:
        """Replace a broken file by an empty cache, and one that can't be used by none."""
        try:
            yield
        except sqlite3.OperationalError as error:  # locked, read-only, full, no permission
            self._give_up(error)
        except sqlite3.DatabaseError as error:  # not a database, or broken inside
            if not self._repair:
                self._give_up(error)
                return
            self._close()
            if self._move_aside(error):
                self._open()

    def _give_up(self, error: Exception) -> None:
        level = logging.WARNING if self._repair else logging.DEBUG
        logger.log(level, "%s: detections are not cached: %s", self._path, error)
        self._close()
        self._path = None

    def _move_aside(self, error: Exception) -> bool:
        """Rename the broken file; use no cache if that fails."""
        if self._path is None:
            return False
        aside = self._path.with_name(f"{self._path.name}.broken-{time.time_ns()}")
        try:
            self._path.rename(aside)
            for suffix in ("-wal", "-shm"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        except FileNotFoundError:  # another process moved it first
            return True
        except OSError as failure:
            self._give_up(failure)
            return False
        logger.warning(
            "%s: broken (%s); moved to %s, and a new one started", self._path, error, aside
        )
        return True


def _encode(key: Key, detector: str, detection: Detection | None) -> tuple[Any, ...]:
    pixels, box = key
    if detection is None:
        return (pixels, box, detector, 0, None, None, None, None)
    blendshapes = None if detection.blendshapes is None else _to_bytes(detection.blendshapes)
    return (
        pixels,
        box,
        detector,
        detection.face_count,
        detection.rule,
        detection.score,
        _to_bytes(detection.landmarks),
        blendshapes,
    )


def _decode(row: Sequence[Any], points: int) -> tuple[Key, bool, Detection | None]:
    """Return the key, whether the row is usable, and its detection."""
    pixels, box, face_count, rule, score, landmarks, blendshapes = row
    key = (pixels, box)
    if face_count == 0:
        return key, True, None
    if landmarks is None or len(landmarks) != points * 2 * 4:
        return key, False, None
    if blendshapes is not None and len(blendshapes) != BLENDSHAPES * 4:
        return key, False, None
    detection = Detection(
        landmarks=_from_bytes(landmarks).reshape(points, 2),
        face_count=face_count,
        rule=rule,
        score=score,
        blendshapes=None if blendshapes is None else _from_bytes(blendshapes),
    )
    return key, True, detection


def _to_bytes(values: npt.NDArray[np.float32]) -> bytes:
    return values.astype("<f4").tobytes()


def _from_bytes(data: bytes) -> npt.NDArray[np.float32]:
    return np.frombuffer(data, dtype="<f4").astype(np.float32)
