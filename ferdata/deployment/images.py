"""New images as users give them: files, folders, arrays and PIL images; their pixels upright."""

from __future__ import annotations

import logging
import os
import struct
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from ferdata.core.decoding import MIN_SIDE, decode
from ferdata.core.errors import ImageError, OptionError
from ferdata.core.image_formats import image_endings, is_image, undecodable
from ferdata.core.images import read_bytes, require_content
from ferdata.core.orientation import pillow_orientation, read_orientation, turn
from ferdata.core.pixel_values import over_background, to_eight_bits

logger = logging.getLogger(__name__)

Pixels = npt.NDArray[np.uint8]
ImageInput = str | Path | Pixels | Image.Image
"""An image as a user gives it; a path may also be a folder of images."""

_UNREADABLE = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    OSError,
    ValueError,
    TypeError,
    SyntaxError,  # Pillow's error for Exif data without a TIFF header
    struct.error,  # truncated Exif data
)


@dataclass(frozen=True)
class ImageFile:
    """An image file to classify.

    Attributes:
        path: Its path.
        output_name: What its annotated image is named after: its path inside the folder that was
            given, or its file name; posix.
    """

    path: Path
    output_name: str

    @property
    def name(self) -> str:
        """The path as text."""
        return shown(self.path)

    def read(self) -> Pixels:
        """Read the pixels; see `read_upright`."""
        return read_upright(self.path)


@dataclass(frozen=True)
class ImagePixels:
    """An image in memory to classify.

    Attributes:
        pixels: uint8, RGB of shape (H, W, 3) or gray of shape (H, W); or a PIL image.
        name: Made up, for instance `image-0001`.
    """

    pixels: Pixels | Image.Image
    name: str
    path = None

    @property
    def output_name(self) -> str:
        """What its annotated image is named after."""
        return self.name

    def read(self) -> Pixels:
        """Return the upright pixels, uint8 RGB, shape (H, W, 3).

        Raises:
            ImageError: The image is too small, blank, or can't be decoded.
        """
        given = self.pixels
        pixels = _pil_pixels(given) if isinstance(given, Image.Image) else given
        pixels = np.ascontiguousarray(pixels)
        if pixels.ndim == 2 or pixels.shape[2] == 1:
            pixels = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB), np.uint8)
        height, width = pixels.shape[:2]
        if min(height, width) < MIN_SIDE:
            raise ImageError(f"{width}×{height} pixels; at least {MIN_SIDE} a side are needed")
        require_content(pixels)
        return pixels


InputImage = ImageFile | ImagePixels


def shown(path: Path) -> str:
    """Return a path as text that can be encoded as UTF-8, whatever its bytes."""
    return os.fsencode(path).decode("utf-8", "replace")


def collect_images(
    images: ImageInput | Iterable[ImageInput], *, skip: Path | None = None
) -> list[InputImage]:
    """List the images that a user gave, each file once.

    A file is used whatever its name. A folder is searched recursively, in the order of names, for
    files with an image extension; hidden ones and links that lead out of the folder are ignored.

    Args:
        images: One image or several: files and folders, arrays, PIL images.
        skip: A folder that is not searched: the one for annotated images.

    Raises:
        OptionError: A path does not exist, a folder has no image or is the one to skip, or
            something is not an image.
    """
    one = isinstance(images, str | Path | np.ndarray) or not isinstance(images, Iterable)
    given: list[Any] = [images] if one else list(images)  # type: ignore[arg-type] # as checked
    if not given:
        raise OptionError("no image given; name image files or folders")
    skipped = skip.resolve() if skip else None
    found: list[InputImage] = []
    seen: set[Path] = set()
    for position, image in enumerate(given, 1):
        if not isinstance(image, str | Path):
            _require_pixels(image, position)
            found.append(ImagePixels(image, f"image-{position:04d}"))
            continue
        for file in _files(Path(image).expanduser(), skipped):
            if (resolved := file.path.resolve()) not in seen:
                seen.add(resolved)
                found.append(file)
    return found


