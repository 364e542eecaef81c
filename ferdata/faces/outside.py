"""How much of an output image lies outside its source, where pixels are invented."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_BATCH = 4096  # rows at a time: about 2 MB an array


def outside_shares(matrices: Floats, sides: Floats, size: int) -> Floats:
    """Return the fraction of each output image's area that lies outside its source.

    Args:
        matrices: Source pixels to output pixels, float64 (N, 2, 3).
        sides: Width and height of each source, pixels, float64 (N, 2).
        size: Side of the output, pixels.

    Returns:
        float64 (N,), 0–1.
    """
    parts = [
        _shares(matrices[start : start + _BATCH], sides[start : start + _BATCH], size)
        for start in range(0, len(matrices), _BATCH)
    ]
    return np.concatenate(parts) if parts else np.empty(0)


def _shares(matrices: Floats, sides: Floats, size: int) -> Floats:
    """Clip the output's square, carried back into the source, at the source's edges."""
    corners = np.array([[0.0, 0.0], [size, 0.0], [size, size], [0.0, size]]) - 0.5
    linear, offset = matrices[:, :, :2], matrices[:, None, :, 2]
    outline = (corners - offset) @ np.linalg.inv(linear).transpose(0, 2, 1)
    whole = size**2 / np.abs(np.linalg.det(linear))
    for axis in (0, 1):
        outline = _clipped(outline, axis, sides[:, axis, None] - 0.5)
    # A whole image's edges are those of the output, but for rounding.
    return np.asarray(np.clip(np.round(1 - _areas(outline) / whole, 9), 0, 1) + 0.0)  # no -0


def _clipped(outline: Floats, axis: int, end: Floats) -> Floats:
    """Clip polygons in one coordinate to −0.5 … `end`.

    Every edge is cut where it crosses a limit, then the coordinate is clamped: what was outside
    becomes a line on the limit, without an area.

    Args:
        outline: Vertices, shape (N, V, 2).
        axis: The coordinate.
        end: Its upper limit, shape (N, 1).

    Returns:
        float64 (N, 3 V, 2).
    """
    edges = np.roll(outline, -1, axis=1) - outline
    start, step = outline[:, :, axis], edges[:, :, axis]
    step = np.where(step == 0, 1e-12, step)
    cuts = [((limit - start) / step).clip(0, 1) for limit in (np.float64(-0.5), end)]
    fractions = np.stack([np.zeros_like(start), np.minimum(*cuts), np.maximum(*cuts)], axis=2)
    vertices = outline[:, :, None] + fractions[..., None] * edges[:, :, None]
    vertices = vertices.reshape(len(outline), -1, 2)
    vertices[:, :, axis] = np.clip(vertices[:, :, axis], -0.5, end)
    return np.asarray(vertices)


def _areas(outline: Floats) -> Floats:
    """Return the areas of polygons, shape (N, V, 2)."""
    following = np.roll(outline, -1, axis=1)
    cross = outline[..., 0] * following[..., 1] - outline[..., 1] * following[..., 0]
    return np.asarray(np.abs(cross.sum(axis=1)) / 2)
