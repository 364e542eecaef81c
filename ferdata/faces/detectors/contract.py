"""What a face detector is."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Protocol, Self

import numpy as np
import numpy.typing as npt

from ferdata.core.errors import DetectorUnavailableError, ModelFileError
from ferdata.faces.detection import Box, Detection
from ferdata.faces.detectors.model_file import ModelFile
from ferdata.faces.landmark_scheme import LandmarkScheme

CANNOT_RUN = (DetectorUnavailableError, ModelFileError)
"""What `LandmarkDetector.prepare` raises where a detector can't run."""


class LandmarkDetector(Protocol):
    """Finds the landmarks of one face in an image.

    Inherit from it and give `scheme`, `version` and `detect`; the rest has defaults for a detector
    that needs no files and holds nothing. Making an object must be cheap: each process makes one to
    learn the version. Entering its context loads what detection needs, leaving it frees that.

    Results depend on the image and the box only: not on images seen before, nor on the process. One
    object serves one thread at a time.

    Args:
        score: Also return the confidence in each face, where the detector has one.
        blendshapes: Also return blendshape scores.

    Attributes:
        scheme: The scheme of its points.
        files: The model files that it reads.

    Raises:
        OptionError: It has no blendshapes.
    """

    scheme: ClassVar[LandmarkScheme]
    files: ClassVar[tuple[ModelFile, ...]] = ()

    def __init__(self, *, score: bool = True, blendshapes: bool = False) -> None: ...

    @property
    @abstractmethod
    def version(self) -> str:
        """Version of all that decides a result: weights, library, rules, what was asked for.

        It is part of the detection cache's key and of a build's provenance, so it must differ from
        every other detector's: begin it with the detector's name.

        Raises:
            DetectorUnavailableError: The library whose version counts is not installed.
        """
        ...

    @abstractmethod
    def detect(self, image: npt.NDArray[np.uint8], box: Box | None = None) -> Detection | None:
        """Find the face in an image, inside the detector's context.

        Args:
            image: uint8 RGB, shape (H, W, 3).
            box: The dataset's box of the labeled face, to choose by if several faces are found.

        Returns:
            The face, or None if no face is found.
        """
        ...

    def require_libraries(self) -> None:
        """Check that the libraries it needs are installed, without loading what is heavy.

        Raises:
            DetectorUnavailableError: One is missing; the message says what to install.
        """

    def prepare(self, *, quiet: bool = False) -> None:
        """Check the libraries and get the model files, so that the detector can run.

        Args:
            quiet: Show no progress of a download.

        Raises:
            DetectorUnavailableError: A library is missing.
            ModelFileError: A model file is nowhere to be had.
        """
        self.require_libraries()
        for file in self.files:
            file.fetch(quiet=quiet)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None
