"""Which files are images: the formats that can be decoded here, by the endings of their names.

The one place that knows it; reading datasets and classifying new images both ask here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec


@dataclass(frozen=True)
class ImageFormat:
    """A format of image files.

    Attributes:
        name: Its name in messages.
        endings: Endings of file names, in lower case, with their dot.
        plugin: The module that teaches Pillow to decode it; empty if OpenCV decodes it.
        remedy: What to do where it can't be decoded; empty if it always can.
    """

    name: str
    endings: tuple[str, ...]
    plugin: str = ""
    remedy: str = ""

    @property
    def decodable(self) -> bool:
        """Whether images of this format can be decoded here."""
        return not self.remedy or bool(self.plugin and find_spec(self.plugin))


HEIF = ImageFormat("HEIC", (".heic", ".heif", ".hif"), "pillow_heif", "pip install pillow-heif")
JPEG_XL = ImageFormat("JPEG XL", (".jxl",), "pillow_jxl", "pip install pillow-jxl-plugin")

FORMATS = (
    ImageFormat("JPEG", (".jpg", ".jpeg", ".jpe", ".jfif", ".jif")),
    ImageFormat("PNG", (".png", ".apng")),
    ImageFormat("BMP", (".bmp", ".dib")),
    ImageFormat("TIFF", (".tif", ".tiff")),
    ImageFormat("WebP", (".webp",)),
    ImageFormat("AVIF", (".avif",)),
    ImageFormat("JPEG 2000", (".jp2", ".j2k")),
    ImageFormat("PNM", (".pbm", ".pgm", ".ppm", ".pnm", ".pam")),
    ImageFormat("Sun raster", (".ras", ".sr")),
    ImageFormat("GIF", (".gif",)),
    HEIF,
    JPEG_XL,
    ImageFormat(
        "raw photograph",
        (".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".raf", ".rw2"),
        remedy="convert it to JPEG or PNG",
    ),
    ImageFormat(
        "floating-point image", (".exr", ".hdr", ".pfm"), remedy="convert it to PNG or TIFF"
    ),
    ImageFormat("drawing", (".psd", ".svg"), remedy="export it as PNG"),
)
"""Every format that is known, whether or not it can be decoded here.

Of animations (GIF, WebP, PNG) and of files with several pages, the first image is read.
"""


def file_ending(name: str) -> str:
    """Return the ending of a file's name in lower case with its dot; empty if it has none."""
    last = name.rpartition("/")[2]
    _, dot, ending = last.rpartition(".")
    return f".{ending.lower()}" if dot else ""


@cache
def image_endings() -> frozenset[str]:
    """Return the endings, in lower case, of all files that can be decoded here."""
    return frozenset(ending for each in FORMATS if each.decodable for ending in each.endings)


def is_image(name: str) -> bool:
    """Say whether a file of this name is an image that can be decoded here."""
    return file_ending(name) in image_endings()


def undecodable(name: str) -> str | None:
    """Say why an image can't be decoded here, by its name, and what to do about it.

    Returns:
        For instance `HEIC can't be decoded here; pip install pillow-heif`; None for images that
        can be decoded and for files that are no images.
    """
    ending = file_ending(name)
    for each in FORMATS:
        if ending in each.endings and not each.decodable:
            return refusal(each)
    return None


def refusal(image_format: ImageFormat) -> str:
    """Say that a format can't be decoded here, and what to do about it."""
    return f"{image_format.name} can't be decoded here; {image_format.remedy}"


def plugin_format(data: bytes) -> ImageFormat | None:
    """Tell from its first bytes whether a file is of a format that needs a plugin.

    Sources: ISO/IEC 23008-12 (brands of HEIF), ISO/IEC 18181-2 (signatures of JPEG XL).
    """
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS:
        return HEIF
    if data.startswith((b"\xff\x0a", b"\x00\x00\x00\x0cJXL ")):
        return JPEG_XL
    return None


_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
