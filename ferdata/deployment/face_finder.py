"""The face in a new picture, and the landmarks that a model wants to see of it."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import numpy.typing as npt

from ferdata.core.errors import (
    FerdataError,
    OptionError,
    UnknownNameError,
)
from ferdata.deployment.preparation import Preparation
from ferdata.faces.align import Matrix, transform_points
from ferdata.faces.detection import Detection
from ferdata.faces.detectors import CANNOT_RUN, DETECTORS, LandmarkDetector
from ferdata.faces.schemes import FIVE, scheme, scheme_names
from ferdata.models.spec import ModelSpec

logger = logging.getLogger(__name__)

LANDMARKS = ("auto", "none")
"""Whether faces are looked for."""

NO_FACE = (
    "no face found; if the picture is a face crop already, use --crops, else give one in which the "
    "face is larger or less turned"
)


def open_detector(
    spec: ModelSpec, preparation: Preparation, *, crops: bool, landmarks: str, quiet: bool
) -> AbstractContextManager[LandmarkDetector | None]:
    """Open the face detector where it is needed.

    Photographs need it always. Face crops need it where the model has a landmark prior; where
    their build aligned crops by their points it is used if it can be had.

    Args:
        spec: The model's spec.
        preparation: How images are made.
        crops: Whether the pictures are face crops.
        landmarks: One of `LANDMARKS`.
        quiet: Show no progress of a download.

    Returns:
        A context that yields the detector, or None.

    Raises:
        UnknownNameError: `landmarks` is something else.
        OptionError: Landmarks are needed and `landmarks` is `none`, or the model wants landmarks
            of a scheme that can't be had from the detector.
        DetectorUnavailableError: The detector can't run here.
        ModelFileError: Its model file can't be had.
    """
    if landmarks not in LANDMARKS:
        raise UnknownNameError("--landmarks", landmarks, LANDMARKS)
    prior = spec.landmark_scheme is not None
    if landmarks == "none":
        if prior:
            raise OptionError(
                f"{spec.model} was trained with landmarks as a prior and needs them of new "
                "pictures, too; leave out --landmarks none."
            )
        if not crops:
            raise OptionError(
                "--landmarks none: a photograph can't be cut to the face without looking for it; "
                "leave it out, or say that the pictures are face crops: --crops."
            )
        return nullcontext(None)
    if crops and not prior and preparation.way(crop=True) != "five":
        return nullcontext(None)
    detector = DETECTORS.get(preparation.detector)(score=False)
    _require_scheme(spec, detector, preparation.detector)
    try:
        detector.prepare(quiet=quiet)
    except CANNOT_RUN as error:
        if prior:
            raise
        if not crops:
            raise _with_remedy(error) from error
        logger.warning("Face crops are not aligned, only scaled: %s", error)
        return nullcontext(None)
    return detector


def five_points(
    detector: LandmarkDetector | None, detection: Detection | None
) -> npt.NDArray[np.float32] | None:
    """Return the five points of a face that a detector found, float32 (5, 2), pixels."""
    if detector is None or detection is None:
        return None
    return np.asarray(detector.scheme.to_five(detection.landmarks), np.float32)


def landmarks_for(
    spec: ModelSpec,
    detector: LandmarkDetector | None,
    detection: Detection | None,
    matrix: Matrix,
) -> npt.NDArray[np.float32] | None:
    """Return the landmarks that a model takes, in pixels of the prepared image.

    Args:
        spec: The model's spec.
        detector: What found the face.
        detection: The face.
        matrix: float64 (2, 3), picture pixels to image pixels.

    Returns:
        float32 (P, 2); None where the model takes none, or there is no face.
    """
    if spec.landmark_scheme is None or detector is None or detection is None:
        return None
    points = detection.landmarks
    if spec.landmark_scheme == FIVE.name:
        points = np.asarray(detector.scheme.to_five(points), np.float32)
    return np.asarray(transform_points(points, matrix), np.float32)


def _require_scheme(spec: ModelSpec, detector: LandmarkDetector, name: str) -> None:
    """Check that the detector's points can be turned into those that the model was trained with."""
    wanted, found = spec.landmark_scheme, detector.scheme.name
    if wanted is None or wanted in (found, FIVE.name):
        return
    size = f" ({scheme(wanted).size} points)" if wanted in scheme_names() else ""
    raise OptionError(
        f"{spec.model} was trained with landmarks of the scheme {wanted!r}{size} as a prior; "
        f"in new images {name} finds {found}, from which only those and {FIVE.name} can be made. "
        f"Train on a build with --landmarks {name}, or without the prior."
    )


def _with_remedy(error: FerdataError) -> FerdataError:
    """Say what works without a detector."""
    return type(error)(f"{error} Face crops can be answered without it: --crops.")
