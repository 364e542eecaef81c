"""The face detector: MediaPipe Face Landmarker through the Tasks API, on single images.

Results depend on the image and the given box only, never on the images seen before (IMAGE mode
keeps no state), nor on the process.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import importlib.metadata
import os
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
import numpy.typing as npt

from ferdata.core.errors import DetectorUnavailableError, ModelFileError
from ferdata.faces.detection import Box, Detection, choose, extent, overlap
from ferdata.faces.detectors.model_file import FACE_LANDMARKER

NATIVE_LIBRARIES = ("libEGL.so.1", "libGLESv2.so.2")
"""What MediaPipe's own library needs on Linux, also without a GPU; slim images lack them."""

INSTALL_HINT = "apt install libegl1 libgles2"
"""Brings `NATIVE_LIBRARIES` on Debian and Ubuntu."""

MAX_FACES = 4
"""Faces that are looked for, so that the rule has something to choose from."""

BORDER = 0.25
"""Border of the second try as a share of the width. On 500 real FER2013 images it raises the share
of images with a face from 89.6 % to 92.2 %; enlarging alone does not."""

_RULES = "rules-1"  # order of tries, choice among faces, border, coordinates


def detector_version(*, score: bool, blendshapes: bool) -> str:
    """Return the version of the detector's answers: model, MediaPipe, rules, what was asked for."""
    mediapipe = f"mediapipe-{_mediapipe_version()}"
    parts = ["face_landmarker", FACE_LANDMARKER.sha256[:8], mediapipe, _RULES]
    return "/".join(parts + ["score"] * score + ["blendshapes"] * blendshapes)


@functools.cache
def _mediapipe_version() -> str:
    """Return the installed version without importing MediaPipe."""
    try:
        return importlib.metadata.version("mediapipe")
    except importlib.metadata.PackageNotFoundError as error:
        raise DetectorUnavailableError(
            "MediaPipe is not installed; run: pip install 'mediapipe>=1.2'"
        ) from error


def missing_libraries() -> tuple[str, ...]:
    """Return those of `NATIVE_LIBRARIES` that this machine lacks; none outside Linux."""
    if not sys.platform.startswith("linux"):
        return ()
    return tuple(name for name in NATIVE_LIBRARIES if not _loads(name))


def require_libraries() -> None:
    """Check that MediaPipe is installed and its own library can be loaded, without loading either.

    Raises:
        DetectorUnavailableError: With what to install.
    """
    _mediapipe_version()
    if missing := missing_libraries():
        raise DetectorUnavailableError(
            f"MediaPipe needs {' and '.join(missing)}, which this machine lacks; "
            f"run: {INSTALL_HINT}"
        )


