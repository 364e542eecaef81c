"""Options of the face stage."""

from __future__ import annotations

from dataclasses import dataclass

from ferdata.core.errors import OptionError, UnknownNameError
from ferdata.faces.detectors import DEFAULT_DETECTOR, DETECTORS

_NO_DETECTOR = ("dataset", "none")


def landmark_sources() -> tuple[str, ...]:
    """Return the values of `--landmarks`."""
    return ("auto", *_NO_DETECTOR, *DETECTORS)


def check_landmarks(source: str) -> None:
    """Check a value of `--landmarks`.

    Raises:
        UnknownNameError: It is not `auto`, `dataset`, `none`, or the name of a detector.
    """
    if source not in landmark_sources():
        raise UnknownNameError("--landmarks", source, landmark_sources())


def detector_name(source: str) -> str:
    """Return the detector that a value of `--landmarks` names, or the default one."""
    return DEFAULT_DETECTOR if source in ("auto", *_NO_DETECTOR) else source


@dataclass(frozen=True)
class FaceOptions:
    """Options of `locate_faces`; each of them changes the manifest.

    Attributes:
        landmarks: `auto` takes the points that the dataset ships in the coordinates of the image
            used, else those of the default detector. `dataset` takes points from there only, the
            name of a detector (`ferdata.faces.detectors.DETECTORS`) from that one only. `none`
            clears them.
        blendshapes: Also store the detector's blendshape scores.
        score: Also store the detector's confidence.
        require_face: Reject rows that have no landmarks.
        require_detector: Raise if the detector can't run. Without it `auto` goes on without
            landmarks and says so in the provenance; a detector that is named, or a required face,
            implies it.
        perceptual_hash: Also hash what each image shows (`ferdata.core.perceptual`), so that near
            duplicates can be found. Takes about as long as decoding a small image.
        keep_blank: Keep images of one gray level, with a finding, instead of rejecting them.

    Raises:
        UnknownNameError: `landmarks` names no detector.
        OptionError: Two options contradict each other.
    """

    landmarks: str = "auto"
    blendshapes: bool = False
    score: bool = True
    require_face: bool = False
    require_detector: bool = False
    perceptual_hash: bool = False
    keep_blank: bool = False

    def __post_init__(self) -> None:
        check_landmarks(self.landmarks)
        if self.landmarks == "none" and self.require_face:
            raise OptionError(
                "--require-face with --landmarks none would reject every image; choose one of them"
            )
        if self.landmarks in _NO_DETECTOR and self.blendshapes:
            raise OptionError(
                f"--blendshapes come from a detector, and --landmarks {self.landmarks} runs none; "
                "use --landmarks auto"
            )

    @property
    def detector(self) -> str:
        """Name of the detector that runs where one has to."""
        return detector_name(self.landmarks)

    @property
    def keeps_shipped(self) -> bool:
        """Whether points that the dataset ships are kept."""
        return self.landmarks in ("auto", "dataset")

    @property
    def must_detect(self) -> bool:
        """Whether a detector that can't run is an error."""
        return self.require_detector or self.require_face or self.landmarks != "auto"
