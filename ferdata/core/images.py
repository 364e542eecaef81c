"""Reading one image: find it inside its root, decode it, and refuse what is broken.

How an image looks is no reason to refuse it, but for the blank rule where a caller asks for it
(`require_content`). All else that is unusual comes back as findings, see `ferdata.core.findings`.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from ferdata.core.decoding import MIN_SIDE, DecodedImage, decode
from ferdata.core.errors import ImageError
from ferdata.core.pixel_rows import read_pixel_row
from ferdata.core.stored_images import read_stored

BLANK_DEVIATION = 3.0
"""Standard deviation, in gray levels, below which an image shows nothing: the blank rule.

KDEF's ten black images have a mean of 0.6 and FER2013's eleven are constant; a face, however dark
or flat its light, has eyes."""

_SEPARATORS = re.compile(r"[/\\]")

_ROW = re.compile(r"(?P<path>.+\.csv)#(?P<row>\d{1,12})", re.IGNORECASE)

_STORED = re.compile(
    r"(?P<path>.+\.(?:parquet|arrow|h5|hdf5|npz))#(?P<column>[^#]+)/(?P<row>\d{1,12})",
    re.IGNORECASE,
)


def resolve(root: Path, uri: str) -> str:
    """Return the path of a manifest uri inside its data root.

    Args:
        root: The data root.
        uri: Posix path relative to the root.

    Raises:
        ImageError: The uri is absolute or leaves the root.
    """
    require_inside(uri)
    return f"{root}/{uri}"


def require_inside(uri: str) -> None:
    """Check that a path from a dataset's list stays inside the data root.

    Raises:
        ImageError: The path is empty, absolute or leaves the root.
    """
    # Plain string work: this runs for every image, and pathlib would take half as long as decoding.
    if not uri or uri[0] in "/\\" or uri[1:2] == ":" or ".." in _SEPARATORS.split(uri):
        raise ImageError(f"path leaves the data root: {uri!r}")


def read_image(root: Path, uri: str) -> DecodedImage:
    """Read and decode one image of a manifest.

    Exif orientation is ignored: the datasets' landmarks and boxes are given in stored pixels.
    16-bit images become 8-bit by the range of their data, gray ones three equal channels;
    transparent parts are put on white.

    Args:
        root: The data root.
        uri: Posix path relative to the root; `fer2013.csv#17` for a row of a csv file, whose hash
            then is that of the row's bytes; `data.h5#Training_pixel/17` for an image in an array
            and `train.parquet#image/17` for the bytes in a column.

    Raises:
        ImageError: The file is missing, unreadable, empty, not an image, cut off, or smaller than
            `MIN_SIDE` pixels on a side.
    """
    # Nearly all uris are plain paths: this runs for every image.
    return _read_inside(root, uri) if "#" in uri else decode(read_bytes(resolve(root, uri)))


def read_bytes(path: str | Path) -> bytes:
    """Read a file.

    Raises:
        ImageError: The file is missing or unreadable.
    """
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - as in resolve
            return file.read()
    except FileNotFoundError:
        raise ImageError("file is missing") from None
    except OSError as error:
        raise ImageError(f"file can't be read: {error.strerror}") from None


def _read_inside(root: Path, uri: str) -> DecodedImage:
    """Read an image that is a row of a file; a path may also have a `#` of its own."""
    if match := _ROW.fullmatch(uri):
        return _decoded(*read_pixel_row(Path(resolve(root, match["path"])), int(match["row"])))
    if match := _STORED.fullmatch(uri):
        path = Path(resolve(root, match["path"]))
        data = read_stored(path, match["column"], int(match["row"]))
        return _decoded(data, data.tobytes()) if isinstance(data, np.ndarray) else decode(data)
    return decode(read_bytes(resolve(root, uri)))


def _decoded(image: npt.NDArray[np.uint8], raw: bytes) -> DecodedImage:
    """Return an image of pixels: gray (H, W) or RGB (H, W, 3)."""
    side = min(image.shape[:2])
    if side < MIN_SIDE:
        raise ImageError(f"too small: {side} pixels a side; at least {MIN_SIDE} are needed")
    channels = 1 if image.ndim == 2 else 3
    pixels = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) if channels == 1 else image
    return DecodedImage(np.asarray(pixels, np.uint8), channels, hashlib.sha256(raw).hexdigest())


def blank_level(pixels: npt.NDArray[np.uint8]) -> float | None:
    """Return the mean gray level of an image of one level, give or take noise; None for others.

    Args:
        pixels: uint8 RGB, shape (H, W, 3).
    """
    sample = pixels[::4, ::4, 1]
    if int(sample.max()) - int(sample.min()) > 8 * BLANK_DEVIATION:
        return None  # far from blank, as nearly all are: no need for the exact answer
    mean, deviation = cv2.meanStdDev(pixels)
    return float(mean.mean()) if float(deviation.max()) < BLANK_DEVIATION else None


def require_content(pixels: npt.NDArray[np.uint8]) -> None:
    """Refuse an image of one gray level, give or take noise: the blank rule.

    Args:
        pixels: uint8 RGB, shape (H, W, 3).

    Raises:
        ImageError: The image is blank.
    """
    level = blank_level(pixels)
    if level is not None:
        raise ImageError(f"blank image: gray level {level:.1f} all over")
