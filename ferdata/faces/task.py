"""The face stage's unit of work: read, hash and detect in a few images, in any process."""

from __future__ import annotations

import multiprocessing.util
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ferdata.core.decoding import DecodedImage
from ferdata.core.errors import DetectorUnavailableError, ImageError
from ferdata.core.face_geometry import Box, cut_box
from ferdata.core.images import read_image, require_content
from ferdata.core.perceptual import perceptual_hash
from ferdata.core.quality import look
from ferdata.faces.cache import DetectionCache, Key, box_key
from ferdata.faces.detection import Detection
from ferdata.faces.detectors import DETECTORS, LandmarkDetector


@dataclass(frozen=True)
class DetectorSetup:
    """What a process needs to know to detect; it finds the detector by its name.

    Attributes:
        name: The detector's name.
        score: Whether to ask for the confidence.
        blendshapes: Whether to ask for blendshape scores.
        cache: The detection cache, or None for none.
    """

    name: str
    score: bool
    blendshapes: bool
    cache: Path | None

    def make(self) -> LandmarkDetector:
        """Make the detector; nothing heavy is loaded before its context is entered.

        Raises:
            DetectorUnavailableError: This process knows no detector of that name.
            OptionError: The detector has no blendshapes.
        """
        if self.name not in DETECTORS:
            raise DetectorUnavailableError(
                f"a worker process knows no detector {self.name!r}: register it by an entry point, "
                "or in a module that workers import too, or use one worker"
            )
        return DETECTORS.get(self.name)(score=self.score, blendshapes=self.blendshapes)

    def open_cache(self, *, repair: bool) -> DetectionCache:
        """Return the cache of this detector's results, to be used as a context manager."""
        detector = self.make()
        return DetectionCache(self.cache, detector.version, detector.scheme.size, repair=repair)


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
        setup: How to detect; None if no image asks for it.
        perceptual_hash: Whether to hash what the images show.
        keep_blank: Whether blank images are kept, with a finding.
    """

    images: tuple[ImageRef, ...]
    setup: DetectorSetup | None
    perceptual_hash: bool = False
    keep_blank: bool = False


@dataclass(frozen=True)
class ImageResult:
    """The result of one image.

    Attributes:
        width: Pixels.
        height: Pixels.
        channels: Channels in the file.
        file_sha256: Hash of the file's bytes.
        pixel_sha256: Hash of the decoded pixels.
        perceptual_hash: Hash of what the image shows; None if not asked for.
        detection: The face; None if none was found or looked for.
        origin: `detected` now, from the `cache`, or "" if no face was looked for.
        box: The dataset's box, cut to the image.
        findings: What is unusual about the image, see `ferdata.core.findings`.
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
    box: Box | None = None
    findings: tuple[str, ...] = ()
    problem: str = ""


def run_face_task(task: FaceTask) -> list[ImageResult]:
    """Read each image once and detect where asked for; one result per image, in order.

    The detector is opened for the first image that is not in the cache, and kept by the process.
    """
    images = [_read(ref, keep_blank=task.keep_blank) for ref in task.images]
    keys = [
        (image.pixel_sha256, box_key(image.box))
        if ref.detect and isinstance(image, _Read)
        else None
        for ref, image in zip(task.images, images, strict=True)
    ]
    known = _look_up(task.setup, keys)
    cached = set(known)
    results = []
    for image, key in zip(images, keys, strict=True):
        if not isinstance(image, _Read):
            results.append(ImageResult(problem=image))
            continue
        pixels = image.decoded.pixels
        if key is not None and key not in known:
            known[key] = _detector(task.setup).detect(pixels, image.box)
        results.append(
            ImageResult(
                width=pixels.shape[1],
                height=pixels.shape[0],
                channels=image.decoded.channels,
                file_sha256=image.decoded.file_sha256,
                pixel_sha256=image.pixel_sha256,
                perceptual_hash=perceptual_hash(pixels) if task.perceptual_hash else None,
                detection=None if key is None else known[key],
                origin="" if key is None else "cache" if key in cached else "detected",
                box=image.box,
                findings=image.findings,
            )
        )
    return results


def close_detectors() -> None:
    """Free the detectors of this process."""
    _detectors.clear()
    _open.close()


@dataclass(frozen=True)
class _Read:
    decoded: DecodedImage
    pixel_sha256: str
    box: Box | None
    findings: tuple[str, ...]


# One per process: it takes half a second to open, and native memory that can't be sent elsewhere.
_detectors: dict[DetectorSetup, LandmarkDetector] = {}
_open = ExitStack()


def _read(ref: ImageRef, *, keep_blank: bool) -> _Read | str:
    """Return the image, or why it can't be used."""
    try:
        decoded = read_image(ref.root, ref.uri)
        looks = look(decoded.pixels)
        if not keep_blank and any(each.startswith("blank:") for each in looks):
            require_content(decoded.pixels)
    except ImageError as error:
        return error.reason
    height, width = decoded.pixels.shape[:2]
    box, box_finding = cut_box(ref.box, width, height)
    findings = (*decoded.findings, *looks, *filter(None, [box_finding]))
    return _Read(decoded, decoded.pixel_sha256, box, findings)


def _look_up(
    setup: DetectorSetup | None, keys: Sequence[Key | None]
) -> dict[Key, Detection | None]:
    wanted = [key for key in keys if key is not None]
    if setup is None or not wanted:
        return {}
    with setup.open_cache(repair=False) as cache:
        return cache.get(wanted)


def _detector(setup: DetectorSetup | None) -> LandmarkDetector:
    """Return this process's open detector."""
    if setup is None:
        raise ValueError("an image asks for detection, but the task has no detector")
    if setup not in _detectors:
        if not _detectors:
            # Worker processes run finalizers before threads are shut down, atexit comes after it.
            multiprocessing.util.Finalize(None, close_detectors, exitpriority=10)
        _detectors[setup] = _open.enter_context(setup.make())
    return _detectors[setup]
