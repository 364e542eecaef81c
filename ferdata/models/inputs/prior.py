"""Heat maps of face regions from landmarks, for models that take them as a prior."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ferdata.core.errors import OptionError
from ferdata.faces.landmark_scheme import REGIONS
from ferdata.faces.schemes import scheme as scheme_named

GRID = 64
"""Height and width of the heat maps; a model resizes them to its features."""

SPREAD = 1 / 24
"""Standard deviation of the Gaussian around a point, as a fraction of the image's side.

The LMFER paper mentions landmarks as a prior without a formula. At this width, neighboring points
of a brow or a lip merge, and the regions stay separate.
"""


class RegionPrior(nn.Module):
    """Turn landmarks into one heat map for each region of `REGIONS`.

    A map's value is the largest Gaussian of the region's points, `exp(−d² / 2σ²)`, with d the
    distance as a fraction of the image's sides and σ = `SPREAD`. Unknown points are ignored, so
    that a face without landmarks has empty maps.

    Args:
        scheme: Name of the landmark scheme.

    Raises:
        UnknownNameError: No scheme has that name.
        OptionError: The scheme has no regions.
    """

    grid: Tensor

    def __init__(self, scheme: str) -> None:
        super().__init__()
        regions = scheme_named(scheme).regions
        if not regions:
            raise OptionError(
                f"landmarks of the scheme {scheme!r} can't serve as a prior: it does not say which "
                f"points are {', '.join(REGIONS)}."
            )
        for name in REGIONS:
            points = torch.tensor(regions.get(name, ()), dtype=torch.int64)
            self.register_buffer(name, points, persistent=False)
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