def read_upright(path: Path) -> Pixels:
    """Read an image file and rotate it as its Exif orientation says.

    Builds ignore the orientation, since the datasets' landmarks are given in stored pixels; but the
    detector needs upright faces, and photographs straight from a camera often are not upright.

    Returns:
        uint8 RGB, shape (H, W, 3).

    Raises:
        ImageError: The file is blank or can't be used, for any reason of `core.images.read_image`.
    """
    data = read_bytes(path)
    pixels = decode(data).pixels
    require_content(pixels)
    return np.asarray(turn(pixels, read_orientation(data)), np.uint8)


def _pil_pixels(image: Image.Image) -> Pixels:
    """Return the pixels of a PIL image upright, and otherwise as `core.decoding.decode` does."""
    try:
        if image.mode.startswith("I;16"):
            pixels, _ = to_eight_bits(np.asarray(image, np.uint16))
        elif image.has_transparency_data:
            pixels, _ = over_background(np.asarray(image.convert("RGBA"), np.uint8))
        else:
            pixels = np.asarray(image.convert("RGB"), np.uint8)
    except _UNREADABLE as error:
        raise ImageError(f"the PIL image can't be decoded: {error}") from error
    return np.asarray(turn(pixels, pillow_orientation(image)), np.uint8)


def _require_pixels(image: object, position: int) -> None:
    """Check the type of an image in memory."""
    if isinstance(image, Image.Image):
        return
    if not isinstance(image, np.ndarray):
        raise OptionError(
            f"image {position} is of type {type(image).__name__}; expected a path, a NumPy array "
            "or a PIL image"
        )
    if image.dtype.kind == "f":
        raise OptionError(
            f"image {position} is an array of {image.dtype}; expected uint8, 0–255. Values in 0–1 "
            "become that with (255 * image).round().astype('uint8')"
        )
    if image.dtype != np.uint8 or not (
        image.ndim == 2 or (image.ndim == 3 and image.shape[2] in (1, 3))
    ):
        raise OptionError(
            f"image {position} is an array of {image.dtype} of shape {image.shape}; expected uint8 "
            "of shape (H, W, 3), RGB, or (H, W), gray. Give several images as a list."
        )


def _files(path: Path, skipped: Path | None) -> Iterator[ImageFile]:
    """Yield the images at a path."""
    if not path.is_dir():
        if not path.is_file():
            raise OptionError(f"{path}: no such file or folder")
        yield ImageFile(path, path.name)
        return
    if path.resolve() == skipped:
        raise OptionError(
            f"{path} is both the folder of images and --out; its annotated images would be "
            "classified next time. Give another folder with --out."
        )
    found = False
    for file in _search(path, skipped):
        found = True
        yield file
    if not found:
        endings = ", ".join(sorted(image_endings()))
        raise OptionError(f"{path}: no image in this folder or below it (extensions: {endings})")


def _search(root: Path, skipped: Path | None) -> Iterator[ImageFile]:
    inside = root.resolve()
    outside = 0
    ignored: Counter[str | None] = Counter()
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and (here / name).resolve() != skipped
        )
        for name in sorted(files):
            path = here / name
            if name.startswith("."):
                continue
            if not is_image(name):
                ignored[undecodable(name)] += 1
                continue
            if path.is_symlink():
                if not path.resolve().is_relative_to(inside):
                    outside += 1
                    continue
            elif not path.is_file():  # reading from a pipe or a device would block
                continue
            yield ImageFile(path, path.relative_to(root).as_posix())
    if outside:
        logger.warning("%s: ignored %d links to images outside of it", root, outside)
    for reason, count in sorted((why, number) for why, number in ignored.items() if why):
        logger.warning("%s: ignored %d images: %s", root, count, reason)
