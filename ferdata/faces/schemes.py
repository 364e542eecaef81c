"""The landmark schemes of datasets, and every scheme by its name, those of detectors included."""

from __future__ import annotations

from collections.abc import Iterator

from ferdata.core.errors import UnknownNameError
from ferdata.faces.detectors import DEFAULT_DETECTOR, DETECTORS
from ferdata.faces.landmark_scheme import LandmarkScheme

FIVE = LandmarkScheme.from_pairs(
    "five",
    5,
    [(0, 1), (3, 4)],
    ((0,), (1,), (2,), (3,), (4,)),
    {"eyes": (0, 1), "nose": (2,), "mouth": (3, 4)},
)
"""Eye centers, nose tip, mouth corners, in the order of `FIVE_NAMES`."""

IBUG68 = LandmarkScheme.from_pairs(
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
    {
        "brows": tuple(range(17, 27)),
        "eyes": tuple(range(36, 48)),
        "nose": tuple(range(27, 36)),
        "mouth": tuple(range(48, 68)),
    },
)
"""The 68 points of iBUG 300-W (Sagonas et al., ICCV Workshops 2013, figure 1), counted from 0."""

FACEPP37 = LandmarkScheme.from_pairs(
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
    {
        "brows": tuple(range(16)),
        "eyes": tuple(range(16, 26)),
        "nose": tuple(range(26, 31)),
        "mouth": tuple(range(31, 37)),
    },
)
"""RAF-DB's 37 automatic points (Face++), in the order that ferdata assumes.

Image-left brow 0–7 (outer end along the upper edge to the inner end, back along the lower edge),
image-right brow 8–15 (its mirror image), image-left eye 16–20 and image-right eye 21–25
(image-left corner, top, image-right corner, bottom, pupil), nose 26–30 (tip, image-left wing,
image-right wing, bridge, underside), mouth 31–36 (image-left corner, top of the upper lip,
image-right corner, bottom of the lower lip, bottom of the upper lip, top of the lower lip).

RAF-DB's readme does not name these points and Face++ no longer documents the set, so **the order,
and with it `flip` and `five`, is an assumption on real data**. RAF-DB also ships five points placed
by annotators; ferdata aligns by those and reduces the 37 only where they are absent.
"""

SCHEMES = {known.name: known for known in (FIVE, IBUG68, FACEPP37)}
"""The schemes of datasets by name."""


def scheme(name: str) -> LandmarkScheme:
    """Return a landmark scheme by its name, a detector's too.

    Loads no detection library, so that builds are read without one.

    Raises:
        UnknownNameError: No scheme has that name.
    """
    if name in SCHEMES:
        return SCHEMES[name]
    for known in _detector_schemes():
        if known.name == name:
            return known
    raise UnknownNameError("landmark scheme", name, scheme_names())


def scheme_names() -> tuple[str, ...]:
    """Return the names of all schemes, sorted."""
    return tuple(sorted({*SCHEMES, *(known.name for known in _detector_schemes())}))


def _detector_schemes() -> Iterator[LandmarkScheme]:
    """Yield the default detector's scheme first: it is often wanted, and no plugin is loaded."""
    yield DETECTORS.get(DEFAULT_DETECTOR).scheme
    for name in DETECTORS:
        if name != DEFAULT_DETECTOR:
            yield DETECTORS.get(name).scheme
