"""Reading one image: find it inside its root, decode it, and refuse what is broken.

Decoding is strict where OpenCV is lenient: it can fill the missing part of a half-written JPEG with
gray and say nothing; here such a file is an `ImageError`, so that it becomes a reject row.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from ferdata.core.errors import ImageError
from ferdata.core.pixel_rows import read_pixel_row
from ferdata.core.stored_images import read_array_row, read_parquet_row

MIN_SIDE = 16
"""Images with a side below this many pixels can't show an expression and are rejected."""

BLANK_DEVIATION = 3.0
"""Standard deviation, in gray levels, below which a picture shows nothing.

KDEF's ten black images have a mean of 0.6 and FER2013's eleven are constant; a face, however dark
or flat its light, has eyes."""

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff"})
"""File name endings that ingesters take for images, in lower case."""

_FILLING = 128
"""Mid-gray: what a JPEG decoder makes of coefficients that are missing."""

_SEPARATORS = re.compile(r"[/\\]")

_ROW = re.compile(
    r"(?P<path>.+\.(?:csv|parquet|h5|hdf5))#(?:(?P<array>[^/#]+)/)?(?P<row>\d{1,12})", re.IGNORECASE
)

_TO_RGB = {1: cv2.COLOR_GRAY2RGB, 3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGB}

# OpenCV prints a line on standard error for each broken file; the reject row says it better.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


@dataclass(frozen=True)
class DecodedImage:
    """The pixels of one image file and what the manifest records of them.

    Attributes:
        pixels: uint8 RGB, shape (H, W, 3), also where the file is gray.
        channels: Channels in the file: 1 gray, 3 color; 4 with alpha.
        file_sha256: Hash of the file's bytes, hexadecimal.
    """

    pixels: npt.NDArray[np.uint8]
    channels: int
    file_sha256: str

    @property
    def pixel_sha256(self) -> str:
        """Hash of the decoded pixels, see `pixel_sha256`."""
        return pixel_sha256(self.pixels)


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

    EXIF orientation is ignored: the datasets' landmarks and boxes are given in stored pixels.
    16-bit images become 8-bit by their high byte, gray ones three equal channels; alpha is cut.

    Args:
        root: The data root.
        uri: Posix path relative to the root; `fer2013.csv#17` for a row of a csv file, whose hash
            then is that of the row's bytes; `x.parquet#17` and `x.h5#data_pixel/17` likewise.

    Raises:
        ImageError: The file is missing, unreadable, empty, not an image, cut off, or smaller than
            `MIN_SIDE` pixels on a side.
    """
    if match := _ROW.fullmatch(uri):
        path, row = Path(resolve(root, match["path"])), int(match["row"])
        if path.suffix.lower() == ".csv":
            return _read_row(path, row)
        return _read_stored(path, match["array"], row)
    data = read_bytes(resolve(root, uri))
    pixels, channels = decode(data)
    return DecodedImage(pixels, channels, hashlib.sha256(data).hexdigest())


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


def _read_row(path: Path, row: int) -> DecodedImage:
    """Read an image that is a row of a csv file."""
    gray, line = read_pixel_row(path, row)
    if gray.shape[0] < MIN_SIDE:
        raise ImageError(
            f"too small: {gray.shape[0]} pixels a side; at least {MIN_SIDE} are needed"
        )
    pixels = np.asarray(cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB), dtype=np.uint8)
    return DecodedImage(pixels, 1, hashlib.sha256(line).hexdigest())


def _read_stored(path: Path, array: str | None, row: int) -> DecodedImage:
    """Read an image that is a row of a Parquet file, or of an HDF5 array (RGB or gray)."""
    if array is None:
        data = read_parquet_row(path, row)
        pixels, channels = decode(data)
        return DecodedImage(pixels, channels, hashlib.sha256(data).hexdigest())
    values = read_array_row(path, array, row)
    if min(values.shape[:2]) < MIN_SIDE:
        raise ImageError(f"too small: {values.shape[0]} pixels; at least {MIN_SIDE} are needed")
    digest = hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()
    if values.ndim == 3:
        return DecodedImage(np.ascontiguousarray(values), 3, digest)
    return DecodedImage(np.asarray(cv2.cvtColor(values, cv2.COLOR_GRAY2RGB), np.uint8), 1, digest)


def decode(data: bytes) -> tuple[npt.NDArray[np.uint8], int]:
    """Decode the bytes of an image file.

    Returns:
        The pixels (uint8 RGB, shape (H, W, 3)) and the number of channels in the file.

    Raises:
        ImageError: As for `read_image`.
    """
    if not data:
        raise ImageError("file is empty (0 bytes)")
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        image = None
    if image is None:
        raise ImageError("not an image, or broken beyond decoding")
    channels = 1 if image.ndim == 2 else image.shape[2]
    if channels not in _TO_RGB:
        raise ImageError(f"{channels} channels; expected 1, 3 or 4")
    if image.dtype == np.uint16:
        image = np.right_shift(image, 8, dtype=np.uint16).astype(np.uint8)
    if image.dtype != np.uint8:
        raise ImageError(f"pixels of type {image.dtype}; expected 8 or 16 bits per channel")
    height, width = image.shape[:2]
    if min(height, width) < MIN_SIDE:
        raise ImageError(f"{width}×{height} pixels; at least {MIN_SIDE} a side are needed")
    pixels = np.asarray(cv2.cvtColor(image, _TO_RGB[channels]), dtype=np.uint8)
    _refuse_half_written(data, pixels)
    return pixels, channels


def pixel_sha256(pixels: npt.NDArray[np.uint8]) -> str:
    """Hash decoded pixels; equal for equal pictures whatever their file format.

    Args:
        pixels: uint8 RGB, shape (H, W, 3).

    Returns:
        Hexadecimal sha256 over `"HxWx3:"` and the pixels in row-major order.
    """
    digest = hashlib.sha256(f"{'x'.join(map(str, pixels.shape))}:".encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def require_content(pixels: npt.NDArray[np.uint8]) -> None:
    """Refuse a picture of one gray level, give or take noise.

    Args:
        pixels: uint8 RGB, shape (H, W, 3).

    Raises:
        ImageError: The picture is blank.
    """
    sample = pixels[::4, ::4, 1]
    if int(sample.max()) - int(sample.min()) > 8 * BLANK_DEVIATION:
        return  # far from blank, as nearly all are: no need for the exact answer
    mean, deviation = cv2.meanStdDev(pixels)
    if float(deviation.max()) < BLANK_DEVIATION:
        raise ImageError(f"blank image: gray level {float(mean.mean()):.1f} all over")


def _refuse_half_written(data: bytes, pixels: npt.NDArray[np.uint8]) -> None:
    """Raise for a JPEG whose scan ends early, which OpenCV decodes without a word.

    After a cut that was padded with zeros there is no end-of-image marker (FFD9) behind the last
    start of a scan (FFDA); neither can occur inside a scan, where FF is always escaped. Where an
    end marker comes too soon, the decoder goes on with zero coefficients: blocks of mid-gray.
    """
    if not data.startswith(b"\xff\xd8"):
        return
    if data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda"):
        raise ImageError("JPEG is half-written: no end-of-image marker")
    if pixels[-1, -1, -1] == _FILLING and np.all(pixels[-8:] == _FILLING):
        raise ImageError("JPEG is half-written: its lowest rows are the decoder's filling")
