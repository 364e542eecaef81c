"""Histogram equalization: all gray levels of a face's light used equally often.

The same function is a preprocessing step of a build and an operation of augmentation.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt


def equalize_histogram(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Equalize the histogram of an image's luminance.

    Color images are equalized in Y of YCrCb (ITU-R BT.601) only: three channels equalized one by
    one would each get a curve of their own, and skin another hue. A gray image (R = G = B, shape
    (H, W) or (H, W, 1)) gets plain `cv2.equalizeHist`; an image of one gray level stays as it is.

    Args:
        pixels: uint8, RGB of shape (H, W, 3), or gray of shape (H, W) or (H, W, 1); not changed.

    Returns:
        uint8, the same shape, never a view of the input.
    """
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        return np.asarray(cv2.equalizeHist(pixels), np.uint8).reshape(pixels.shape)
    if np.array_equal(pixels[..., 0], pixels[..., 1]) and np.array_equal(
        pixels[..., 0], pixels[..., 2]
    ):
        gray = cv2.equalizeHist(np.ascontiguousarray(pixels[..., 0]))
        return np.asarray(cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB), np.uint8)
    luminance = cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb)
    luminance[..., 0] = cv2.equalizeHist(np.ascontiguousarray(luminance[..., 0]))
    return np.asarray(cv2.cvtColor(luminance, cv2.COLOR_YCrCb2RGB), np.uint8)
