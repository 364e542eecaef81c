"""Decoding the bytes of one image file: strictly, and with its oddities as findings.

OpenCV fills the missing part of a half-written JPEG with gray; here such a file is an `ImageError`.
How an image looks is no reason to refuse it.
"""

from __future__ import annotations

import hashlib
import io
from importlib import import_module
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from ferdata.core import jpeg
from ferdata.core.errors import ImageError
from ferdata.core.findings import finding
from ferdata.core.image_formats import plugin_format, refusal
from ferdata.core.native_messages import listen
from ferdata.core.orientation import UPRIGHT, exif_orientation, read_orientation, turn_back
from ferdata.core.pixel_values import over_background, to_eight_bits

MIN_SIDE = 16
"""Images with a side below this many pixels can't show an expression and are rejected."""

_TO_RGB = {1: cv2.COLOR_GRAY2RGB, 3: cv2.COLOR_BGR2RGB}

_TIFF = (b"II*\x00", b"MM\x00*")
_ENDS_BY_ITSELF = (jpeg.SIGNATURE, b"\x89PNG", b"GIF8")
"""Formats with an end marker or checksums, where zeros at the end of the file mean nothing."""

_LEAST_ZEROS = 64  # bytes at the end of a file that make a `zero-tail`, if 1 % of the file

# OpenCV prints a line on standard error for each broken file; the reject row says it better.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


class DecodedImage(NamedTuple):
    """The pixels of one image file and what the manifest records of them.

    Attributes:
        pixels: uint8 RGB, shape (H, W, 3), also where the file is gray.
        channels: Channels in the file: 1 gray, 3 color; 4 with alpha.
        file_sha256: Hash of the file's bytes, hexadecimal.
        findings: What is unusual about the file, see `ferdata.core.findings`.
    """

    pixels: npt.NDArray[np.uint8]
    channels: int
    file_sha256: str
    findings: tuple[str, ...] = ()

    @property
    def pixel_sha256(self) -> str:
        """Hash of the decoded pixels, see `pixel_sha256`."""
        return pixel_sha256(self.pixels)


def decode(data: bytes) -> DecodedImage:
    """Decode the bytes of an image file.

    Exif orientation is ignored: pixels are returned as they are stored. 16-bit images become 8-bit
    by the range of their data, gray ones three equal channels; transparent parts are put on white.

    Raises:
        ImageError: The file is empty, not an image, cut off, or smaller than `MIN_SIDE` pixels on a
            side.
    """
    if not data:
        raise ImageError("file is empty (0 bytes)")
    is_jpeg = data.startswith(jpeg.SIGNATURE)
    image, messages = listen(_decode_with_opencv, data)
    findings: list[str] = []
    if not is_jpeg:
        findings = [*map(_complaint, messages), *_zero_tail(data)]
    elif image is None or messages or not jpeg.is_plain(data):
        findings = _jpeg_findings(data, messages)
    if image is None:
        image = _decode_with_plugin(data)
    if image is None:
        heard = f": {messages[0]}" if messages else ""
        raise ImageError(f"not an image, or broken beyond decoding{heard}")
    if not is_jpeg and (orientation := read_orientation(data)) != UPRIGHT:
        findings.append(finding("turned", orientation))
        if data.startswith(_TIFF):
            image = turn_back(image, orientation)  # OpenCV turns TIFF, and no other format
    pixels, channels = _to_rgb(image, data, findings)
    return DecodedImage(pixels, channels, hashlib.sha256(data).hexdigest(), tuple(findings))


def _decode_with_opencv(data: bytes) -> npt.NDArray[Any] | None:
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None


