"""Features of face images for a small classifier: oriented gradients and landmark positions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ferdata.core.progress import progress_bar
from ferdata.data.arrays import SplitArrays

_SIDE = 48  # pixels, FER2013's size
_HOG = ((_SIDE, _SIDE), (16, 16), (8, 8), (8, 8), 9)
"""Window, block, stride and cell in pixels, and bins: 900 numbers (Dalal and Triggs, CVPR 2005)."""

_BATCH = 256


def split_features(
    arrays: SplitArrays, rows: npt.NDArray[np.int64], *, quiet: bool
) -> npt.NDArray[np.float32]:
    """Return the features of some rows of a split.

    Args:
        arrays: The split.
        rows: Row numbers, shape (N,).
        quiet: Show no progress.

    Returns:
        float32, shape (N, F): 900 of oriented gradients, then two for each landmark, relative to
        all landmarks of the face; zeros where a face has none.
    """
    found = []
    with progress_bar(f"reading {arrays.split}", len(rows), quiet=quiet) as bar:
        for chosen in _batches(rows):
            batch = arrays.gather(chosen, fields=("image", "landmarks"))
            found.append(
                np.concatenate([_gradients(batch["image"]), _shapes(batch["landmarks"])], axis=1)
            )
            bar.update(len(chosen))
    return np.concatenate(found) if found else np.zeros((0, 1), np.float32)


def _batches(rows: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.int64]]:
    for start in range(0, len(rows), _BATCH):
        yield rows[start : start + _BATCH]


def _gradients(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return histograms of oriented gradients, shape (B, 900)."""
    descriptor = cv2.HOGDescriptor(*_HOG)
    found: list[Any] = []
    for image in images:
        gray = image[:, :, 0] if image.shape[2] == 1 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        small = cv2.resize(gray, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
        found.append(descriptor.compute(cv2.equalizeHist(small)))
    return np.asarray(found, np.float32).reshape(len(images), -1)


def _shapes(landmarks: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return landmarks without position and scale, shape (B, 2P)."""
    centered = landmarks - landmarks.mean(axis=1, keepdims=True)
    spread = np.sqrt((centered**2).sum(axis=2).mean(axis=1))[:, None, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        shape = centered / spread
    known = np.nan_to_num(shape, nan=0.0, posinf=0.0, neginf=0.0)
    return np.asarray(known, np.float32).reshape(len(landmarks), -1)
