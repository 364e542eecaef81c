"""The rows of one shard as plain arrays, ready for rendering."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ferdata.core.list_columns import vectors
from ferdata.core.manifest import Manifest
from ferdata.faces.face_rows import usable_points
from ferdata.faces.schemes import scheme

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class ShardRows:
    """The rows of a shard, column by column; index i is the same row in every column.

    Attributes:
        manifest: The rows as a manifest.
        label: int64, shape (N,).
        soft_label: float32, shape (N, K), over the label space; one-hot where the source has none.
        five_points: float32, shape (N, 5, 2), source pixels; NaN where unknown or implausible.
        landmarks: float32, shape (N, P, 2), source pixels, in the shard's scheme; NaN where
            unknown.
        box: float32, shape (N, 4), source pixels; NaN where unknown.
        valence: float32, shape (N,); NaN where unknown.
        arousal: float32, shape (N,); NaN where unknown.
        text: The string columns; an empty string where null.
    """

    manifest: Manifest
    label: npt.NDArray[np.int64]
    soft_label: Floats
    five_points: Floats
    landmarks: Floats
    box: Floats
    valence: Floats
    arousal: Floats
    text: dict[str, list[str]]

    def __len__(self) -> int:
        return len(self.label)


_TEXT = (
    "sample_id",
    "dataset",
    "uri",
    "framing",
    "label",
    "subject",
    "file_sha256",
    "parent_id",
    "operations",
)


def read_rows(manifest: Manifest, landmark_scheme: str) -> ShardRows:
    """Convert a shard's rows to arrays.

    Args:
        manifest: The rows of one shard.
        landmark_scheme: The scheme of the shard; landmarks of other schemes are reduced to `five`.
    """
    table = manifest.table
    text = {name: _strings(table.column(name)) for name in _TEXT}
    label = manifest.label_space.encode(text["label"])
    return ShardRows(
        manifest=manifest,
        label=label,
        soft_label=_soft_labels(manifest, label),
        five_points=usable_points(table),
        landmarks=_landmarks(table, landmark_scheme),
        box=vectors(table.column("box")),
        valence=_floats(table.column("valence")),
        arousal=_floats(table.column("arousal")),
        text=text,
    )


def _strings(column: pa.ChunkedArray) -> list[str]:
    return list(pc.fill_null(column, "").to_pylist())


def _floats(column: pa.ChunkedArray) -> Floats:
    return np.asarray(pc.fill_null(column, float("nan")).to_numpy(), dtype=np.float32)


def _soft_labels(manifest: Manifest, label: npt.NDArray[np.int64]) -> Floats:
    given = manifest.label_space.project(vectors(manifest.table.column("soft_label")))
    one_hot = np.eye(len(manifest.label_space), dtype=np.float32)[label]
    known = np.isfinite(given).all(axis=1) & (given.sum(axis=1) > 0)
    return np.where(known[:, None], given, one_hot)


def _landmarks(table: pa.Table, wanted: str) -> Floats:
    """Return the landmarks in one scheme, (N, P, 2)."""
    landmarks = np.full((len(table), scheme(wanted).size, 2), np.nan, dtype=np.float32)
    names = np.array(_strings(table.column("landmark_scheme")), dtype=object)
    for name in sorted(set(names) - {""}):
        positions = np.flatnonzero(names == name)
        column = table.column("landmarks").take(pa.array(positions)).combine_chunks()
        points = column.flatten().flatten().to_numpy().reshape(len(positions), -1, 2)
        landmarks[positions] = points if name == wanted else scheme(name).to_five(points)
    return landmarks
