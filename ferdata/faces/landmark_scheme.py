"""What a landmark scheme is: how many points, which of them a flip exchanges, where the five are.

Left and right are those of the image, not of the subject: the image-left eye is the subject's right
eye in a photograph that is not mirrored. Coordinates are pixels, integers at pixel centers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.floating[Any]]

FIVE_NAMES = (
    "image-left eye center",
    "image-right eye center",
    "nose tip",
    "image-left mouth corner",
    "image-right mouth corner",
)
"""The five points and their order, in every scheme, column and file of ferdata."""

REGIONS = ("brows", "eyes", "nose", "mouth")
"""Parts of a face that a scheme's points may be grouped by."""


@dataclass(frozen=True, eq=False)
class LandmarkScheme:
    """An ordered set of named places on a face.

    Attributes:
        name: The name as in the manifest's `landmark_scheme`.
        size: Number of points P.
        flip: int64 (P,), read-only. Point i of a mirrored face is point `flip[i]` of the original;
            the permutation is its own inverse.
        five: For each of the five points, the points whose mean it is.
        regions: The points of each of `REGIONS`; empty where they are not known.
    """

    name: str
    size: int
    flip: npt.NDArray[np.int64]
    five: tuple[tuple[int, ...], ...]
    regions: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @classmethod
    def from_pairs(
        cls,
        name: str,
        size: int,
        pairs: Iterable[tuple[int, int]],
        five: tuple[tuple[int, ...], ...],
        regions: Mapping[str, tuple[int, ...]],
    ) -> LandmarkScheme:
        """Make a scheme from the pairs of points that a flip exchanges; the others stay."""
        flip = np.arange(size, dtype=np.int64)
        for a, b in pairs:
            flip[a], flip[b] = b, a
        flip.flags.writeable = False
        return cls(name, size, flip, five, regions)

    def to_five(self, points: Points) -> Points:
        """Reduce points to the five of `FIVE_NAMES`.

        Args:
            points: Points of this scheme, shape (..., P, 2).

        Returns:
            The five points in the same dtype, shape (..., 5, 2). NaN where a point is unknown.
        """
        means = np.empty((*points.shape[:-2], len(self.five), 2), dtype=points.dtype)
        for position, group in enumerate(self.five):  # np.mean itself costs more than its sum here
            total = np.add.reduce(points[..., list(group), :], axis=-2)
            means[..., position, :] = total / len(group)
        return means

    def mirror(self, points: Points, width: int) -> npt.NDArray[np.float64]:
        """Carry points through a horizontal flip of the image.

        Args:
            points: Points of this scheme in pixels, shape (..., P, 2).
            width: Width of the image in pixels.

        Returns:
            float64 (..., P, 2): x becomes width − 1 − x, and left and right points change places.
            In float64 the flip of a flip of float32 points is exactly the points again.
        """
        mirrored = points[..., self.flip, :].astype(np.float64)
        mirrored[..., 0] = (width - 1) - mirrored[..., 0]
        return mirrored
