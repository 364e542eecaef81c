"""Where pixels come from: the shards of a build, or the files of a folder that was audited."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ferdata.core.errors import BuildError, ImageError
from ferdata.core.images import read_image
from ferdata.data.build import Build
from ferdata.formats.encoding import encode
from ferdata.formats.names import PNG
from ferdata.reports.stored import StoredImages
from ferdata.reports.thumbnails import data_uri, dots
from ferdata.viewer.rows import Rows

SIDE = 128
"""Pixels of the longer side of a thumbnail at most."""

Pixels = npt.NDArray[np.uint8]


class ImageSource(ABC):
    """Images by their row.

    Attributes:
        missing: Why there are no images; empty if there are.
        size: Width and height of all images; None where they differ.
        has_landmarks: Whether there are landmarks to draw.
    """

    missing = ""
    size: tuple[int, int] | None = None
    has_landmarks = False

    @abstractmethod
    def pixels(self, row: int) -> Pixels:
        """Return an image, uint8 RGB or gray, shape (H, W, C).

        Raises:
            ImageError: It can't be had.
        """

    def points(self, rows: Sequence[int]) -> list[str]:
        """Return the landmarks of images as SVG paths, empty where unknown."""
        return [""] * len(rows)

    def thumbnails(self, rows: Sequence[int]) -> list[str]:
        """Return small images as data URIs; empty where each has to be asked for by itself."""
        return [""] * len(rows)


class StoredSource(ImageSource):
    """The images in the shards of a build.

    Args:
        build: The build.
        rows: Its rows, those of a split in the order of its shards.

    Raises:
        BuildError: Manifest and shards differ.
    """

    def __init__(self, build: Build, rows: Rows) -> None:
        self._images = StoredImages(build)
        self._lock = Lock()  # the readers of shards keep one handle and one buffer
        self._splits = np.asarray(rows.table["split"].to_numpy(), object)
        self._places = np.zeros(len(rows), np.int64)
        for split in build.splits:
            inside = np.flatnonzero(self._splits == split)
            if len(inside) != build.split(split).rows:
                raise BuildError(
                    f"{build.root}: manifest.parquet has {len(inside)} rows of split {split!r}, "
                    f"build.json says {build.split(split).rows}; run `ferdata verify` on the build."
                )
            self._places[inside] = np.arange(len(inside))
        self.missing = self._images.missing
        self.size = build.image.width, build.image.height
        self.has_landmarks = self._images.scheme is not None and not self.missing

    def pixels(self, row: int) -> Pixels:
        """Return an image as it is stored."""
        if self.missing:
            raise ImageError(self.missing)
        return self._gather([row], "image")[0]

    def points(self, rows: Sequence[int]) -> list[str]:
        """Return the landmarks of images as SVG paths, in pixels of the stored images."""
        if not self.has_landmarks:
            return super().points(rows)
        return [dots(each, self._images.scheme) for each in self._gather(rows, "landmarks")]

    def thumbnails(self, rows: Sequence[int]) -> list[str]:
        """Return small images as data URIs: one answer instead of one for each image."""
        if self.missing:
            return super().thumbnails(rows)
        return [data_uri(shrink(each)) for each in self._gather(rows, "image")]

    def _gather(self, rows: Sequence[int], field: str) -> list[npt.NDArray[Any]]:
        """Read a field of some rows, split by split."""
        found: dict[int, npt.NDArray[Any]] = {}
        for split in dict.fromkeys(self._splits[list(rows)]):
            inside = [row for row in rows if self._splits[row] == split]
            with self._lock:
                values = self._images.split(split).gather(self._places[inside], (field,))[field]
            found |= zip(inside, values, strict=True)
        return [found[row] for row in rows]


class FileSource(ImageSource):
    """The images of an audit's examples, as files below some folders.

    Args:
        rows: The rows.
        roots: Folders that uris may be relative to; none where no images are at hand.
    """

    def __init__(self, rows: Rows, roots: Sequence[Path]) -> None:
        self._uris = rows.table["uri"]
        self._roots = roots
        if not roots:
            self.missing = "the folder that was audited is not here"

    def pixels(self, row: int) -> Pixels:
        """Return an image as its file has it."""
        uri = self._uris[row].as_py()
        for root in self._roots if uri else ():
            try:
                return read_image(root, uri).pixels
            except ImageError:  # of another root, or broken
                continue
        raise ImageError("this image is not at hand")


def shrink(pixels: Pixels) -> Pixels:
    """Return a copy of an image of at most `SIDE` pixels a side; uint8, shape (H, W, C)."""
    height, width = pixels.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    if scale == 1:
        return pixels
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    return small.reshape(size[1], size[0], -1)


def png(pixels: Pixels) -> bytes:
    """Return an image as a PNG file; uint8, shape (H, W, C)."""
    return encode(pixels, PNG)
