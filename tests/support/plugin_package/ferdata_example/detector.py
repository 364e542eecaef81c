"""A detector: it takes every image for a face crop, and knows where a face crop has its parts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ferdata.faces.detection import Box, Detection
from ferdata.faces.detectors import LandmarkDetector
from ferdata.faces.schemes import FIVE

_POINTS = np.array([[0.34, 0.46], [0.66, 0.46], [0.5, 0.64], [0.37, 0.82], [0.63, 0.82]])
"""Eyes, tip of the nose and corners of the mouth, as fractions of width and height."""


class Typical(LandmarkDetector):
    """Five points at the usual places."""

    scheme = FIVE
    version = "typical/1"

    def detect(self, image: npt.NDArray[np.uint8], box: Box | None = None) -> Detection:
        """Scale the points to the image."""
        height, width = image.shape[:2]
        points = (_POINTS * (width, height)).astype(np.float32)
        return Detection(points, face_count=1, rule="only")