def _decode_with_plugin(data: bytes) -> npt.NDArray[Any] | None:
    """Decode a format that OpenCV does not know, in the order of OpenCV's channels.

    Raises:
        ImageError: The plugin is not installed, or the image is broken.
    """
    image_format = plugin_format(data)
    if image_format is None:
        return None
    if not image_format.decodable:
        raise ImageError(refusal(image_format))
    from PIL import Image  # noqa: PLC0415 - few files need it

    plugin = import_module(image_format.plugin)
    getattr(plugin, "register_heif_opener", lambda: None)()  # others register when imported
    try:
        opened = Image.open(io.BytesIO(data))
        pixels = np.asarray(opened.convert("RGBA" if "A" in opened.mode else "RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ImageError(f"not an image, or broken beyond decoding: {error}") from error
    return pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]


def _to_rgb(
    image: npt.NDArray[Any], data: bytes, findings: list[str]
) -> tuple[npt.NDArray[np.uint8], int]:
    """Return 8-bit RGB and the number of channels in the file; add to the findings.

    Raises:
        ImageError: The image is too small, or has channels or values of another kind.
    """
    channels = 1 if image.ndim == 2 else image.shape[2]
    if channels not in (1, 3, 4):
        raise ImageError(f"{channels} channels; expected 1, 3 or 4")
    height, width = image.shape[:2]
    if min(height, width) < MIN_SIDE:
        raise ImageError(f"{width}×{height} pixels; at least {MIN_SIDE} a side are needed")
    if image.dtype == np.uint16:
        image, bits = to_eight_bits(image, data)
        if bits < 16:
            findings.append(finding("deep", bits))
    if image.dtype != np.uint8:
        raise ImageError(f"pixels of type {image.dtype}; expected 8 or 16 bits per channel")
    if channels == 4:
        image, transparent = over_background(image)
        if transparent:
            findings.append(finding("transparent", transparent))
    return np.asarray(cv2.cvtColor(image, _TO_RGB[min(channels, 3)]), dtype=np.uint8), channels


def _jpeg_findings(data: bytes, messages: list[str]) -> list[str]:
    """Return what is unusual about a JPEG.

    Raises:
        ImageError: It has no end, or a scan ends early and the rest is the decoder's filling.
    """
    structure = jpeg.read_structure(data)
    if messages and _ends_early(data, structure, messages):
        raise ImageError("JPEG is half-written: a scan ends early")
    found = [_complaint(message) for message in messages]
    if not structure.complete:
        found.append(finding("scans-missing", structure.scans))
    if (orientation := exif_orientation(structure.exif)) != UPRIGHT:
        found.append(finding("turned", orientation))
    return found


def _ends_early(data: bytes, structure: jpeg.JpegStructure, messages: list[str]) -> bool:
    """Say whether the data of a scan that libjpeg complains about end before the image does.

    Without restart markers libjpeg fills the rest of the scan when it meets a marker. With them it
    goes on behind the next one, and it reports only its first complaint; so the scan is decoded
    again with no end marker to stop at: a decoder that still wants data then fails. A few zeros
    stand in for what it reads ahead.
    """
    meets_marker = any("premature end" in message for message in messages)
    if meets_marker and not (structure.restart_interval and not structure.progressive):
        return True
    if structure.progressive:
        return False
    without_end = data[: structure.end - 2] + bytes(8)
    return listen(_decode_with_opencv, without_end)[0] is None


def _complaint(message: str) -> str:
    """Return a decoder's message as a finding."""
    harmless = message.startswith(("libpng warning", "Warning", "Unknown Adobe", "TIFF"))
    name = "decoder-warning" if harmless else "damaged"
    return finding(name, message.removeprefix("Corrupt JPEG data: "))


def _zero_tail(data: bytes) -> list[str]:
    """Find the zeros at a file's end that a broken copy leaves, where nothing says it is whole."""
    if data[-1] or data.startswith(_ENDS_BY_ITSELF):
        return []
    if data.startswith(b"RIFF"):
        data = data[: 8 + int.from_bytes(data[4:8], "little")]
    zeros = len(data) - len(data.rstrip(b"\x00"))
    if zeros < max(_LEAST_ZEROS, len(data) // 100):
        return []
    return [finding("zero-tail", zeros / len(data))]


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
