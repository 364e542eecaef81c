"""The face in a new image, and its landmarks as a model takes them."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import numpy.typing as npt

from ferdata.core.errors import FerdataError, OptionError
from ferdata.deployment.options import PredictOptions
from ferdata.deployment.preparation import Preparation
from ferdata.faces.align import Matrix, transform_points
from ferdata.faces.detection import Detection
from ferdata.faces.detectors import CANNOT_RUN, DETECTORS, LandmarkDetector
from ferdata.faces.schemes import FIVE, scheme, scheme_names
from ferdata.models.spec import ModelSpec

logger = logging.getLogger(__name__)

NO_FACE = (
    "no face found; if the image is a face crop already, use --crops, else try an image in which "
    "the face is larger or more frontal"
)


IMPLAUSIBLE = (
    "the points of the face found can't be those of a face; try an image in which the face is "
    "larger or more frontal"
)


def open_detector(
    spec: ModelSpec, preparation: Preparation, options: PredictOptions, *, quiet: bool
) -> AbstractContextManager[LandmarkDetector | None]:
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
        DetectorUnavailableError: The detector can't run here.
        ModelFileError: Its model file is not available.
    """
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
    detector = DETECTORS.get(preparation.detector)(score=False)
    _require_scheme(spec, detector, preparation.detector)
    try:
        detector.prepare(quiet=quiet)
    except CANNOT_RUN as error:
        if prior:
            raise
        if not options.crops:
            raise _with_remedy(error) from error
        logger.warning("Face crops are not aligned by their own points: %s", error)
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
        detector: The detector that found the face.
        detection: The face.
        matrix: float64 (2, 3), from pixels of the original to pixels of the prepared image.

    Returns:
        float32 (P, 2); None if the model takes none or there is no face.
    """
    if spec.landmark_scheme is None or detector is None or detection is None:
        return None
    points = detection.landmarks
    if spec.landmark_scheme == FIVE.name:
        points = np.asarray(detector.scheme.to_five(points), np.float32)
    return np.asarray(transform_points(points, matrix), np.float32)


def _require_scheme(spec: ModelSpec, detector: LandmarkDetector, name: str) -> None:
    """Check that the detector can provide the landmarks that the model was trained with."""
    wanted, found = spec.landmark_scheme, detector.scheme.name
    if wanted is None or wanted in (found, FIVE.name):
        return
    size = f" ({scheme(wanted).size} points)" if wanted in scheme_names() else ""
    raise OptionError(
        f"{spec.model} was trained with landmarks of the scheme {wanted!r}{size} as a prior; for "
        f"new images {name} provides only {found} and {FIVE.name}. Train on a build with "
        f"--landmarks {name}, or without the prior."
    )


def _with_remedy(error: FerdataError) -> FerdataError:
    """Add what works without a detector."""
    return type(error)(f"{error} Face crops can be classified without it: --crops.")
