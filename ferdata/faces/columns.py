"""The manifest's face and content columns, made a batch of rows at a time.

Landmarks go from numpy buffers into Arrow lists; no coordinate ever becomes a Python object.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ferdata.core.schema import SCHEMA
from ferdata.faces.detection import BLENDSHAPES
from ferdata.faces.schemes import FIVE, MEDIAPIPE478, scheme
from ferdata.faces.task import ImageResult

Floats = npt.NDArray[np.float32]

COLUMNS = (
    "five_points",
    "landmarks",
    "landmark_scheme",
    "landmark_source",
    "face_count",
    "face_rule",
    "face_score",
    "blendshapes",
    "width",
    "height",
    "channels",
    "file_sha256",
    "pixel_sha256",
    "perceptual_hash",
)
"""What `locate_faces` fills, in this order."""


@dataclass
class FacePoints:
    """The points of one row, as they go into the manifest.

    Attributes:
        source: `dataset`, `mediapipe` or `none`.
        scheme: Name of the scheme of `landmarks`, None without them.
        landmarks: float32 (P, 2), pixels.
        five: float32 (5, 2), pixels.
    """

    source: str = "none"
    scheme: str | None = None
    landmarks: Floats | None = None
    five: Floats | None = None


def shipped_points(table: pa.Table) -> list[FacePoints]:
    """Return the points that a dataset ships, for each row of a slice of the manifest.

    Five points that people placed stay as they are; the reduction of the landmarks stands in where
    they are absent. Rows that have only five points get them as landmarks, too.
    """
    landmarks = _point_lists(table.column("landmarks"))
    five = _five_points(table.column("five_points"))
    schemes = table.column("landmark_scheme").to_pylist()
    return [_shipped(*row) for row in zip(landmarks, five, schemes, strict=True)]


def detected_points(facts: ImageResult) -> FacePoints:
    """Return the points that MediaPipe found in an image."""
    if facts.detection is None:
        return FacePoints()
    landmarks = facts.detection.landmarks
    five = MEDIAPIPE478.to_five(landmarks)
    return FacePoints("mediapipe", MEDIAPIPE478.name, landmarks, np.asarray(five, np.float32))


def make_columns(points: Sequence[FacePoints], facts: Sequence[ImageResult]) -> dict[str, pa.Array]:
    """Return the arrays of `COLUMNS` for some rows.

    Args:
        points: What goes into the row's landmarks.
        facts: What is known of its image; of the same length.
    """
    found = [one.detection for one in facts]
    looked = [bool(one.origin) for one in facts]
    count = [
        (face.face_count if face else 0) if seen else None
        for face, seen in zip(found, looked, strict=True)
    ]
    values: dict[str, Any] = {
        "five_points": _fixed_lists([one.five for one in points], 10),
        "landmarks": _landmark_lists([one.landmarks for one in points]),
        "landmark_scheme": [one.scheme for one in points],
        "landmark_source": [one.source for one in points],
        "face_count": count,
        "face_rule": [face.rule if face else None for face in found],
        "face_score": [face.score if face else None for face in found],
        "blendshapes": _fixed_lists(
            [face.blendshapes if face else None for face in found], BLENDSHAPES
        ),
        "width": [one.width for one in facts],
        "height": [one.height for one in facts],
        "channels": [one.channels for one in facts],
        "file_sha256": [one.file_sha256 for one in facts],
        "pixel_sha256": [one.pixel_sha256 for one in facts],
        "perceptual_hash": [one.perceptual_hash for one in facts],
    }
    return {
        name: value if isinstance(value, pa.Array) else pa.array(value, SCHEMA.field(name).type)
        for name, value in values.items()
    }


def _shipped(landmarks: Floats | None, five: Floats | None, name: str | None) -> FacePoints:
    if landmarks is None and five is None:
        return FacePoints()
    if landmarks is None or name is None:
        return FacePoints("dataset", FIVE.name, five, five)
    if five is None:
        five = np.asarray(scheme(name).to_five(landmarks), np.float32)
    return FacePoints("dataset", name, landmarks, five)


def _point_lists(column: pa.ChunkedArray) -> list[Floats | None]:
    """Split a column of lists of points into one array (P, 2) per row, None for null."""
    rows: list[Floats | None] = []
    for chunk in column.chunks:
        flat = chunk.flatten()  # without the values of null rows
        points = flat.flatten().to_numpy(zero_copy_only=False).reshape(-1, 2)
        lengths = chunk.value_lengths().to_pylist()
        ends = np.cumsum([length or 0 for length in lengths], dtype=np.int64)
        rows += [
            points[end - length : end] if length else None
            for length, end in zip(lengths, ends.tolist(), strict=True)
        ]
    return rows


def _five_points(column: pa.ChunkedArray) -> list[Floats | None]:
    """Return one array (5, 2) per row, None for null and for rows with an unknown coordinate."""
    rows: list[Floats | None] = []
    for chunk in column.chunks:
        valid = chunk.is_valid().to_pylist()
        known = iter(chunk.drop_null().flatten().to_numpy(zero_copy_only=False).reshape(-1, 5, 2))
        arrays = [next(known) if there else None for there in valid]
        rows += [one if one is not None and np.isfinite(one).all() else None for one in arrays]
    return rows


def _landmark_lists(rows: Sequence[Floats | None]) -> pa.Array:
    present = [row for row in rows if row is not None]
    flat = np.concatenate(present) if present else np.empty((0, 2), np.float32)
    lengths = [0 if row is None else len(row) for row in rows]
    offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int32)
    points = pa.FixedSizeListArray.from_arrays(
        pa.array(np.ascontiguousarray(flat, np.float32).reshape(-1)), 2
    )
    return pa.ListArray.from_arrays(
        pa.array(offsets),
        points,
        type=SCHEMA.field("landmarks").type,
        mask=pa.array([row is None for row in rows]),
    )


def _fixed_lists(rows: Sequence[Floats | None], length: int) -> pa.Array:
    values = np.zeros((len(rows), length), np.float32)
    for position, row in enumerate(rows):
        if row is not None:
            values[position] = row.reshape(-1)
    mask = pa.array([row is None for row in rows], pa.bool_())
    return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), length, mask=mask)