class FaceDetector:
    """Finds one face's landmarks in an image; use it as a context manager.

    One instance serves one thread at a time. Making one takes about half a second.

    Args:
        model: Path of the model file, as `find_model` returns it.
        score: Also ask for the face detector's confidence.
        blendshapes: Also ask for blendshape scores.

    Raises:
        DetectorUnavailableError: MediaPipe or a library that it needs can't be loaded.
        ModelFileError: MediaPipe can't use the model file.
    """

    def __init__(self, model: Path, *, score: bool = True, blendshapes: bool = False) -> None:
        require_libraries()
        with _silent_native_code():
            try:
                import mediapipe  # noqa: PLC0415 - heavy, and not always loadable
                from mediapipe.tasks.python import BaseOptions, vision  # noqa: PLC0415
            except (ImportError, OSError) as error:
                raise DetectorUnavailableError(
                    f"MediaPipe can't be loaded ({error}); run: pip install 'mediapipe>=1.2'"
                ) from error
            try:
                # Of the bytes, not the path: MediaPipe fails on some paths with non-ASCII letters.
                self._landmarker: Any = vision.FaceLandmarker.create_from_options(
                    vision.FaceLandmarkerOptions(
                        base_options=BaseOptions(model_asset_buffer=model.read_bytes()),
                        num_faces=MAX_FACES,
                        output_face_blendshapes=blendshapes,
                    )
                )
                self._scorer: Any = _open_scorer(model) if score else None
            except (RuntimeError, ValueError, OSError, KeyError, zipfile.BadZipFile) as error:
                raise ModelFileError(f"{model}: MediaPipe can't use it: {error}") from error
            self._image_type: Any = mediapipe.Image
            self._rgb: Any = mediapipe.ImageFormat.SRGB
            self._warm_up()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the native objects; must happen before the interpreter ends. Repeating it is safe.

        MediaPipe's own destructors fail noisily when they run at interpreter exit.
        """
        with _silent_native_code():
            for task in (self._landmarker, self._scorer):
                if task is not None:
                    task.close()
        self._landmarker = self._scorer = None

    def detect(self, pixels: npt.NDArray[np.uint8], box: Box | None = None) -> Detection | None:
        """Find the face, first in the image as it is, then with a border around it.

        Args:
            pixels: uint8 RGB, shape (H, W, 3).
            box: The dataset's box of the labeled face, to choose by where there are several.

        Returns:
            The face, or None where there is none.
        """
        detection = self._detect_in(pixels, box, border=0)
        if detection is None:
            border = max(1, round(BORDER * pixels.shape[1]))
            detection = self._detect_in(pixels, box, border=border)
        return detection

    def _warm_up(self) -> None:
        """Look at an empty image; native code reports on its start-up at the first use, too."""
        image = self._image_type(self._rgb, np.zeros((64, 64, 3), np.uint8))
        for task in (self._landmarker, self._scorer):
            if task is not None:
                task.detect(image)

    def _detect_in(
        self, pixels: npt.NDArray[np.uint8], box: Box | None, *, border: int
    ) -> Detection | None:
        if border:
            edges = (border, border, border, border)
            pixels = np.asarray(
                cv2.copyMakeBorder(pixels, *edges, cv2.BORDER_REPLICATE), dtype=np.uint8
            )
        image = self._image_type(self._rgb, np.ascontiguousarray(pixels))
        result = _look(self._landmarker, image)
        if not result.face_landmarks:
            return None
        faces = [_points(face, pixels.shape) - np.float32(border) for face in result.face_landmarks]
        boxes = [extent(face) for face in faces]
        chosen, rule = choose(boxes, box)
        blendshapes = None
        if result.face_blendshapes:
            scores = [category.score for category in result.face_blendshapes[chosen]]
            blendshapes = np.array(scores, dtype=np.float32)
        return Detection(
            landmarks=faces[chosen],
            face_count=len(faces),
            rule=f"{rule}/border" if border else rule,
            score=self._score(image, boxes[chosen], border),
            blendshapes=blendshapes,
        )

    def _score(self, image: Any, face: Box, border: int) -> float | None:
        """Return the detector's confidence in the face that overlaps most with a box."""
        if self._scorer is None:
            return None
        best, best_overlap = None, 0.0
        for found in _look(self._scorer, image).detections:
            left = found.bounding_box.origin_x - border
            top = found.bounding_box.origin_y - border
            right, bottom = left + found.bounding_box.width, top + found.bounding_box.height
            share = overlap(face, (left, top, right, bottom))
            if share > best_overlap:
                best, best_overlap = float(np.float32(found.categories[0].score)), share
        return best


def _points(face: Sequence[Any], shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Return a face's points in pixels.

    MediaPipe maps crops by integer pixel positions, so a normalized coordinate times the width is
    already in the convention of pixel centers: with a mirrored image the two x of a point add up to
    width − 1, not to width (`tests/faces/test_detector.py`).
    """
    height, width = shape[:2]
    flat = np.fromiter((value for point in face for value in (point.x, point.y)), np.float64)
    return (flat.reshape(-1, 2) * (width, height)).astype(np.float32)


def _open_scorer(model: Path) -> Any:
    """Open the face detector that lies inside the landmarker's model file."""
    from mediapipe.tasks.python import BaseOptions, vision  # noqa: PLC0415 - heavy

    with zipfile.ZipFile(model) as bundle:
        weights = bundle.read("face_detector.tflite")
    options = vision.FaceDetectorOptions(base_options=BaseOptions(model_asset_buffer=weights))
    return vision.FaceDetector.create_from_options(options)


def _look(task: Any, image: Any) -> Any:
    """Run a MediaPipe task on an image; now and then it reports on the alignment of its memory."""
    with _silent_native_code():
        return task.detect(image)


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


@contextlib.contextmanager
def _silent_native_code() -> Iterator[None]:
    """Keep what native code writes to standard error away from the terminal for a moment.

    MediaPipe and TensorFlow Lite report on their start-up and memory there, past Python and with no
    switch to turn it off. Errors come back as exceptions. It costs a few system calls.
    """
    try:
        kept = os.dup(2)
    except OSError:  # no standard error at all
        yield
        return
    if sys.stderr is not None:
        sys.stderr.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
