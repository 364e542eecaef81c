"""From a new image to an image like those that the model was trained on.

A run records how its build made images (`run.json`, `build`). How a new image is prepared depends
on what the build's own images were:

| the new image is | the build's images were    | so the new image is                              |
|------------------|----------------------------|--------------------------------------------------|
| a photograph     | photographs, aligned       | aligned by its five points, as they were         |
| a photograph     | photographs, not aligned   | scaled as a whole                                |
| a photograph     | face crops, aligned        | aligned by its five points, as they were         |
| a photograph     | face crops, not aligned    | moved so that its five points come to the median |
|                  |                            | place of those in the build's crops              |
| a face crop      | anything                   | treated as the build treats face crops           |

"As they were" means by the build's own `SetAlignment`: template, margin, shift and border, and for
face crops without plausible points the median place of the build's crops.

If a run does not know how its build's images were framed, or no crop had landmarks, a photograph is
aligned to the template, with the build's margin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ferdata.faces.align import Matrix, similarity, transform_name
from ferdata.faces.options import detector_name
from ferdata.faces.placing import accepts_face, image_matrix
from ferdata.faces.set_alignment import SetAlignment
from ferdata.runs.record import RunBuild
from ferdata.shards.render import align_pixels, to_channels

Pixels = npt.NDArray[np.uint8]
Placement = Literal["five", "none", "place"]
"""Alignment to the template, the whole image, or alignment to the place of faces in crops."""


@dataclass(frozen=True)
class Preparation:
    """How a build made its images.

    Attributes:
        alignment: How the build brought its images to the output.
        size: Side of the square images, pixels.
        channels: 3 for RGB, 1 for gray.
        equalize: Whether histograms are equalized.
        framings: What the build's source images were, of `crop` and `photograph`; empty if unknown.
        detector: Name of the detector by whose landmarks the build's images were aligned.
        place: float64 (5, 2), the median place of the five points in the build's crops, as
            fractions of the side; None if unknown.
    """

    alignment: SetAlignment
    size: int
    channels: int
    equalize: bool
    framings: tuple[str, ...]
    detector: str
    place: npt.NDArray[np.float64] | None

    @classmethod
    def from_build(cls, build: RunBuild) -> Preparation:
        """Return how the build of a run made its images."""
        options, place = build.options, build.framing.five_points
        return cls(
            alignment=build.alignment,
            size=build.image.height,
            channels=build.image.channels,
            equalize=options.equalize,
            framings=build.framing.framings,
            detector=detector_name(options.landmarks),
            place=None if place is None else np.asarray(place, np.float64).reshape(5, 2),
        )

    def placement(self, *, crop: bool) -> Placement:
        """Return how an image is placed, see the table at the head of this module."""
        if crop or "photograph" in self.framings:
            kind = self.alignment.kind(_framing(crop))
            return "five" if kind == "five" else "none"
        if self.alignment.align == "five" or self.place is None:
            return "five"
        return "place"

    @property
    def guesses(self) -> bool:
        """Whether the framing of photographs is a guess: faces have no known place in the crops."""
        return (
            self.placement(crop=False) == "five"
            and self.alignment.align != "five"
            and "photograph" not in self.framings
        )

    def matrix(
        self, five_points: npt.NDArray[Any] | None, width: int, height: int, *, crop: bool
    ) -> Matrix:
        """Return the map from an image to the build's kind of image.

        Args:
            five_points: float (5, 2), pixels of the image; None if unknown: a crop is then aligned
                by the median place of the build's crops, if it aligned them; else the image is
                scaled as a whole.
            width: Width of the image, pixels.
            height: Height of the image, pixels.
            crop: Whether the image is a face crop.

        Returns:
            float64 (2, 3), from pixels of the original to pixels of the prepared image.
        """
        placement = self.placement(crop=crop)
        if placement == "place" and five_points is not None and self.place is not None:
            points = np.asarray(five_points, np.float64)
            matrix = similarity(points, self.place * self.size - 0.5)
            if matrix is not None:
                return matrix
        # A photograph may be aligned although its build aligns none, see `guesses`.
        kind: Literal["five", "none"] = "none" if placement == "none" else "five"
        alignment, framing = self.alignment.model_copy(update={"align": kind}), _framing(crop)
        return image_matrix(alignment, five_points, width, height, self.size, framing=framing)

    def accepts(
        self, five_points: npt.NDArray[Any], width: int, height: int, *, crop: bool
    ) -> bool:
        """Tell whether points found in an image are plausible, as the build checked its own.

        Args:
            five_points: float (5, 2), pixels.
            width: Width of the image, pixels.
            height: Height of the image, pixels.
            crop: Whether the image is a face crop.
        """
        framing = _framing(crop)
        return accepts_face(self.alignment, five_points, width, height, framing=framing)

    def render(self, pixels: Pixels, matrix: Matrix) -> Pixels:
        """Make the image that a build would store.

        Args:
            pixels: uint8 RGB, shape (H, W, 3).
            matrix: The map that `matrix` returned.

        Returns:
            uint8, shape (`size`, `size`, `channels`).
        """
        image = align_pixels(
            pixels, matrix, self.size, border=self.alignment.border, equalize=self.equalize
        )
        return to_channels(image, self.channels)

    def to_json(self) -> dict[str, Any]:
        """Return the preparation as plain types, with the versioned names of the transforms."""
        return {
            "align": self.alignment.align,
            "size": self.size,
            "margin": self.alignment.margin,
            "shift": self.alignment.shift,
            "border": self.alignment.border,
            "channels": self.channels,
            "equalize": self.equalize,
            "framings": list(self.framings),
            "photograph": self.placement(crop=False),
            "crop": self.placement(crop=True),
            "template": transform_name("five"),
            "five_points": None if self.place is None else self.place.tolist(),
        }

    def note(self) -> str:
        """Describe how a program must prepare an image before it passes it to the model."""
        ways = {
            "five": "aligned by its five points (eye centers, nose tip, mouth corners) to the "
            f"template {transform_name('five')} with margin {self.alignment.margin:g}, moved down "
            f"by {self.alignment.shift:g} of the side",
            "place": "mapped by the similarity that brings its five points (eye centers, nose tip, "
            "mouth corners) closest to five_points, given as fractions of the side",
            "none": "scaled as a whole to fit",
        }
        equalized = ", its histogram equalized (luminance)" if self.equalize else ""
        color = "RGB" if self.channels == 3 else "gray"
        return (
            f"{self.size}×{self.size} pixels, {color}{equalized}. A photograph is "
            f"{ways[self.placement(crop=False)]}; a face crop is "
            f"{ways[self.placement(crop=True)]}. "
            f"Pixels outside the image: {self.alignment.border}."
        )


def _framing(crop: bool) -> Literal["crop", "photograph"]:
    return "crop" if crop else "photograph"
