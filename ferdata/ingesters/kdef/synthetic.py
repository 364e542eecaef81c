"""A synthetic KDEF: people in two sessions, seven expressions, five angles.

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
from ferdata.ingesters.synthetic import DemoWriter, Sample, register
from ferdata.synth.drawing import Framing, draw_face
from ferdata.synth.expressions import draw_expression
from ferdata.synth.identity import AgeGroup, Gender, Identity, draw_identity
from ferdata.synth.paint import Pixels

SIZE = (562, 762)
"""Width and height of the photographs in pixels [page]."""

BLANK = frozenset(
    {
        "AF01SUFR",
        "AF10AFFR",
        "AF11NEHL",
        "AF20DIHL",
        "AM25DIFL",
        "AM34DIFR",
        "BF13NEHR",
        "BM21DIFL",
        "BM22DIHL",
        "BM24DIFL",
    }
)
"""The ten images of the distribution that are black [loaders]."""

IRREGULAR = {"AF31SAHL": "AF31V", "AM31SUHR": "AM31H", "FAFHR": "FAHR"}
"""Right name → the name that the file has; the last is one of AKDEF's [loaders]."""

_LETTERS = {
    "AF": "fear",
    "AN": "anger",
    "DI": "disgust",
    "HA": "happiness",
    "NE": "neutral",
    "SA": "sadness",
    "SU": "surprise",
}
_FOLDERS = {"fear": "afraid", "anger": "angry", "happiness": "happy", "sadness": "sad"}
_ANGLES = ("FL", "HL", "S", "HR", "FR")
_HALVES = {"FL": (0.72, 0.34), "HL": (0.94, 0.68), "S": (1.0, 1.0)}
_HALVES |= {"HR": _HALVES["HL"][::-1], "FR": _HALVES["FL"][::-1]}
"""Width of the picture's left and right half over that of a head seen straight: the side that is
turned away narrows; a rough stand-in for a turn."""

_PEOPLE = 35
_FEWEST = 5  # of each gender: ten people can be split 8:1:1
_DRAWN = 3  # the picture is drawn at a third of its size and enlarged
_BLENDED = 3  # people in a drawn average; the real ones have 35

# The photographs were taken with the eyes at fixed places of the picture [page].
_EYE_DISTANCE = 0.225  # over the width
_CENTER = (0.5, 0.46)


@dataclass(frozen=True)
class Photograph(Sample):
    """One photograph, or an average over people.

    Attributes:
        person: Gender and number, `F01`; the gender alone for an average.
        letters: The expression.
        angle: One of FL, HL, S, HR, FR.
    """

    person: str
    letters: str
    angle: str


@register
class Kdef(DemoWriter):
    """All files at scale 1: 4,900, ten of them black and two with irregular names."""

    name: ClassVar[str] = "kdef"
    layouts: ClassVar[tuple[str, ...]] = ("official", "class-folders", "kaggle")

    def plan(self, layout: str, scale: float, seed: int) -> list[Sample]:
        """List the photographs person by person; every other angle only for a share of people.

        Kaggle's copy has 2,938 images of three angles, two less than there are; which two is not
        known. The two with irregular names are of these angles, so they are left out here.
        """
        people = max(_FEWEST, round(_PEOPLE * scale))
        turned = max(1, round(_PEOPLE * scale))
        angles = ("HL", "S", "HR") if layout == "kaggle" else _ANGLES
        photographs: list[Sample] = [
            Photograph(
                stem=f"{session}{gender}{number:02d}{letters}{angle}",
                split="unsplit",
                label=label if angle == "S" or layout == "kaggle" else None,
                code=-1,
                person=f"{gender}{number:02d}",
                letters=letters,
                angle=angle,
            )
            for session in "AB"
            for gender in "FM"
            for number in range(1, people + 1)
            for letters, label in _LETTERS.items()
            for angle in angles
            if angle == "S" or (number <= turned and (gender == "F" or turned > 1))
        ]
        if layout == "kaggle":
            return [each for each in photographs if each.stem not in IRREGULAR]
        return photographs + (_averages(scale) if layout == "official" else [])

    def folders(self, layout: str) -> Sequence[str]:
        """Name the class folders, or those of all sittings."""
        if layout != "official":
            return [f"kdef/{_FOLDERS.get(label, label)}" for label in _LETTERS.values()]
        sittings = [
            f"KDEF_and_AKDEF/KDEF/{session}{gender}{number:02d}"
            for session in "AB"
            for gender in "FM"
            for number in range(1, _PEOPLE + 1)
        ]
        return ["KDEF_and_AKDEF/AKDEF", *sittings]

    def write_sample(self, root: Path, layout: str, sample: Sample, seed: int) -> None:
        """Draw a photograph, or leave it black where the real one is."""
        if not isinstance(sample, Photograph):
            raise TypeError(f"{sample} was not planned by this writer")
        draws = generator(seed, f"kdef/{sample.stem}", purpose="demo image")
        if len(sample.person) == 1:
            pixels = _average(sample, draws)
        elif sample.stem in BLANK and layout != "kaggle":
            pixels = draws.integers(0, 2, (SIZE[1], SIZE[0], 3)).astype(np.uint8)
        else:
            person = generator(seed, f"kdef/{sample.person}", purpose="demo person")
            pixels = _photograph(sample, draws, draw_person(sample.person[0], person))
        if pixels.ndim == 3:
            pixels = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), np.uint8)
        _, data = cv2.imencode(".jpg", pixels)
        (root / photograph_path(layout, sample)).write_bytes(data.tobytes())

    def write_lists(self, root: Path, layout: str, samples: Sequence[Sample]) -> None:
        """Write the readme; KDEF has no lists."""
        if layout == "official":
            (root / "KDEF_and_AKDEF" / "ReadThis.txt").write_bytes(b"A synthetic copy of KDEF.\r\n")


