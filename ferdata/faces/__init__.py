"""Where the face is: landmark schemes, the MediaPipe detector, alignment to a template.

`locate_faces` is the stage; `schemes` says what the points are; `align` makes the transform from a
source image to an output image. Importing this package loads no detector.
"""

from __future__ import annotations

from ferdata.faces.options import FaceOptions
from ferdata.faces.schemes import SCHEMES, LandmarkScheme, scheme

__all__ = ["SCHEMES", "FaceOptions", "LandmarkScheme", "scheme"]
