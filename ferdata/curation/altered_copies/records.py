"""What the search for altered copies is given, and what it returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

Kind = Literal["exact", "altered"]
"""`exact`: equal in every pixel. `altered`: the same image, confirmed on registered pixels."""


@dataclass(frozen=True, eq=False)
class ImageSource:
    """One image to be searched.

    Attributes:
        name: Its name in messages and results, for instance the `sample_id`.
        load: Returns its pixels, uint8 (H, W), (H, W, 1) or (H, W, 3) RGB. It is sent to worker
            processes, so it must be a function of a module, or a `functools.partial` of one. It may
            raise `ImageError`; the image is then listed in `AlteredCopies.unreadable`.
        five_points: Eye centers, nose tip, mouth corners, image-left first, pixels, shape (5, 2);
            None if no face was found.
        sequence: The sequence of frames that it belongs to, or None. Neighboring frames are nearly
            the same image without being copies, so among images of one sequence only equal pixels
            count. Frames whose sequence is not known are taken for copies where they differ by less
            than about a tenth of an expression's full movement.
    """

    name: str
    load: Callable[[], Pixels]
    five_points: npt.NDArray[np.floating] | None = None
    sequence: str | None = None


@dataclass(frozen=True)
class AlteredPair:
    """Two images that are the same.

    Attributes:
        first: Position of the first image in the given list.
        second: Position of the second, larger than `first`.
        kind: `exact` or `altered`.
        score: How well the registered pixels agree, the smaller of `similarity` and `weakest`; 1
            for exact copies.
        similarity: Correlation of the registered, band-passed images.
        weakest: The correlation that 98 % of the image's structure reaches locally.
        mirrored: Whether one is the mirror image of the other.
        degrees: Rotation of the second against the first, counterclockwise.
        changes: What was seen to differ, of `CHANGES`; a guess for a person to read.
    """

    first: int
    second: int
    kind: Kind
    score: float
    similarity: float
    weakest: float
    mirrored: bool = False
    degrees: float = 0.0
    changes: tuple[str, ...] = ()


@dataclass(frozen=True)
class AlteredCopies:
    """All pairs of copies among the images.

    Attributes:
        names: The images' names, in the order given.
        pairs: The confirmed pairs, sorted.
        cluster: For each image the smallest position in its cluster: images linked by pairs,
            directly or through others. int64, shape (N,).
        unreadable: Position of each image that could not be read, and why.
        compared: How many pairs were compared on their pixels.
    """

    names: tuple[str, ...]
    pairs: tuple[AlteredPair, ...]
    cluster: npt.NDArray[np.int64]
    unreadable: dict[int, str] = field(default_factory=dict)
    compared: int = 0

    @property
    def clusters(self) -> tuple[tuple[int, ...], ...]:
        """The clusters of at least two images, each sorted, in the order of their first image."""
        order = np.argsort(self.cluster, kind="stable")
        starts = np.flatnonzero(np.diff(self.cluster[order], prepend=-1))
        groups = np.split(order, starts[1:])
        return tuple(tuple(group.tolist()) for group in groups if len(group) > 1)
