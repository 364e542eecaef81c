"""Landmark schemes: how many points, which of them a flip exchanges, and where the five are.

Left and right are those of the image, not of the person: the image-left eye is the person's right
one in a photograph that is not mirrored. Coordinates are pixels, integers at pixel centers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ferdata.core.errors import UnknownNameError
from ferdata.faces.detectors import mediapipe_points

Points = npt.NDArray[np.floating[Any]]

FIVE_NAMES = (
    "image-left eye center",
    "image-right eye center",
    "nose tip",
    "image-left mouth corner",
    "image-right mouth corner",
)
"""The five points and their order, in every scheme, column and file of ferdata."""


@dataclass(frozen=True, eq=False)
class LandmarkScheme:
    """An ordered set of named places on a face.

    Attributes:
        name: The name as in the manifest's `landmark_scheme`.
        size: Number of points P.
        flip: int64 (P,), read-only. Point i of a mirrored face is point `flip[i]` of the original;
            the permutation is its own inverse.
        five: For each of the five points, the points whose mean it is.
    """

    name: str
    size: int
    flip: npt.NDArray[np.int64]
    five: tuple[tuple[int, ...], ...]

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


def _scheme(
    name: str, size: int, pairs: Iterable[tuple[int, int]], five: tuple[tuple[int, ...], ...]
) -> LandmarkScheme:
    """Make a scheme from its mirror pairs; points in no pair are their own mirror image."""
    flip = np.arange(size, dtype=np.int64)
    for a, b in pairs:
        flip[a], flip[b] = b, a
    flip.flags.writeable = False
    return LandmarkScheme(name, size, flip, five)


FIVE = _scheme("five", 5, [(0, 1), (3, 4)], ((0,), (1,), (2,), (3,), (4,)))
"""Eye centers, nose tip, mouth corners, in the order of `FIVE_NAMES`."""

IBUG68 = _scheme(
    "ibug68",
    68,
    [
        *((i, 16 - i) for i in range(8)),  # jaw 0–16, chin at 8
        *((17 + i, 26 - i) for i in range(5)),  # brows 17–21 and 22–26; bridge 27–30 in the middle
        (31, 35),
        (32, 34),  # underside of the nose
        (36, 45),
        (37, 44),
        (38, 43),
        (39, 42),
        (40, 47),
        (41, 46),  # eyes: outer corner, along the upper lid, inner corner, along the lower lid
        (48, 54),
        (49, 53),
        (50, 52),
        (55, 59),
        (56, 58),  # outer lips
        (60, 64),
        (61, 63),
        (65, 67),  # inner lips
    ],
    (tuple(range(36, 42)), tuple(range(42, 48)), (30,), (48,), (54,)),
)
"""The 68 points of iBUG 300-W (Sagonas et al., ICCV Workshops 2013, figure 1), counted from 0."""

FACEPP37 = _scheme(
    "facepp37",
    37,
    [
        *((i, 8 + i) for i in range(8)),  # brows
        (16, 23),
        (17, 22),
        (18, 21),
        (19, 24),
        (20, 25),  # eyes: image-left corner, top, image-right corner, bottom, pupil
        (27, 28),  # wings of the nose
        (31, 33),  # mouth corners
    ],
    ((20,), (25,), (26,), (31,), (33,)),
)
"""RAF-DB's 37 automatic points (Face++), in the order that ferdata takes them to have.

Image-left brow 0–7 (outer end along the upper edge to the inner end, back along the lower edge),
image-right brow 8–15 (its mirror image), image-left eye 16–20 and image-right eye 21–25
(image-left corner, top, image-right corner, bottom, pupil), nose 26–30 (tip, image-left wing,
image-right wing, bridge, underside), mouth 31–36 (image-left corner, top of the upper lip,
image-right corner, bottom of the lower lip, bottom of the upper lip, top of the lower lip).

RAF-DB's readme does not name these points and Face++ no longer documents the set, so **the order,
and with it `flip` and `five`, is an assumption on real data**. RAF-DB also ships five points that
people placed; ferdata takes those for alignment and uses this reduction only where they are absent.
"""

MEDIAPIPE478 = _scheme(
    "mediapipe478",
    mediapipe_points.SIZE,
    (
        (int(a), int(b))
        for a, b in (pair.split(":") for pair in mediapipe_points.MIRROR_PAIRS.split())
    ),
    (
        (33, 133, 159, 145),  # corners and middle of both lids: does not move with the gaze
        (263, 362, 386, 374),
        (4,),  # the foremost vertex of the canonical face model
        (61,),
        (291,),
    ),
)
"""MediaPipe Face Landmarker: 468 mesh points and ten iris points, see `mediapipe_points`."""

SCHEMES: dict[str, LandmarkScheme] = {
    known.name: known for known in (FIVE, IBUG68, FACEPP37, MEDIAPIPE478)
}
"""Every scheme by its name."""


def scheme(name: str) -> LandmarkScheme:
    """Return a landmark scheme by its name.

    Raises:
        UnknownNameError: There is none of that name.
    """
    if name not in SCHEMES:
        raise UnknownNameError("landmark scheme", name, SCHEMES)
    return SCHEMES[name]
