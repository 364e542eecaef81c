"""From the values in a file to 8-bit RGB: the range of 16-bit data, and transparent parts."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from ferdata.core.orientation import tiff_tag

BACKGROUND = 255
"""White, in every channel: what transparent parts are put on."""

DEPTHS = (8, 10, 12, 16)
"""Bits that data in 16-bit files may have without saying so."""

_MAX_SAMPLE_VALUE = 281  # TIFF 6.0, section 8
_PNM_MAXIMUM = re.compile(rb"P[56](?:\s+(?:#[^\n]*\n\s*)*\d+){2}\s+(?:#[^\n]*\n\s*)*(\d+)\s")


def to_eight_bits(
    pixels: npt.NDArray[np.uint16], data: bytes = b""
) -> tuple[npt.NDArray[np.uint8], int]:
    """Scale 16-bit data to 8 bits by the range that it uses.

    Cameras and medical devices store 10 or 12 bits in 16; by the high byte alone they would be
    nearly black. The range is the one that the file declares, if it is narrower than 16 bits, which
    programs write by default; else the smallest of `DEPTHS` that holds every value.

    Args:
        pixels: uint16, any shape.
        data: The file, if there is one.

    Returns:
        uint8 of the same shape, and the number of bits.
    """
    highest = int(pixels.max(initial=0))
    bits = _declared_bits(data)
    if not 8 <= bits < 16 or highest >> bits:
        bits = next(each for each in DEPTHS if not highest >> each)
    return np.right_shift(pixels, bits - 8, dtype=np.uint16).astype(np.uint8), bits


def over_background(pixels: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], float]:
    """Put an image with alpha on `BACKGROUND`.

    An alpha channel that is the same everywhere separates nothing and is cut.

    Args:
        pixels: uint8, shape (H, W, 4), alpha last, colors not premultiplied.

    Returns:
        uint8, shape (H, W, 3), and the share of the image with alpha 0.
    """
    colors, alpha = pixels[..., :3], pixels[..., 3]
    if int(alpha.min()) == int(alpha.max()):
        return np.ascontiguousarray(colors), 0.0
    weight = alpha[..., None].astype(np.uint32)
    blended = (colors * weight + BACKGROUND * (255 - weight) + 127) // 255
    return blended.astype(np.uint8), float((alpha == 0).mean())


def _declared_bits(data: bytes) -> int:
    """Return the bits per channel that a file of 16-bit data declares; 0 if it does not."""
    if data.startswith(b"\x89PNG"):
        return _after(data, b"sBIT", 0)
    if data[4:8] == b"ftyp":
        return _after(data, b"pixi", 5)  # version and flags, number of channels, bits of each
    if data[4:8] == b"jP  ":
        bits = _after(data, b"ihdr", 10)  # height, width, number of channels; bits - 1
        return bits % 128 + 1 if 0 < bits < 255 else 0
    if match := _PNM_MAXIMUM.match(data):
        return int(match[1]).bit_length()
    maximum = tiff_tag(data, _MAX_SAMPLE_VALUE)
    return maximum.bit_length() if maximum else 0


def _after(data: bytes, name: bytes, offset: int) -> int:
    """Return the byte at an offset behind the name of a chunk or box in a file's first part."""
    found = data.find(name, 0, 4096)
    position = found + len(name) + offset
    return data[position] if found >= 0 and position < len(data) else 0
