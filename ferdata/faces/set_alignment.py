"""How the images of a build are brought to the output: decided once, recorded, used everywhere.

A build's plan holds a `SetAlignment`. Shards are rendered by it, and new images are prepared by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ferdata.core.records import RecordPart
from ferdata.faces.align import Border, Matrix, alignment_kind, alignment_matrix, determine_scale
from ferdata.faces.plausible import EyeRange, eye_shares, wrong_order

Points = npt.NDArray[np.float64]


class MedianPlace(RecordPart):
    """Where the faces of a set lie; images without usable points are aligned by it."""

    dataset: str
    framing: Literal["crop", "photograph"]
    images: int
    """Number of images that it is the median of."""
    five_points: tuple[tuple[float, float], ...]
    """Shape (5, 2), fractions of the smallest square around the whole image."""
    eyes: EyeRange | None = None
    """Plausible distance of the eyes as a fraction of the longer side; None if there are too few
    faces to tell."""

    def in_image(self, width: int, height: int) -> Points:
        """Return the five points in an image, pixels, float64 (5, 2)."""
        longest = max(width, height)
        sides = np.array([width, height], np.float64)
        return np.asarray(self.five_points) * longest - (longest - sides) / 2 - 0.5


class SetAlignment(RecordPart):
    """The alignment of a build's images.

    All coordinates are relative, so that it holds for every output size.
    """

    align: Literal["auto", "none", "five"] = "auto"
    margin: float = 0.0
    """Margin on each side of the template, as a fraction of its side; negative shows less."""
    shift: float = 0.0
    """How much lower the template lies, as a fraction of the output's side."""
    border: Border = "replicate"
    """What fills pixels outside the source."""
    places: tuple[MedianPlace, ...] = ()
    """Where the faces of each aligned set lie."""

    def kind(self, framing: str) -> str:
        """Return how images of a framing are brought to the output: `five` or `none`."""
        return alignment_kind(self.align, framing)

    def place(self, framing: str, dataset: str | None = None) -> MedianPlace | None:
        """Return where faces lie in images of a framing.

        Args:
            framing: `crop` or `photograph`.
            dataset: The dataset; None for a new image: the largest set of the framing decides.
        """
        fitting = [
            place
            for place in self.places
            if place.framing == framing and dataset in (None, place.dataset)
        ]
        return max(fitting, key=lambda place: (place.images, place.dataset), default=None)

    def accepts(self, five_points: npt.NDArray[Any], width: int, height: int, framing: str) -> bool:
        """Tell whether the five points found in a new image are plausible, as a build checks them.

        Args:
            five_points: float (5, 2), pixels.
            width: Width of the image, pixels.
            height: Height of the image, pixels.
            framing: `crop`: the face also has to be of the size that the set's faces have.
        """
        points = np.asarray(five_points, np.float64)[None]
        if bool(wrong_order(points)[0]):
            return False
        place = self.place(framing) if framing == "crop" else None
        if place is None or place.eyes is None:
            return True
        share = float(eye_shares(points, np.array([[width, height]], np.float64))[0])
        return place.eyes[0] <= share <= place.eyes[1]

    def matrix(
        self,
        five_points: npt.NDArray[Any] | None,
        width: int,
        height: int,
        size: int,
        *,
        framing: str,
        dataset: str | None = None,
    ) -> Matrix:
        """Return the map from an image to the output.

        Args:
            five_points: float (5, 2), pixels of the image; None or NaN if unknown: then the set's
                median place is used, and without one the whole image is scaled to fit.
            width: Width of the image, pixels.
            height: Height of the image, pixels.
            size: Side of the output, pixels.
            framing: `crop` or `photograph`.
            dataset: The image's dataset; None for a new image.

        Returns:
            float64 (2, 3), from pixels of the image to pixels of the output.
        """
        kind = self.kind(framing)
        if kind == "five" and not _usable(five_points):
            place = self.place(framing, dataset)
            five_points = None if place is None else place.in_image(width, height)
        return alignment_matrix(kind, five_points, width, height, size, self.margin, self.shift)


def with_alignment(values: Any) -> Any:
    """Give a record of an earlier version, which has options only, the alignment that they meant.

    Args:
        values: The fields of a record with `options` and `alignment`.
    """
    if not isinstance(values, Mapping) or values.get("alignment") is not None:
        return values
    options = values.get("options") or {}
    given = options if isinstance(options, Mapping) else dict(options)
    meant = {
        "align": given.get("align", "auto"),
        "margin": given.get("margin") or 0.0,
        "border": given.get("border", "replicate"),
    }
    return {**values, "alignment": meant}


def _usable(five_points: npt.NDArray[Any] | None) -> bool:
    if five_points is None:
        return False
    return bool(determine_scale(np.asarray(five_points, np.float64).reshape(5, 2)))
