"""The face stage's unit of work: read, hash and look at a few images, in any process."""

from __future__ import annotations

import multiprocessing.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ferdata.core.errors import ImageError
from ferdata.core.images import DecodedImage, read_image, require_content
from ferdata.core.perceptual import perceptual_hash
from ferdata.faces.cache import DetectionCache, Key, box_key
from ferdata.faces.detection import Box, Detection
from ferdata.faces.detectors.mediapipe import FaceDetector, detector_version


@dataclass(frozen=True)
class DetectorSetup:
    """What a process needs to know to detect.

    Attributes:
        model: The checked model file.
        cache: The detection cache, or None for none.
        score: Ask for the face detector's confidence.
        blendshapes: Ask for blendshape scores.
    """

    model: Path
    cache: Path | None
    score: bool
    blendshapes: bool

    @property
    def version(self) -> str:
        """Version of the answers, as in the cache."""
        return detector_version(score=self.score, blendshapes=self.blendshapes)


@dataclass(frozen=True)
class ImageRef:
    """One image to read.

    Attributes:
        root: The data root.
        uri: Posix path relative to it.
        box: The dataset's box of the face, if it has one.
        detect: Whether to look for a face.
    """

    root: Path
    uri: str
    box: Box | None
    detect: bool


@dataclass(frozen=True)
class FaceTask:
    """Some images, and what to do with them.

    Attributes:
        images: The images.
        setup: How to detect; None where no image is to be looked at.
        perceptual_hash: Whether to hash what the pictures show.
    """

    images: tuple[ImageRef, ...]
    setup: DetectorSetup | None
    perceptual_hash: bool = False


@dataclass(frozen=True)
class ImageResult:
    """What was found out about one image.

    Attributes:
        width: Pixels.
        height: Pixels.
        channels: Channels in the file.
        file_sha256: Hash of the file's bytes.
        pixel_sha256: Hash of the decoded pixels.
        perceptual_hash: Hash of what the picture shows; None where that was not asked for.
        detection: The face; None where there is none or none was looked for.
        origin: `detected` now, from the `cache`, or "" where the image was not looked at.
        problem: Why the image can't be used, or "".
    """

    width: int = 0
    height: int = 0
    channels: int = 0
    file_sha256: str = ""
    pixel_sha256: str = ""
    perceptual_hash: str | None = None
    detection: Detection | None = None
    origin: str = ""
    problem: str = ""


def run_face_task(task: FaceTask) -> list[ImageResult]:
    """Read each image once and look at those that are asked for; one result per image, in order.

    The detector is made when the first image is not in the cache, and kept by the process.
    """
    read = [_read(image) for image in task.images]
    keys = [
        (image.pixel_sha256, box_key(ref.box)) if ref.detect and isinstance(image, _Read) else None
        for ref, image in zip(task.images, read, strict=True)
    ]
    known = _look_up(task.setup, keys)
    cached = set(known)
    facts = []
    for ref, image, key in zip(task.images, read, keys, strict=True):
        if not isinstance(image, _Read):
            facts.append(ImageResult(problem=image))
            continue
        if key is not None and key not in known:
            known[key] = _detect(task.setup, image, ref.box)
        origin = "" if key is None else "cache" if key in cached else "detected"
        facts.append(
            ImageResult(
                width=image.decoded.pixels.shape[1],
                height=image.decoded.pixels.shape[0],
                channels=image.decoded.channels,
                file_sha256=image.decoded.file_sha256,
                pixel_sha256=image.pixel_sha256,
                perceptual_hash=(
                    perceptual_hash(image.decoded.pixels) if task.perceptual_hash else None
                ),
                detection=None if key is None else known[key],
                origin=origin,
            )
        )
    return facts


def close_detectors() -> None:
    """Free the detectors of this process."""
    while _detectors:
        _detectors.popitem()[1].close()


@dataclass(frozen=True)
class _Read:
    decoded: DecodedImage
    pixel_sha256: str


# One per process: it takes half a second to make, and native memory that can't be sent elsewhere.
_detectors: dict[DetectorSetup, FaceDetector] = {}


def _read(ref: ImageRef) -> _Read | str:
    """Return the image, or why it can't be used."""
    try:
        decoded = read_image(ref.root, ref.uri)
        require_content(decoded.pixels)
    except ImageError as error:
        return error.reason
    return _Read(decoded, decoded.pixel_sha256)


def _look_up(
    setup: DetectorSetup | None, keys: Sequence[Key | None]
) -> dict[Key, Detection | None]:
    wanted = [key for key in keys if key is not None]
    if setup is None or not wanted:
        return {}
    with DetectionCache(setup.cache, setup.version, repair=False) as cache:
        return cache.get(wanted)


def _detect(setup: DetectorSetup | None, image: _Read, box: Box | None) -> Detection | None:
    if setup is None:
        raise ValueError("an image is to be looked at, but the task has no detector")
    if setup not in _detectors:
        if not _detectors:
            # Worker processes run finalizers before threads are shut down, atexit comes after it.
            multiprocessing.util.Finalize(None, close_detectors, exitpriority=10)
        _detectors[setup] = FaceDetector(
            setup.model, score=setup.score, blendshapes=setup.blendshapes
        )
    return _detectors[setup].detect(image.decoded.pixels, box)
