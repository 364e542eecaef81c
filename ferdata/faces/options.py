"""What the face stage is told."""

from __future__ import annotations

from dataclasses import dataclass

from ferdata.core.errors import OptionError, UnknownNameError

LANDMARK_SOURCES = ("auto", "dataset", "mediapipe", "none")
"""Where landmarks may come from, see `FaceOptions.landmarks`."""


@dataclass(frozen=True)
class FaceOptions:
    """Options of `locate_faces`; each of them changes the manifest.

    Attributes:
        landmarks: `auto` takes the points that the dataset ships in the coordinates of the image
            used, else MediaPipe's, and goes on without points where MediaPipe can't run.
            `dataset` and `mediapipe` take points from there only; `mediapipe` fails where it can't
            run. `none` clears them.
        blendshapes: Also store MediaPipe's 52 blendshape scores.
        score: Also store the face detector's confidence. The landmark model does not hand out its
            own, so this runs MediaPipe's face detector once more per image that has a face (about a
            fifth of the time of finding the landmarks).
        require_face: Reject rows that have no landmarks.
        perceptual_hash: Also hash what each picture shows (`ferdata.core.perceptual`), so that near
            duplicates can be found. Takes about as long as decoding a small image.

    Raises:
        UnknownNameError: `landmarks` is none of the four.
        OptionError: Two options contradict each other.
    """

    landmarks: str = "auto"
    blendshapes: bool = False
    score: bool = True
    require_face: bool = False
    perceptual_hash: bool = False

    def __post_init__(self) -> None:
        if self.landmarks not in LANDMARK_SOURCES:
            raise UnknownNameError("--landmarks", self.landmarks, LANDMARK_SOURCES)
        if self.landmarks == "none" and self.require_face:
            raise OptionError(
                "--require-face with --landmarks none would reject every image; choose one of them"
            )
        if self.landmarks in ("dataset", "none") and self.blendshapes:
            raise OptionError(
                f"--blendshapes come from MediaPipe, which --landmarks {self.landmarks} does not "
                "run; use --landmarks mediapipe or auto"
            )