def photograph_path(layout: str, sample: Photograph) -> str:
    """Return where a photograph lies in a copy."""
    stem = IRREGULAR.get(sample.stem, sample.stem)
    if len(sample.person) == 1:
        return f"KDEF_and_AKDEF/AKDEF/{stem}.JPG"
    if layout == "official":
        return f"KDEF_and_AKDEF/KDEF/{sample.stem[:4]}/{stem}.JPG"
    label = _LETTERS[sample.letters]
    folder = f"kdef/{_FOLDERS.get(label, label)}"
    if layout == "class-folders":
        return f"{folder}/{stem}.JPG"
    group = "AB".index(sample.stem[0]) * 70 + "FM".index(sample.stem[1]) * _PEOPLE
    return f"{folder}/{group + int(sample.stem[2:4])}_{_ANGLES.index(sample.angle)}.jpg"


def draw_person(gender: str, draws: np.random.Generator) -> Identity:
    """Draw somebody young without beard and glasses, as all of KDEF's people are [page]."""
    wanted = Gender.FEMALE if gender == "F" else Gender.MALE
    while True:
        who = draw_identity(draws)
        if (
            who.gender is wanted
            and who.age_group is AgeGroup.YOUNG_ADULT
            and not (who.beard or who.glasses)
        ):
            return who


def _averages(scale: float) -> list[Sample]:
    """List the averaged faces, the frontal ones first."""
    averages: list[Sample] = [
        Photograph(f"{gender}{letters}{angle}", "unsplit", None, -1, gender, letters, angle)
        for angle in sorted(_ANGLES, key=lambda angle: angle != "S")
        for letters in _LETTERS
        for gender in "FM"
    ]
    return averages[: max(2, round(len(averages) * scale))]


def _photograph(sample: Photograph, draws: np.random.Generator, who: Identity) -> Pixels:
    """Draw at a third of the size, narrow the halves as the head turns, and enlarge."""
    width, height = SIZE[0] // _DRAWN, SIZE[1] // _DRAWN
    halves = _HALVES[sample.angle]
    drawn = round(width / sum(halves)) * 2
    distance = _EYE_DISTANCE * width / min(drawn, height)
    framing = Framing(eye_distance=(0.97 * distance, 1.03 * distance), center=_CENTER, shift=0.01)
    expression = draw_expression(_LETTERS[sample.letters], draws, intensity=(0.6, 1.0))
    face = draw_face(
        expression, draws, (drawn, height), framing=framing, identity=who, max_roll=3.0
    )
    left = round(SIZE[0] * halves[0] / sum(halves))
    parts = zip(np.split(face.pixels, 2, axis=1), (left, SIZE[0] - left), strict=True)
    return np.hstack(
        [cv2.resize(part, (wide, SIZE[1]), interpolation=cv2.INTER_CUBIC) for part, wide in parts]
    ).astype(np.uint8)


def _average(sample: Photograph, draws: np.random.Generator) -> Pixels:
    """Draw the average of a few people, in one channel as AKDEF's files are [page]."""
    faces = [_photograph(sample, draws, draw_person(sample.person, draws)) for _ in range(_BLENDED)]
    return np.asarray(np.mean(faces, axis=(0, 3)), np.uint8)
