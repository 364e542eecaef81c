"""How an image has to be turned to be upright, as its file says.

Exif data is a TIFF structure (Exif 2.3, section 4.5; TIFF 6.0, section 2) and the orientation one
of its tags, whatever the file around it: JPEG, PNG, WebP or TIFF itself. AVIF and HEIC turn by
properties of their own, which Pillow translates.
"""

from __future__ import annotations

import io
import struct
import warnings
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ferdata.core.errors import ImageError
from ferdata.core.jpeg import SIGNATURE as JPEG
from ferdata.core.jpeg import read_structure

UPRIGHT = 1

ORIENTATION_TAG = 0x0112  # Exif 2.3, table 4

_TURNS = {
    2: (None, 1),
    3: (cv2.ROTATE_180, None),
    4: (None, 0),
    5: (cv2.ROTATE_90_CLOCKWISE, 1),
    6: (cv2.ROTATE_90_CLOCKWISE, None),
    7: (cv2.ROTATE_90_CLOCKWISE, 0),
    8: (cv2.ROTATE_90_COUNTERCLOCKWISE, None),
}
"""For each orientation except 1: how to rotate, then the axis to flip as in `cv2.flip`."""

_INVERSE = {6: 8, 8: 6}  # all others are their own

_TIFF = {b"II*\x00": "<", b"MM\x00*": ">"}
_PNG = b"\x89PNG"


def read_orientation(data: bytes) -> int:
    """Return the orientation that an image file asks for, 1 to 8; 1 if it says nothing valid."""
    if data.startswith(JPEG):
        try:
            return exif_orientation(read_structure(data).exif)
        except ImageError:
            return UPRIGHT
    if data[:4] in _TIFF:
        return exif_orientation(data)
    if data.startswith(_PNG):
        return exif_orientation(_png_exif(data))
    if data.startswith(b"RIFF"):
        return exif_orientation(_webp_exif(data))
    return _pillow_orientation(data) if data[4:8] == b"ftyp" else UPRIGHT


def exif_orientation(exif: bytes) -> int:
    """Return the orientation in Exif data, or in a TIFF file; 1 if it says nothing valid."""
    found = tiff_tag(exif, ORIENTATION_TAG)
    return found if found in _TURNS else UPRIGHT


def tiff_tag(data: bytes, tag: int) -> int | None:
    """Return a whole number in the first directory of a TIFF structure; None if it has none."""
    order = _TIFF.get(data[:4])
    if order is None:
        return None
    try:
        (start,) = struct.unpack_from(f"{order}I", data, 4)
        (entries,) = struct.unpack_from(f"{order}H", data, start)
        for position in range(start + 2, start + 2 + 12 * entries, 12):
            number, kind, _, value = struct.unpack_from(f"{order}HHI4s", data, position)
            if number == tag:
                form = {3: "H", 4: "I"}.get(kind)
                return struct.unpack_from(order + form, value)[0] if form else None
    except struct.error:  # it ends before its directory does
        pass
    return None


def turn(pixels: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """Rotate and flip stored pixels of an orientation upright."""
    rotation, axis = _TURNS.get(orientation, (None, None))
    turned = pixels if rotation is None else cv2.rotate(pixels, rotation)
    return np.asarray(turned if axis is None else cv2.flip(turned, axis))


def turn_back(pixels: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """Rotate and flip upright pixels to how they are stored; the inverse of `turn`."""
    return turn(pixels, _INVERSE.get(orientation, orientation))


def pillow_orientation(image: Any) -> int:
    """Return the orientation of an open PIL image; 1 if it says nothing valid."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about broken Exif data, which change nothing here
            found = image.getexif().get(ORIENTATION_TAG, UPRIGHT)
    except (OSError, ValueError, TypeError, SyntaxError, struct.error):
        return UPRIGHT  # SyntaxError: Pillow's for Exif data without a TIFF header
    return found if found in _TURNS else UPRIGHT


def _pillow_orientation(data: bytes) -> int:
    from PIL import Image  # noqa: PLC0415 - few files need it

    try:
        return pillow_orientation(Image.open(io.BytesIO(data)))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return UPRIGHT


def _png_exif(data: bytes) -> bytes:
    """Return the content of a PNG's `eXIf` chunk: length, name, content, checksum."""
    name = data.find(b"eXIf")
    if name < 4:
        return b""
    return data[name + 4 : name + 4 + int.from_bytes(data[name - 4 : name], "big")]


def _webp_exif(data: bytes) -> bytes:
    """Return the content of a WebP's `EXIF` chunk, which some writers begin as in a JPEG."""
    name = data.find(b"EXIF")
    if name < 0:
        return b""
    size = int.from_bytes(data[name + 4 : name + 8], "little")
    return data[name + 8 : name + 8 + size].removeprefix(b"Exif\x00\x00")
