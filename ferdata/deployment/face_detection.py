"""The face in a new image, and its landmarks as a model takes them."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import numpy.typing as npt

from ferdata.core.errors import (
    DetectorUnavailableError,
    FerdataError,
    ModelFileError,
    OptionError,
)
from ferdata.deployment.options import PredictOptions
from ferdata.deployment.preparation import Preparation
from ferdata.faces.align import Matrix, transform_points
from ferdata.faces.detection import Detection
from ferdata.faces.detectors.mediapipe import FaceDetector, require_libraries
from ferdata.faces.detectors.model_file import fetch_model, find_model
from ferdata.faces.schemes import FIVE, MEDIAPIPE478, SCHEMES, scheme
from ferdata.models.spec import ModelSpec

logger = logging.getLogger(__name__)

NO_FACE = (
    "no face found; if the image is a face crop already, use --crops, else try an image in which "
    "the face is larger or more frontal"
)


def open_detector(
    spec: ModelSpec, preparation: Preparation, options: PredictOptions, *, quiet: bool
) -> AbstractContextManager[FaceDetector | None]:
    """Open the face detector if it is needed.

    Photographs always need it. Face crops need it if the model has a landmark prior; if their build
    aligned crops by their landmarks, the detector is used if it is available.

    Args:
        spec: The model's spec.
        preparation: How images are prepared.
        options: Whether the images are face crops, and whether detection is allowed.
        quiet: Show no progress of a download.

    Returns:
        A context that yields the detector, or None.

    Raises:
        OptionError: Landmarks are needed and detection is not allowed, or the model needs landmarks
            of a scheme that the detector can't provide.
        DetectorUnavailableError: MediaPipe can't run here.
        ModelFileError: Its model file is not available.
    """
    _require_scheme(spec)
    prior = spec.landmark_scheme is not None
    if options.landmarks == "none":
        if prior:
            raise OptionError(
                f"{spec.model} was trained with a landmark prior and needs the landmarks of new "
                "images; omit --landmarks none."
            )
        if not options.crops:
            raise OptionError(
                "--landmarks none: the face of a photograph can't be cropped without detection; "
                "omit it, or use --crops if the images are face crops."
            )
        return nullcontext(None)
    if options.crops and not prior and preparation.placement(crop=True) != "five":
        return nullcontext(None)
    try:
        require_libraries()
        return FaceDetector(find_model() or fetch_model(quiet=quiet), score=False)
    except (DetectorUnavailableError, ModelFileError) as error:
        if prior:
            raise
        if not options.crops:
            raise _with_remedy(error) from error
        logger.warning("Face crops are scaled but not aligned: %s", error)
        return nullcontext(None)


def five_points(detection: Detection | None) -> npt.NDArray[np.float32] | None:
    """Return the five points of a face, float32 (5, 2), pixels."""
    if detection is None:
        return None
    return np.asarray(MEDIAPIPE478.to_five(detection.landmarks), np.float32)


def landmarks_for(
    spec: ModelSpec, detection: Detection | None, matrix: Matrix
) -> npt.NDArray[np.float32] | None:
    """Return the landmarks that a model takes, in pixels of the prepared image.

    Args:
        spec: The model's spec.
        detection: The face.
        matrix: float64 (2, 3), from pixels of the original to pixels of the prepared image.

    Returns:
        float32 (P, 2); None if the model takes none or there is no face.
    """
    if spec.landmark_scheme is None or detection is None:
        return None
    points = detection.landmarks
    if spec.landmark_scheme == FIVE.name:
        points = np.asarray(MEDIAPIPE478.to_five(points), np.float32)
    return np.asarray(transform_points(points, matrix), np.float32)


def _require_scheme(spec: ModelSpec) -> None:
    """Check that the detector can provide the landmarks that the model was trained with."""
    wanted = spec.landmark_scheme
    if wanted is None or wanted in (MEDIAPIPE478.name, FIVE.name):
        return
    size = f" ({scheme(wanted).size} points)" if wanted in SCHEMES else ""
    raise OptionError(
        f"{spec.model} was trained with landmarks of the scheme {wanted!r}{size} as a prior; for "
        f"new images only {MEDIAPIPE478.name} and {FIVE.name} are available. Train on a build with "
        "--landmarks mediapipe, or without the prior."
    )


def _with_remedy(error: FerdataError) -> FerdataError:
    """Add what works without a detector."""
    return type(error)(f"{error} Face crops can be classified without it: --crops.")
