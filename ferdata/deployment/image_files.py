"""New pictures on disk: which files are meant, and their pixels upright."""

from __future__ import annotations

import io
import logging
import os
import struct
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from ferdata.core.errors import OptionError
from ferdata.core.images import IMAGE_SUFFIXES, decode, read_bytes, require_content

logger = logging.getLogger(__name__)

_ORIENTATION = 0x0112  # Exif 2.3, table 4
_UPRIGHT = {
    2: (None, 1),
    3: (cv2.ROTATE_180, None),
    4: (None, 0),
    5: (cv2.ROTATE_90_CLOCKWISE, 1),
    6: (cv2.ROTATE_90_CLOCKWISE, None),
    7: (cv2.ROTATE_90_CLOCKWISE, 0),
    8: (cv2.ROTATE_90_COUNTERCLOCKWISE, None),
}
"""For each Exif orientation but 1: how to turn, then the axis to flip about as in `cv2.flip`."""

_UNREADABLE = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    OSError,
    ValueError,
    TypeError,
    SyntaxError,  # Pillow's word for Exif data that don't begin as TIFF does
    struct.error,  # Exif data that are cut off
)


@dataclass(frozen=True)
class Picture:
    """A file that is to be answered.

    Attributes:
        path: Where it is.
        name: Its path inside the folder that was given, or its file name; posix.
    """

    path: Path
    name: str

    @property
    def shown(self) -> str:
        """The path as text, see `shown`."""
        return shown(self.path)


def shown(path: Path) -> str:
    """Return a path as text that can be written as UTF-8 whatever bytes are in it."""
    return os.fsencode(path).decode("utf-8", "replace")


def find_pictures(paths: Sequence[Path], *, without: Path | None = None) -> list[Picture]:
    """List the pictures that paths stand for, each file once.

    A file is taken as it is. A folder is walked: files with the ending of an image, by name,
    without hidden ones, and without links that lead out of the folder.

    Args:
        paths: Files and folders.
        without: A folder that is not walked: where annotated images go.

    Raises:
        OptionError: A path is not there, nothing in a folder looks like an image, or the folder to
            be walked is the one to leave out.
    """
    if not paths:
        raise OptionError("no picture is given; name image files or folders")
    pictures: dict[Path, Picture] = {}
    left_out = without.resolve() if without else None
    for path in paths:
        for picture in _pictures_of(path, left_out):
            pictures.setdefault(picture.path.resolve(), picture)
    return list(pictures.values())


def read_upright(path: Path) -> npt.NDArray[np.uint8]:
    """Read a picture and turn it as its Exif orientation says.

    A build leaves pixels as they are stored, since the datasets' points are given in them; a
    photograph from a camera has nobody's points, and faces are found in upright pictures.

    Returns:
        uint8 RGB, shape (H, W, 3).

    Raises:
        ImageError: The file can't be used, for any reason of `core.images.read_image`, or shows
            nothing.
    """
    data = read_bytes(path)
    pixels, _ = decode(data)
    require_content(pixels)
    turn, flip = _UPRIGHT.get(_orientation(data), (None, None))
    upright = pixels if turn is None else cv2.rotate(pixels, turn)
    upright = upright if flip is None else cv2.flip(upright, flip)
    return np.asarray(upright, np.uint8)


def _orientation(data: bytes) -> int:
    """Return the Exif orientation; 1, upright, where there is none that can be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of broken Exif data, which change nothing here
            with Image.open(io.BytesIO(data)) as image:
                return int(image.getexif().get(_ORIENTATION, 1))
    except _UNREADABLE:
        return 1  # OpenCV could read it, so it is a picture, with nothing said about turning it


def _pictures_of(path: Path, left_out: Path | None) -> Iterator[Picture]:
    if not path.is_dir():
        if not path.is_file():
            raise OptionError(f"{path}: no such file or folder")
        yield Picture(path, path.name)
        return
    if path.resolve() == left_out:
        raise OptionError(
            f"{path} is to be answered and is the folder of the answers, too; the annotated "
            "pictures would be answered next time. Give another folder with --out."
        )
    found = False
    for picture in _walk(path, left_out):
        found = True
        yield picture
    if not found:
        endings = ", ".join(sorted(IMAGE_SUFFIXES))
        raise OptionError(f"{path}: no image in this folder or below it (endings: {endings})")


def _walk(root: Path, left_out: Path | None) -> Iterator[Picture]:
    inside = root.resolve()
    outside = 0
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and (here / name).resolve() != left_out
        )
        for name in sorted(files):
            path = here / name
            if name.startswith(".") or path.suffix.lower() not in IMAGE_SUFFIXES:
                continue
            if path.is_symlink():
                if not path.resolve().is_relative_to(inside):
                    outside += 1
                    continue
            elif not path.is_file():  # a pipe or a device would be waited for
                continue
            yield Picture(path, path.relative_to(root).as_posix())
    if outside:
        logger.warning("%s: %d links to pictures outside of it were left out", root, outside)
