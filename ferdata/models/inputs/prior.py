"""Heat maps of face regions from landmarks, for models that take them as a prior."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ferdata.core.errors import OptionError

REGIONS = ("brows", "eyes", "nose", "mouth")
"""The regions of a prior, in the order of its channels."""

GRID = 64
"""Height and width of the heat maps; a model resizes them to its features."""

SPREAD = 1 / 24
"""Standard deviation of the Gaussian around a point, as a fraction of the image's side.

The LMFER paper mentions landmarks as a prior without a formula. At this width, neighboring points
of a brow or a lip merge, and the regions stay separate.
"""

_POINTS: Mapping[str, tuple[tuple[int, ...], ...]] = {
    # eye centers, nose tip, mouth corners; without brows, their map is empty
    "five": ((), (0, 1), (2,), (3, 4)),
    "ibug68": (
        tuple(range(17, 27)),
        tuple(range(36, 48)),
        tuple(range(27, 36)),
        tuple(range(48, 68)),
    ),
    "facepp37": (
        tuple(range(16)),
        tuple(range(16, 26)),
        tuple(range(26, 31)),
        tuple(range(31, 37)),
    ),
    # the mesh's own contours of brows, eyes and lips, and the ridge and wings of the nose
    "mediapipe478": (
        (46, 52, 53, 55, 63, 65, 66, 70, 105, 107,
         276, 282, 283, 285, 293, 295, 296, 300, 334, 336),
        (33, 133, 144, 145, 153, 157, 158, 159, 160, 163,
         263, 362, 373, 374, 380, 384, 385, 386, 387, 390),
        (1, 2, 4, 5, 6, 98, 168, 195, 197, 327),
        (0, 17, 37, 39, 40, 61, 84, 91, 146, 181,
         185, 267, 269, 270, 291, 314, 321, 375, 405, 409),
    ),
}  # fmt: skip
"""The points of each region, by scheme and in the order of `REGIONS`."""


class RegionPrior(nn.Module):
    """Turn landmarks into one heat map for each region of `REGIONS`.

    A map's value is the largest Gaussian of the region's points, `exp(−d² / 2σ²)`, with d the
    distance as a fraction of the image's sides and σ = `SPREAD`. Unknown points are ignored, so
    that a face without landmarks has empty maps.

    Args:
        scheme: Name of the landmark scheme.

    Raises:
        OptionError: The scheme has no regions here.
    """

    grid: Tensor

    def __init__(self, scheme: str) -> None:
        super().__init__()
        if scheme not in _POINTS:
            raise OptionError(
                f"landmarks of the scheme {scheme!r} can't serve as a prior; expected one of "
                f"{', '.join(_POINTS)}."
            )
        for name, points in zip(REGIONS, _POINTS[scheme], strict=True):
            self.register_buffer(name, torch.tensor(points, dtype=torch.int64), persistent=False)
        centers = (torch.arange(GRID) + 0.5) / GRID
        self.register_buffer("grid", centers, persistent=False)

    def forward(self, landmarks: Tensor, height: int, width: int) -> Tensor:
        """Draw the maps of a batch.

        Args:
            landmarks: float32, shape (B, P, 2), pixels, integers at pixel centers; NaN where
                unknown.
            height: Height of the images, pixels.
            width: Width of the images, pixels.

        Returns:
            float32, shape (B, 4, `GRID`, `GRID`), values in 0–1.
        """
        x, y = (landmarks[..., 0] + 0.5) / width, (landmarks[..., 1] + 0.5) / height
        points = torch.stack([x, y], dim=-1)
        maps = [self._region(points, self.get_buffer(name)) for name in REGIONS]
        return torch.stack(maps, dim=1)

    def _region(self, points: Tensor, region: Tensor) -> Tensor:
        if not len(region):
            return points.new_zeros(points.shape[0], GRID, GRID)
        chosen = points[:, region]
        # a Gaussian in the plane is the product of one on each axis
        across = torch.exp(-((chosen[..., 0, None] - self.grid) ** 2) / (2 * SPREAD**2))
        down = torch.exp(-((chosen[..., 1, None] - self.grid) ** 2) / (2 * SPREAD**2))
        maps = torch.nan_to_num(down[..., :, None] * across[..., None, :])
        return maps.amax(dim=1)
