"""How an image looks: blank, partly uniform, dark, bright, blurred, small.

Looks are findings and exclude nothing: a complete JPEG may well be gray in its lower half, as one
of RAF-DB's 15,339 images is.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from ferdata.core.findings import finding
from ferdata.core.images import BLANK_DEVIATION, blank_level

DARK, BRIGHT = 30.0, 225.0
"""Mean gray levels below and above which an image is dark or bright: an eighth of the range."""

SMALL = 48
"""Pixels: the side of FER2013's images, which are the smallest of the known datasets."""

UNIFORM_SHARE = 0.1
"""Least share of an image that a border of one color makes up if it is a finding."""

BLURRED = 0.022
"""Least detail of an image that is not blurred, see `_detail`.

Measured at 100 to 640 pixels on 60 synthetic faces (`ferdata.synth`) and on scikit-image's
astronaut, a real photograph: 0.066 or more where they are sharp; 0.025 or less after a Gaussian
blur of 2.5 % of the side, half of them 0.017 or less; enlarged from 24 pixels 0.012 to 0.036."""

_SIDE = 128  # pixels of the longer side at most, at which looks are measured
_SAME = 2  # gray levels by which the pixels of a uniform row differ at most: JPEG is not exact


def look(pixels: npt.NDArray[np.uint8]) -> list[str]:
    """Return what is unusual about the look of an image.

    Args:
        pixels: uint8 RGB, shape (H, W, 3).

    Returns:
        Findings, see `ferdata.core.findings`; only `blank` and `small` for a blank image.
    """
    found = []
    side = min(pixels.shape[:2])
    if side < SMALL:
        found.append(finding("small", side))
    gray = _reduced(pixels)
    mean, deviation = (each[0].item() for each in cv2.meanStdDev(gray))
    if deviation < 2 * BLANK_DEVIATION and (level := blank_level(pixels)) is not None:
        return [finding("blank", level), *found]
    if mean < DARK:
        found.append(finding("dark", mean))
    if mean > BRIGHT:
        found.append(finding("bright", mean))
    share = _uniform_share(gray) if _has_uniform_edge(gray) else 0.0
    if share >= UNIFORM_SHARE:
        found.append(finding("partly-uniform", share))
    detail = _detail(gray, deviation)
    if detail < BLURRED:
        found.append(finding("blurred", detail))
    return found


def _reduced(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return an image in gray, thinned out to `_SIDE` pixels at most.

    Nothing is averaged: on images of thousands of pixels a side that costs as much as decoding.
    """
    step = -(-max(pixels.shape[:2]) // _SIDE)
    thin = np.ascontiguousarray(pixels[::step, ::step]) if step > 1 else pixels
    return np.asarray(cv2.cvtColor(thin, cv2.COLOR_RGB2GRAY), np.uint8)


def _has_uniform_edge(gray: npt.NDArray[np.uint8]) -> bool:
    """Say whether an edge may be of one color, by some of its pixels; rules most images out."""
    step = max(1, min(gray.shape) // 8)
    for edge in (gray[0, ::step], gray[-1, ::step], gray[::step, 0], gray[::step, -1]):
        values = edge.tolist()
        if max(values) - min(values) <= _SAME:
            return True
    return False


def _uniform_share(gray: npt.NDArray[np.uint8]) -> float:
    """Return the share of an image taken up by rows or columns of one color at its edges."""
    shares = []
    for axis in (1, 0):
        high = cv2.reduce(gray, axis, cv2.REDUCE_MAX).ravel()
        low = cv2.reduce(gray, axis, cv2.REDUCE_MIN).ravel()
        lively = np.flatnonzero(high - low > _SAME)
        inside = int(lively[-1] + 1 - lively[0]) if len(lively) else 0
        shares.append(1 - inside / len(high))
    return max(shares)


def _detail(gray: npt.NDArray[np.uint8], deviation: float) -> float:
    """Return the root mean square of the Laplacian over 4 times the standard deviation.

    The Laplacian's variance is the usual measure of focus (Pech-Pacheco et al., ICPR 2000); over
    the contrast it doesn't depend on the light. White noise has about 1.1.
    """
    energy = cv2.norm(cv2.Laplacian(gray, cv2.CV_16S), cv2.NORM_L2)
    return energy / math.sqrt(gray.size) / (4 * deviation) if deviation else 0.0
