"""The manifest's face and content columns, made for a batch of rows at a time.

Landmarks go from numpy buffers into Arrow lists; no coordinate ever becomes a Python object.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ferdata.core.errors import ManifestError
from ferdata.core.schema import BLENDSHAPES, SCHEMA
from ferdata.faces.detection import Detection
from ferdata.faces.landmark_scheme import LandmarkScheme
from ferdata.faces.schemes import FIVE, scheme
from ferdata.faces.task import ImageResult

Floats = npt.NDArray[np.float32]

_CONTENT = ("width", "height", "channels", "file_sha256", "pixel_sha256", "perceptual_hash")

COLUMNS = (
    "box",
    "five_points",
    "landmarks",
    "landmark_scheme",
    "landmark_source",
    "face_count",
    "face_rule",
    "face_score",
    "blendshapes",
    *_CONTENT,
    "quality",
)
"""The columns that `locate_faces` fills, in this order."""


@dataclass
class FacePoints:
    """The points of one row, as they go into the manifest.

    Attributes:
        source: `dataset`, the name of a detector, or `none`.
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

    Five points placed by annotators are kept; where they are absent, the landmarks are reduced to
    five. Rows that have only five points get them as landmarks, too.
    """
    landmarks = _point_lists(table.column("landmarks"))
    five = _five_points(table.column("five_points"))
    schemes = table.column("landmark_scheme").to_pylist()
    return [_shipped(*row) for row in zip(landmarks, five, schemes, strict=True)]


def detected_points(
    detection: Detection | None, detector: str, points_scheme: LandmarkScheme
) -> FacePoints:
    """Return the points that a detector found in an image."""
    if detection is None:
        return FacePoints()
    five = np.asarray(points_scheme.to_five(detection.landmarks), np.float32)
    return FacePoints(detector, points_scheme.name, detection.landmarks, five)


def make_columns(
    points: Sequence[FacePoints], images: Sequence[ImageResult]
) -> dict[str, pa.Array]:
    """Return the arrays of `COLUMNS` for some rows.

    Args:
        points: The landmarks of each row.
        images: The result of reading its image; of the same length.
    """
    faces = [image.detection for image in images]
    count = [
        (face.face_count if face else 0) if image.origin else None
        for face, image in zip(faces, images, strict=True)
    ]
    values: dict[str, Any] = {
        "box": [image.box for image in images],
        "five_points": _fixed_lists([row.five for row in points], 10),
        "landmarks": _landmark_lists([row.landmarks for row in points]),
        "landmark_scheme": [row.scheme for row in points],
        "landmark_source": [row.source for row in points],
        "face_count": count,
        "face_rule": [face.rule if face else None for face in faces],
        "face_score": [face.score if face else None for face in faces],
        "blendshapes": _fixed_lists(
            [face.blendshapes if face else None for face in faces], BLENDSHAPES
        ),
        **{name: [getattr(image, name) for image in images] for name in _CONTENT},
        "quality": [image.findings for image in images],
    }
    return {
        name: value if isinstance(value, pa.Array) else pa.array(value, SCHEMA.field(name).type)
        for name, value in values.items()
    }


def _shipped(landmarks: Floats | None, five: Floats | None, name: str | None) -> FacePoints:
    if landmarks is None:
        return FacePoints() if five is None else FacePoints("dataset", FIVE.name, five, five)
    if name is None:
        raise ManifestError("a row has landmarks but no landmark_scheme that tells them")
    if five is None:
        five = np.asarray(scheme(name).to_five(landmarks), np.float32)
    return FacePoints("dataset", name, landmarks, five)


def _point_lists(column: pa.ChunkedArray) -> list[Floats | None]:
    """Split a column of point lists into one array (P, 2) per row, None for null."""
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
    """Return one array (5, 2) per row, None for null or if a coordinate is not finite."""
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
        mask=pa.array([row is None for row in rows], pa.bool_()),
    )


def _fixed_lists(rows: Sequence[Floats | None], length: int) -> pa.Array:
    values = np.zeros((len(rows), length), np.float32)
    for position, row in enumerate(rows):
        if row is not None:
            values[position] = row.reshape(-1)
    mask = pa.array([row is None for row in rows], pa.bool_())
    return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), length, mask=mask)
