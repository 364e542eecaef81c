"""A synthetic KDEF: subjects in two sessions, seven expressions, five angles.

Layouts and names: manifests/datasets/kdef.yaml. Source: Lundqvist, Flykt and Öhman 1998.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np

from ferdata.core.draws import generator
from ferdata.ingesters.kdef.names import EXPRESSIONS, POSES
from ferdata.ingesters.synthetic import DemoImage, DemoWriter, register, save_image, write_lines
from ferdata.synth.drawing import Framing, draw_face
from ferdata.synth.expressions import draw_expression
from ferdata.synth.identity import AgeGroup, Gender, Identity, draw_identity
from ferdata.synth.paint import Pixels

SIZE = (562, 762)
"""Width and height of the photographs in pixels [page]."""

BLANK = frozenset(
    (
        *("AF01SUFR", "AF10AFFR", "AF11NEHL", "AF20DIHL", "AM25DIFL"),
        *("AM34DIFR", "BF13NEHR", "BM21DIFL", "BM22DIHL", "BM24DIFL"),
    )
)
"""The ten images of the distribution that are black [loaders]."""

IRREGULAR = {"AF31SAHL": "AF31V", "AM31SUHR": "AM31H", "FAFHR": "FAHR"}
"""Regular name → the file's name; the last is one of AKDEF's [loaders]."""

_FOLDERS = {"fear": "afraid", "anger": "angry", "happiness": "happy", "sadness": "sad"}
_ANGLES = tuple(POSES)
_HALVES = {"FL": (0.72, 0.34), "HL": (0.94, 0.68), "S": (1.0, 1.0)}
_HALVES |= {"HR": _HALVES["HL"][::-1], "FR": _HALVES["FL"][::-1]}
"""Width of the image's left and right half, as a fraction of a frontal head's: the half that is
turned away narrows. A rough approximation of a turn."""

_SUBJECTS = 35  # of each gender
_FEWEST = 5  # of each gender: ten subjects can be split 8:1:1
_DRAWN = 3  # the image is drawn at a third of its size and enlarged
_BLENDED = 3  # subjects in a drawn average; the real ones have 35

# The photographs were taken with the eyes at fixed places of the image [page].
_EYE_DISTANCE = 0.225  # over the width
_CENTER = (0.5, 0.46)


@dataclass(frozen=True)
class Photograph(DemoImage):
    """One photograph, or an average over subjects.

    Attributes:
        subject: Gender and number, `F01`; the gender alone for an average.
        letters: The expression.
        angle: One of FL, HL, S, HR, FR.
    """

    subject: str
    letters: str
    angle: str

    @property
    def is_average(self) -> bool:
        """Whether this is an averaged face of AKDEF."""
        return len(self.subject) == 1


@register
class Kdef(DemoWriter[Photograph]):
    """All files at scale 1: 4,900, ten of them black and two with irregular names."""

    name: ClassVar[str] = "kdef"
    layouts: ClassVar[tuple[str, ...]] = ("official", "class-folders", "kaggle")

    def plan(self, layout: str, scale: float, seed: int) -> list[Photograph]:
        """List the photographs by subject; angles other than straight only for some subjects.

        Kaggle's copy has 2,938 images of three angles, two fewer than there are; which two is not
        known. The two with irregular names have these angles, so they are excluded here.
        """
        subjects = max(_FEWEST, round(_SUBJECTS * scale))
        turned = max(1, round(_SUBJECTS * scale))
        angles = ("HL", "S", "HR") if layout == "kaggle" else _ANGLES
        photographs = [
            Photograph(
                stem=f"{session}{gender}{number:02d}{letters}{angle}",
                split="unsplit",
                label=label if angle == "S" or layout == "kaggle" else None,
                code=-1,
                subject=f"{gender}{number:02d}",
                letters=letters,
                angle=angle,
            )
            for session in "AB"
            for gender in "FM"
            for number in range(1, subjects + 1)
            for letters, label in EXPRESSIONS.items()
            for angle in angles
            if angle == "S" or (number <= turned and (gender == "F" or turned > 1))
        ]
        if layout == "kaggle":
            return [each for each in photographs if each.stem not in IRREGULAR]
        return photographs + (_averages(scale) if layout == "official" else [])

    def folders(self, layout: str) -> Sequence[str]:
        """Return the class folders, or those of all sessions."""
        if layout != "official":
            return [f"kdef/{_FOLDERS.get(label, label)}" for label in EXPRESSIONS.values()]
        sessions = [
            f"KDEF_and_AKDEF/KDEF/{session}{gender}{number:02d}"
            for session in "AB"
            for gender in "FM"
            for number in range(1, _SUBJECTS + 1)
        ]
        return ["KDEF_and_AKDEF/AKDEF", *sessions]

    def write_image(self, root: Path, layout: str, image: Photograph, seed: int) -> None:
        """Draw a photograph, or leave it black where the real one is."""
        draws = generator(seed, f"kdef/{image.stem}", purpose="demo image")
        if image.is_average:
            pixels = _average(image, draws)
        elif image.stem in BLANK and layout != "kaggle":
            pixels = draws.integers(0, 2, (SIZE[1], SIZE[0], 3)).astype(np.uint8)
        else:
            person = generator(seed, f"kdef/{image.subject}", purpose="demo person")
            pixels = _photograph(image, draws, draw_person(image.subject[0], person))
        save_image(root / photograph_path(layout, image), pixels)

    def write_lists(self, root: Path, layout: str, images: Sequence[Photograph]) -> None:
        """Write the readme; KDEF has no lists."""
        if layout == "official":
            readme = root / "KDEF_and_AKDEF" / "ReadThis.txt"
            write_lines(readme, ["A synthetic copy of KDEF."], end="\r\n")


def photograph_path(layout: str, image: Photograph) -> str:
    """Return the path of a photograph in a copy."""
    stem = IRREGULAR.get(image.stem, image.stem)
    if image.is_average:
        return f"KDEF_and_AKDEF/AKDEF/{stem}.JPG"
    if layout == "official":
        return f"KDEF_and_AKDEF/KDEF/{image.stem[:4]}/{stem}.JPG"
    label = EXPRESSIONS[image.letters]
    folder = f"kdef/{_FOLDERS.get(label, label)}"
    if layout == "class-folders":
        return f"{folder}/{stem}.JPG"
    group = "AB".index(image.stem[0]) * 70 + "FM".index(image.stem[1]) * _SUBJECTS
    return f"{folder}/{group + int(image.stem[2:4])}_{_ANGLES.index(image.angle)}.jpg"


def draw_person(gender: str, draws: np.random.Generator) -> Identity:
    """Draw a young adult without beard and glasses, as all of KDEF's subjects are [page]."""
    wanted = Gender.FEMALE if gender == "F" else Gender.MALE
    while True:
        identity = draw_identity(draws)
        if (
            identity.gender is wanted
            and identity.age_group is AgeGroup.YOUNG_ADULT
            and not (identity.beard or identity.glasses)
        ):
            return identity


