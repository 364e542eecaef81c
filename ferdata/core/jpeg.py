"""The structure of a JPEG file: its segments up to the first end-of-image marker.

Markers and their order: ITU-T T.81 (1992), annex B. What follows the end marker, such as the video
of a motion photo, does not belong to the image.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ferdata.core.errors import ImageError

SIGNATURE = b"\xff\xd8"

_SOI, _EOI, _SOS, _DRI, _APP1 = 0xD8, 0xD9, 0xDA, 0xDD, 0xE1
_PROGRESSIVE = (0xC2, 0xC6, 0xCA, 0xCE)
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # what can end a scan: no FF 00, no restart
_EXIF = b"Exif\x00\x00"


_END = b"\xff\xd9"
_SCAN = b"\xff\xda"
_NOT_PLAIN = re.compile(rb"\xff[\xc2\xca\xd8]|\xff\xe1..Exif", re.DOTALL)
"""What a plain header lacks: frames of progressive coding, a thumbnail, Exif data."""


def is_plain(data: bytes) -> bool:
    """Say of a JPEG that its segments need no look, if libjpeg decodes it without complaint.

    It ends as it should, is not progressive and has no Exif data. This spares most images the walk
    of `read_structure`, which takes a fifth of the time of decoding a small image.
    """
    scan = data.find(_SCAN)
    return data.endswith(_END) and scan > 0 and not _NOT_PLAIN.search(data, 2, scan)


@dataclass(frozen=True)
class JpegStructure:
    """What the segments of a JPEG say.

    Attributes:
        end: Position behind the end-of-image marker.
        progressive: Whether it is coded in several passes.
        scans: Number of scans.
        complete: Whether the scans carry every coefficient down to its last bit.
        restart_interval: Blocks between restart markers; 0 without them.
        exif: Exif data, a TIFF structure; empty if there is none.
    """

    end: int
    progressive: bool
    scans: int
    complete: bool
    restart_interval: int
    exif: bytes


def read_structure(data: bytes) -> JpegStructure:
    """Walk the segments of a JPEG file.

    Args:
        data: The file, beginning with `SIGNATURE`.

    Raises:
        ImageError: It ends before an end-of-image marker, or has no scan before it.
    """
    progressive, restart_interval, exif, scans = False, 0, b"", 0
    passes = _Passes()
    position = len(SIGNATURE)
    while True:
        match = _MARKER.search(data, position)
        if match is None:
            raise ImageError("JPEG is half-written: no end-of-image marker")
        marker, position = match.group()[1], match.end()
        if marker == _EOI:
            break
        if marker in (_SOI, 0x01):
            continue
        length = int.from_bytes(data[position : position + 2], "big")
        if length < 2 or position + length > len(data):
            raise ImageError("JPEG is half-written: it ends inside a segment")
        body = data[position + 2 : position + length]
        if marker == _SOS:
            scans += 1
            passes.add(body)
        elif marker in _PROGRESSIVE:
            progressive = True
        elif marker == _DRI:
            restart_interval = int.from_bytes(body[:2], "big")
        elif marker == _APP1 and body.startswith(_EXIF) and not exif:
            exif = body[len(_EXIF) :]
        position += length
    if not scans:
        raise ImageError("JPEG is half-written: no scan before its end-of-image marker")
    return JpegStructure(
        end=position,
        progressive=progressive,
        scans=scans,
        complete=not progressive or passes.complete,
        restart_interval=restart_interval,
        exif=exif,
    )


class _Passes:
    """Which bit of each coefficient the scans of a progressive JPEG have reached (T.81, G.1.1)."""

    def __init__(self) -> None:
        self._lowest: dict[int, list[int]] = {}  # by component: of each coefficient; 99 for none

    def add(self, header: bytes) -> None:
        """Take the header of a scan: its components, then Ss, Se, and Ah and Al in one byte."""
        if len(header) < 4 or len(header) < 1 + 2 * header[0] + 3:
            return
        count = header[0]
        first, last, approximation = header[1 + 2 * count : 4 + 2 * count]
        if not first <= last < 64:
            return
        for component in header[1 : 1 + 2 * count : 2]:
            lowest = self._lowest.setdefault(component, [99] * 64)
            lowest[first : last + 1] = [approximation & 15] * (last + 1 - first)

    @property
    def complete(self) -> bool:
        """Whether every coefficient of every component is there to its last bit."""
        return all(not any(lowest) for lowest in self._lowest.values())
