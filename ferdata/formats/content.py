"""What the renderer passes to the writers: the shape of a shard, then its rows in batches.

A writer gets a `ShardSpec`, then one `RowBatch` after the other, so that memory is bounded by one
batch (plus the shard's strings), not by the shard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ferdata.core.errors import BuildError, UnknownNameError
from ferdata.core.labels import LabelSpace
from ferdata.core.schema import SPLITS
from ferdata.formats.encoding import encode
from ferdata.formats.names import ENCODINGS, ROOT_ATTRIBUTES, STRING_COLUMNS


@dataclass(frozen=True)
class ShardSpec:
    """The shape of a shard, fixed before its first row is rendered.

    Attributes:
        rows: Number of rows, N; at least 1, since an empty split has no shard.
        height: Image height in pixels.
        width: Image width in pixels.
        channels: 3 for RGB, 1 for gray.
        encoding: How HDF5 stores the images: `raw`, `jpeg` or `png`. Parquet always stores PNG.
        label_space: The label space of `label` (indices) and `soft_label` (columns).
        landmark_scheme: Name of the scheme of `landmarks`; None without landmarks.
        points: Number of landmark points, P; 0 without a scheme.
        split: `train`, `validation` or `test`.
        attributes: Further attributes that the build writes into the file: `plan_sha256`,
            `template`, `ferdata_version`, `LICENSES_ATTRIBUTE` (JSON). No times and no paths.

    Raises:
        BuildError: The values contradict each other.
        UnknownNameError: Encoding or split is unknown.
    """

    rows: int
    height: int
    width: int
    channels: int
    encoding: str
    label_space: LabelSpace
    landmark_scheme: str | None
    points: int
    split: str
    attributes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.encoding not in ENCODINGS:
            raise UnknownNameError("encoding", self.encoding, ENCODINGS)
        if self.split not in SPLITS:
            raise UnknownNameError("split", self.split, SPLITS)
        if min(self.rows, self.height, self.width) < 1 or self.channels not in (1, 3):
            raise BuildError(
                f"a shard needs rows, height and width of at least 1 and 1 or 3 channels; "
                f"got {self.rows} rows of {self.height}×{self.width}×{self.channels}"
            )
        if (self.landmark_scheme is None) != (self.points == 0):
            raise BuildError(f"landmark scheme {self.landmark_scheme!r} with {self.points} points")
        if taken := set(self.attributes) & set(ROOT_ATTRIBUTES):
            raise BuildError(f"shard attributes {sorted(taken)} are written by the format itself")

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        return self.height, self.width, self.channels

    def columns(self) -> dict[str, tuple[tuple[int, ...], type[np.generic]]]:
        """Return the shape of one row and the dtype of every numeric column except the image."""
        return {
            "label": ((), np.int64),
            "soft_label": ((len(self.label_space),), np.float32),
            "landmarks": ((self.points, 2), np.float32),
            "box": ((4,), np.float32),
            "valence": ((), np.float32),
            "arousal": ((), np.float32),
        }


@dataclass(frozen=True, eq=False)
class RowBatch:
    """n consecutive rows of a shard. Unknown numbers are NaN, unknown strings are empty.

    Attributes:
        pixels: uint8, shape (n, H, W, C).
        label: int64, shape (n,): indices in the shard's label space.
        soft_label: float32, shape (n, K), over the shard's label space.
        landmarks: float32, shape (n, P, 2): x, y in output pixels.
        box: float32, shape (n, 4): x1, y1, x2, y2 in output pixels.
        valence: float32, shape (n,).
        arousal: float32, shape (n,).
        sample_id: The rows' ids, unique in the build.
        dataset: Names of the datasets that the rows come from.
        subject: The subjects.
        parent_id: For an augmented copy, the row that it was made from.
        operations: For an augmented copy, JSON with every drawn value.
    """

    pixels: npt.NDArray[np.uint8]
    label: npt.NDArray[np.int64]
    soft_label: npt.NDArray[np.float32]
    landmarks: npt.NDArray[np.float32]
    box: npt.NDArray[np.float32]
    valence: npt.NDArray[np.float32]
    arousal: npt.NDArray[np.float32]
    sample_id: Sequence[str]
    dataset: Sequence[str]
    subject: Sequence[str]
    parent_id: Sequence[str]
    operations: Sequence[str]
    _encoded: dict[str, list[bytes]] = field(default_factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.sample_id)

    def encoded(self, encoding: str) -> list[bytes]:
        """Return the images as `jpeg` or `png` files; each is encoded once for all writers."""
        if encoding not in self._encoded:
            self._encoded[encoding] = [encode(image, encoding) for image in self.pixels]
        return self._encoded[encoding]

    def check(self, spec: ShardSpec) -> None:
        """Check that the batch has the shapes and types of a shard.

        Raises:
            BuildError: A column differs; the message says which and what was expected.
        """
        n = len(self)
        _check_array("pixels", self.pixels, (n, *spec.image_shape), np.uint8)
        for name, (shape, dtype) in spec.columns().items():
            _check_array(name, getattr(self, name), (n, *shape), dtype)
        for name in STRING_COLUMNS:
            values = getattr(self, name)
            if len(values) != n:
                raise BuildError(f"column {name!r} has {len(values)} values for {n} rows")
            if any("\0" in value for value in values):
                raise BuildError(
                    f"column {name!r} contains a NUL character, which HDF5 can't store"
                )
        if n and not 0 <= self.label.min() <= self.label.max() < len(spec.label_space):
            raise BuildError(f"a label is outside {spec.label_space.name!r}")


@dataclass(frozen=True)
class ShardIdentity:
    """The rows of a shard, without pixels and numbers, for checks against a manifest.

    Attributes:
        split: The split recorded in the file.
        plan_sha256: Hash of the plan recorded in the file; empty if there is none.
        columns: `label` (class names) and the string columns; one string per row, "" for unknown.
    """

    split: str
    plan_sha256: str
    columns: Mapping[str, Sequence[str]]

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.columns["sample_id"])


def _check_array(name: str, values: Any, shape: tuple[int, ...], dtype: type[np.generic]) -> None:
    if values.shape != shape or values.dtype != dtype:
        raise BuildError(
            f"column {name!r} has shape {values.shape} and type {values.dtype}; "
            f"expected {shape} and {np.dtype(dtype)}"
        )