def _averages(scale: float) -> list[Photograph]:
    """List the averaged faces, the frontal ones first."""
    averages = [
        Photograph(f"{gender}{letters}{angle}", "unsplit", None, -1, gender, letters, angle)
        for angle in sorted(_ANGLES, key=lambda angle: angle != "S")
        for letters in EXPRESSIONS
        for gender in "FM"
    ]
    return averages[: max(2, round(len(averages) * scale))]


def _photograph(image: Photograph, draws: np.random.Generator, identity: Identity) -> Pixels:
    """Draw at a third of the size, narrow the halves as the head turns, and enlarge."""
    width, height = SIZE[0] // _DRAWN, SIZE[1] // _DRAWN
    halves = _HALVES[image.angle]
    drawn = round(width / sum(halves)) * 2
    distance = _EYE_DISTANCE * width / min(drawn, height)
    framing = Framing(eye_distance=(0.97 * distance, 1.03 * distance), center=_CENTER, shift=0.01)
    expression = draw_expression(EXPRESSIONS[image.letters], draws, intensity=(0.6, 1.0))
    face = draw_face(
        expression, draws, (drawn, height), framing=framing, identity=identity, max_roll=3.0
    )
    left = round(SIZE[0] * halves[0] / sum(halves))
    parts = zip(np.split(face.pixels, 2, axis=1), (left, SIZE[0] - left), strict=True)
    return np.hstack(
        [cv2.resize(part, (wide, SIZE[1]), interpolation=cv2.INTER_CUBIC) for part, wide in parts]
    ).astype(np.uint8)


def _average(image: Photograph, draws: np.random.Generator) -> Pixels:
    """Draw the average of a few subjects, in one channel as AKDEF's files are [page]."""
    faces = [_photograph(image, draws, draw_person(image.subject, draws)) for _ in range(_BLENDED)]
    return np.asarray(np.mean(faces, axis=(0, 3)), np.uint8)
