"""Where the face is: landmark schemes, detectors, alignment to a template.

`locate_faces` is the stage; `schemes` says what the points are; `align` makes the transform from a
source image to an output image. Importing this package loads no detection library.
"""

from __future__ import annotations

from ferdata.faces.landmark_scheme import LandmarkScheme
from ferdata.faces.options import FaceOptions
from ferdata.faces.schemes import scheme, scheme_names

__all__ = ["FaceOptions", "LandmarkScheme", "scheme", "scheme_names"]
