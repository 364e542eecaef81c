"""The faces of a manifest's rows as plain arrays, and their division into sets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ferdata.core.list_columns import vectors
from ferdata.core.manifest import Manifest
from ferdata.faces.align import determine_scale

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Names = npt.NDArray[np.object_]


def usable_points(table: pa.Table) -> npt.NDArray[np.float32]:
    """Return the five points that images may be aligned by.

    Args:
        table: Columns `five_points` and `face_finding`.

    Returns:
        float32 (N, 5, 2), NaN where they are unknown or implausible.
    """
    points = vectors(table.column("five_points")).reshape(-1, 5, 2)
    points[pc.is_valid(table.column("face_finding")).to_numpy()] = np.nan
    return points


@dataclass(frozen=True)
class FaceRows:
    """The faces of some rows; index i is one row everywhere.

    A set is what one dataset ships in one framing: its faces lie alike.

    Attributes:
        sample_id: Shape (N,).
        dataset: Shape (N,).
        framing: `crop` or `photograph`, shape (N,).
        points: The usable five points, float64 (N, 5, 2), source pixels; NaN where unknown.
        sides: Width and height of the source image, float64 (N, 2), pixels.
    """

    sample_id: Names
    dataset: Names
    framing: Names
    points: Floats
    sides: Floats

    @classmethod
    def of(cls, manifest: Manifest) -> FaceRows:
        """Return the faces of a manifest's rows, as the face stage filled them in."""
        table = manifest.table
        sides = [np.asarray(table.column(name).to_numpy(), float) for name in ("width", "height")]
        return cls(
            sample_id=manifest.strings("sample_id"),
            dataset=manifest.strings("dataset"),
            framing=manifest.strings("framing"),
            points=usable_points(table).astype(np.float64),
            sides=np.stack(sides, axis=1),
        )

    def __len__(self) -> int:
        return len(self.sample_id)

    @property
    def known(self) -> Mask:
        """Which rows have points that determine an alignment, (N,)."""
        return determine_scale(self.points)

    def take(self, chosen: npt.NDArray[Any]) -> FaceRows:
        """Return the rows of a mask or at positions."""
        return FaceRows(**{name: values[chosen] for name, values in vars(self).items()})

    def sets(self) -> Iterator[tuple[str, str, Mask]]:
        """Yield dataset, framing and rows of each set, sorted."""
        for dataset, framing in sorted(set(zip(self.dataset, self.framing, strict=True))):
            yield dataset, framing, (self.dataset == dataset) & (self.framing == framing)
