"""What is measured on each image, beside what the face stage finds.

Hashes of its mirror images, fine detail, traces of an earlier compression.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ferdata.core.perceptual import decode_hashes, perceptual_hash

Gray = npt.NDArray[np.float32]


_BASE_LUMINANCE = 57.625
"""Mean of the luminance table at quality 50 in Annex K of ITU-T T.81, which libjpeg scales."""


@dataclass(frozen=True)
class ImageMeasures:
    """Measures of N images; NaN where unknown.

    Attributes:
        upright: Perceptual hashes, uint64 (N, 4).
        upside_down: Those of the images exchanged top and bottom.
        detail: Detail in the finest octave by that in the next two, float32 (N,): 0.4 for sharp
            images, below 0.24 for blurred ones and for those enlarged to twice their size.
        repeats: How alike neighboring rows or columns are where they are most alike, by where they
            are least, float32 (N,): 0 for an image enlarged by repeating pixels.
        blocks: Steps at every eighth pixel by all steps, float32 (N,): above 0.3 after a strong
            JPEG compression.
        jpeg_quality: Quality of the file's own quantization as libjpeg counts, 1 to 100, float32
            (N,); NaN for other formats.
    """

    upright: npt.NDArray[np.uint64]
    upside_down: npt.NDArray[np.uint64]
    detail: npt.NDArray[np.float32]
    repeats: npt.NDArray[np.float32]
    blocks: npt.NDArray[np.float32]
    jpeg_quality: npt.NDArray[np.float32]

    @classmethod
    def of(cls, measured: list[ImageMeasure]) -> ImageMeasures:
        """Put the measures of images together."""
        numbers = np.array([each.numbers for each in measured], np.float32).reshape(-1, 4)
        hashes = [decode_hashes([each.hashes[k] for each in measured]) for k in (0, 1)]
        return cls(hashes[0], hashes[1], *numbers.T)


@dataclass(frozen=True)
class ImageMeasure:
    """Measures of one image.

    Attributes:
        hashes: Upright and upside down, as text.
        numbers: Detail, repeats, blocks, JPEG quality.
    """

    hashes: tuple[str, str]
    numbers: tuple[float, float, float, float]


def measure_image(pixels: npt.NDArray[np.uint8], data: bytes = b"") -> ImageMeasure:
    """Measure one image.

    Args:
        pixels: uint8 RGB, shape (H, W, 3).
        data: The file's bytes, where there are any.
    """
    gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return ImageMeasure(
        (
            perceptual_hash(pixels),
            perceptual_hash(np.ascontiguousarray(pixels[::-1])),
        ),
        (_detail(gray), _repeats(gray), _blocks(gray), jpeg_quality(data)),
    )


def jpeg_quality(data: bytes) -> float:
    """Return the quality of a JPEG file's quantization, NaN for another file.

    libjpeg multiplies Annex K's table by 50 / q below quality 50, and by 2 − q / 50 above.
    """
    if not data.startswith(b"\xff\xd8"):
        return float("nan")
    from PIL import Image  # noqa: PLC0415 - loads slowly

    try:
        with Image.open(io.BytesIO(data)) as image:
            tables = getattr(image, "quantization", {})
    except (OSError, ValueError, SyntaxError):
        return float("nan")
    if 0 not in tables:
        return float("nan")
    factor = float(np.mean(tables[0])) / _BASE_LUMINANCE
    return float(np.clip(100 - 50 * factor if factor <= 1 else 50 / factor, 1, 100))


def _detail(gray: Gray) -> float:
    """Return what half the size loses by the most that a quarter or an eighth loses further."""
    lost: list[float] = []
    for _ in range(3):
        height, width = gray.shape
        half = cv2.resize(gray, (max(width // 2, 4), max(height // 2, 4)), None, 0, 0,
                          cv2.INTER_AREA)  # fmt: skip
        back = cv2.resize(half, (width, height), interpolation=cv2.INTER_CUBIC)
        lost.append(float(cv2.norm(gray, back) / np.sqrt(gray.size)))
        gray = np.asarray(half, np.float32)
    coarse = max(lost[1:])
    return lost[0] / coarse if coarse > 0.5 else float("nan")  # nothing is on a blank image


def _repeats(gray: Gray) -> float:
    """Return the 20th by the 80th percentile of the difference of neighboring rows or columns."""
    shares = []
    for axis in (0, 1):
        differences = np.abs(np.diff(gray, axis=axis)).mean(axis=1 - axis)
        low, high = np.percentile(differences, (20, 80))
        shares.append(float(low / high) if high > 0.1 else float("nan"))
    return float(np.nanmax(shares)) if np.isfinite(shares).any() else float("nan")


def _blocks(gray: Gray) -> float:
    """Return the excess of steps at the edges of 8×8 blocks over steps elsewhere."""
    excess = []
    for image in (gray, gray.T):
        steps = np.abs(np.diff(image, axis=1))
        sharp = (steps[:, 1:-1] - (steps[:, :-2] + steps[:, 2:]) / 2).mean(axis=0)
        edge = (np.arange(2, 2 + len(sharp)) % 8) == 0
        if not edge.any():
            return float("nan")
        excess.append((sharp[edge].mean() - sharp[~edge].mean()) / (steps.mean() + 0.5))
    return float(np.mean(excess))
