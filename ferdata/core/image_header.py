"""What an image's header says, without decoding it."""

from __future__ import annotations

from pathlib import Path

_GRAY = ("1", "L", "I;16")  # modes of Pillow


def image_header(path: Path) -> tuple[int, int, bool] | None:
    """Return an image's width and height in pixels and whether it is gray; None if unreadable."""
    from PIL import Image  # noqa: PLC0415 - only where a folder must be looked into

    try:
        with Image.open(path) as image:
            return (*image.size, image.mode in _GRAY)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
