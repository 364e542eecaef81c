"""How the images of a build are brought to the output: decided once, recorded, used everywhere.

A build's plan holds a `SetAlignment`. Shards are rendered by it, and new images are prepared by it
(`ferdata.faces.placing`). Importing this loads no numerical library: records are read with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from ferdata.core.records import RecordPart

Border = Literal["replicate", "reflect", "constant", "mean"]
"""What fills output pixels outside the source: its edge repeated or mirrored, black, or its mean
color."""

EyeRange = tuple[float, float]
"""Least and largest plausible distance of the eyes, as a fraction of the image's longer side."""


def alignment_kind(align: str, framing: str) -> str:
    """Return how an image is brought to the output size: `five` or `none`.

    Args:
        align: The option; `auto` aligns photographs, not face crops.
        framing: `crop` or `photograph`.
    """
    return align if align != "auto" else {"photograph": "five", "crop": "none"}[framing]


class MedianPlace(RecordPart):
    """Where the faces of a set lie; images without usable points are aligned by it."""

    dataset: str
    framing: Literal["crop", "photograph"]
    images: int
    """Number of images that it is the median of."""
    five_points: tuple[tuple[float, float], ...]
    """Shape (5, 2), fractions of the smallest square around the whole image."""
    eyes: EyeRange | None = None
    """Plausible distance of the eyes; None if there are too few faces to tell."""


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
