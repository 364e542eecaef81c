"""Rendering one row: read, align, equalize, augment. All output pixels are computed here.

A rendered row is a pure function of its source image and its manifest columns, so `render_row` can
reproduce any stored image.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from ferdata.augmentation.copies import apply_operations
from ferdata.augmentation.operations.photometric import equalize_histogram
from ferdata.core.errors import ImageError
from ferdata.core.images import read_image
from ferdata.core.manifest import Manifest
from ferdata.faces.align import transform_points, warp
from ferdata.faces.placing import image_matrix
from ferdata.faces.set_alignment import Border, SetAlignment
from ferdata.shards.options import BuildOptions
from ferdata.shards.rows import ShardRows, read_rows


@dataclass(frozen=True)
class Rendered:
    """One output image with its face, all in output pixels.

    Attributes:
        pixels: uint8, shape (H, W, C).
        landmarks: float32, shape (P, 2), NaN where unknown.
        box: float32, shape (4,): x1, y1, x2, y2; NaN where unknown.
    """

    pixels: npt.NDArray[np.uint8]
    landmarks: npt.NDArray[np.float32]
    box: npt.NDArray[np.float32]


def render_row(
    manifest: Manifest,
    sample_id: str,
    scheme: str,
    options: BuildOptions,
    alignment: SetAlignment,
) -> Rendered:
    """Render one row of a manifest again.

    Args:
        manifest: A manifest with `roots`.
        sample_id: The row's id.
        scheme: Landmark scheme of the result.
        options: The options of the build.
        alignment: How the build's images are aligned, as its record has it.

    Raises:
        ImageError: The source image can't be read or has changed.
    """
    position = manifest.column("sample_id").index(sample_id)
    return render(read_rows(manifest.take([position]), scheme), 0, scheme, options, alignment)


def render(
    rows: ShardRows, index: int, scheme: str, options: BuildOptions, alignment: SetAlignment
) -> Rendered:
    """Render the row at a position of a shard's rows.

    Raises:
        ImageError: The source image can't be read, or is not the one that was inspected.
    """
    text = rows.text
    image = read_image(root_of(rows.manifest, text["dataset"][index]), text["uri"][index])
    if image.file_sha256 != text["file_sha256"][index]:
        raise ImageError("file has changed since it was inspected; run the build again")
    height, width = image.pixels.shape[:2]
    matrix = image_matrix(
        alignment,
        rows.five_points[index],
        width,
        height,
        options.size,
        framing=text["framing"][index],
        dataset=text["dataset"][index],
    )
    border, equalize = alignment.border, options.equalize
    rendered = Rendered(
        align_pixels(image.pixels, matrix, options.size, border=border, equalize=equalize),
        _transform_known(rows.landmarks[index], matrix),
        transform_box(rows.box[index], matrix),
    )
    if text["operations"][index]:
        rendered = _augment(rendered, text["operations"][index], scheme)
    return replace(rendered, pixels=to_channels(rendered.pixels, options.channels))


def align_pixels(
    pixels: npt.NDArray[np.uint8],
    matrix: npt.NDArray[np.float64],
    size: int,
    *,
    border: Border,
    equalize: bool,
) -> npt.NDArray[np.uint8]:
    """Warp an image to the output size and equalize it: everything but augmentation.

    Args:
        pixels: uint8 RGB, shape (H, W, 3).
        matrix: float64 (2, 3), source pixels to output pixels.
        size: Side of the output, pixels.
        border: What fills the output outside the picture.
        equalize: Whether its histogram is equalized.

    Returns:
        uint8 RGB, shape (`size`, `size`, 3).
    """
    aligned = warp(pixels, matrix, size, border)
    return equalize_histogram(aligned) if equalize else aligned


def to_channels(pixels: npt.NDArray[np.uint8], channels: int) -> npt.NDArray[np.uint8]:
    """Return an RGB image as it is stored: with 3 channels, or converted to 1 of gray."""
    if channels == 3:
        return pixels
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)[..., None]


def _augment(image: Rendered, operations: str, scheme: str) -> Rendered:
    augmented = apply_operations(
        image.pixels, operations, landmarks=image.landmarks, scheme=scheme, box=image.box
    )
    return Rendered(
        augmented.pixels,
        augmented.landmarks.astype(np.float32),
        augmented.box.astype(np.float32),
    )


def _transform_known(
    points: npt.NDArray[np.float32], matrix: npt.NDArray[np.float64]
) -> npt.NDArray[np.float32]:
    """Transform points; those of a row without landmarks stay NaN."""
    return points if np.isnan(points[0, 0]) else transform_points(points, matrix)


def transform_box(
    box: npt.NDArray[np.float32], matrix: npt.NDArray[np.float64]
) -> npt.NDArray[np.float32]:
    """Transform a box: the upright box around its four transformed corners."""
    if np.isnan(box[0]):
        return box
    x1, y1, x2, y2 = box
    corners = transform_points(
        np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], np.float32), matrix
    )
    return np.concatenate([corners.min(axis=0), corners.max(axis=0)]).astype(np.float32)


def root_of(manifest: Manifest, dataset: str) -> Path:
    """Return the folder that a dataset's uris are relative to.

    Raises:
        ImageError: The manifest has no root for the dataset.
    """
    try:
        return manifest.roots[dataset]
    except KeyError:
        raise ImageError(f"no data folder is known for {dataset!r}; pass --data") from None
