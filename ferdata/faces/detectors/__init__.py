"""Face detectors: one file each, behind the contract `LandmarkDetector`, found by name.

A detector of your own is a class that inherits from `LandmarkDetector`. It is registered by an
entry point of the group `ferdata.plugins` named `detector.NAME`, or by
`DETECTORS.register("NAME")(TheClass)` in a module that worker processes import too.
"""

from __future__ import annotations

from ferdata.core.registry import Registry
from ferdata.faces.detectors.contract import CANNOT_RUN, LandmarkDetector

DEFAULT_DETECTOR = "mediapipe"
"""The detector that `--landmarks auto` uses."""

DETECTORS: Registry[type[LandmarkDetector]] = Registry(
    "detector", {DEFAULT_DETECTOR: "ferdata.faces.detectors.mediapipe:MediaPipeDetector"}
)
"""Detector classes by name; the name is what `--landmarks` and `landmark_source` say."""

__all__ = ["CANNOT_RUN", "DEFAULT_DETECTOR", "DETECTORS", "LandmarkDetector"]
