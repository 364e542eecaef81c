"""Small images for a page: JPEG files as data URIs, and landmarks as SVG paths."""

from __future__ import annotations

import base64

import cv2
import numpy as np
import numpy.typing as npt

from ferdata.faces.landmark_scheme import LandmarkScheme
from ferdata.reports.views import Thumbnail

SIDE = 96
"""Pixels of the longer side at most: a full report has some 250 images."""

_QUALITY = 80  # of a JPEG file, 0–100: about 3 kB at 96 pixels

Pixels = npt.NDArray[np.uint8]


def thumbnail(
    pixels: Pixels,
    points: npt.NDArray[np.floating] | None = None,
    scheme: LandmarkScheme | None = None,
    *,
    sample: str = "",
    label: str = "",
    split: str = "",
    dataset: str = "",
    text: str = "",
) -> Thumbnail:
    """Return a small copy of an image.

    Args:
        pixels: uint8 RGB or gray, shape (H, W, C).
        points: Landmarks in pixels of the image, shape (P, 2); NaN where unknown.
        scheme: Their scheme.
        sample: Id of the image.
        label: Its class.
        split: Its split.
        dataset: Its dataset.
        text: What is to be seen.
    """
    height, width = pixels.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = pixels
    if scale < 1:
        small = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    return Thumbnail(
        sample=sample,
        label=label,
        split=split,
        dataset=dataset,
        text=text,
        width=size[0],
        height=size[1],
        image=data_uri(small.reshape(size[1], size[0], -1)),
        points="" if points is None else dots(points * scale, scheme),
    )


def data_uri(pixels: Pixels) -> str:
    """Return an image as a JPEG file in a data URI; uint8 RGB or gray, shape (H, W, C)."""
    stored = pixels[..., ::-1] if pixels.shape[-1] == 3 else pixels
    flags = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(stored), flags)
    return f"data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode()}"


def dots(points: npt.NDArray[np.floating], scheme: LandmarkScheme | None = None) -> str:
    """Return points as an SVG path of lines without length, which round caps make dots.

    Of a scheme with known parts, such as a mesh, only brows, eyes, nose and
    mouth are drawn.

    Args:
        points: Shape (P, 2); unknown ones are left out.
        scheme: Their scheme.
    """
    parts = [point for part in scheme.regions.values() for point in part] if scheme else []
    chosen = points[sorted(set(parts))] if parts else points
    known = chosen[np.isfinite(chosen).all(axis=1)]
    return "".join(f"M{x:.1f} {y:.1f}h0" for x, y in known.tolist())
