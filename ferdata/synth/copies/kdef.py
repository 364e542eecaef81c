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

from ferdata.draws import generator
from ferdata.synth.drawing import SCENE, draw_face
from ferdata.synth.expressions import draw_expression
from ferdata.synth.identity import draw_identity
from ferdata.synth.paint import Pixels
from ferdata.synth.writer import DemoWriter, Sample, register

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
"""The ten images of the distribution that are black."""

_IRREGULAR = {"AF31SAHL": "AF31V", "AM31SUHR": "AM31H"}

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
_SQUEEZE = {"FL": 0.55, "HL": 0.8, "S": 1.0, "HR": 0.8, "FR": 0.55}
"""Width of a head that is turned over that of one seen straight; a rough stand-in for a turn."""

_PEOPLE = 35
_FEWEST = 5  # of each gender: ten people can be split 8:1:1
_DRAWN = 3  # the picture is drawn at a third of its size and enlarged


@dataclass(frozen=True)
class Photograph(Sample):
    """One photograph.

    Attributes:
        person: Gender and number, `F01`.
        angle: One of FL, HL, S, HR, FR.
    """

    person: str
    angle: str


@register
class Kdef(DemoWriter):
    """All files at scale 1: 4,900, ten of them black and two with irregular names."""

    name: ClassVar[str] = "kdef"
    layouts: ClassVar[tuple[str, ...]] = ("official", "class-folders", "kaggle")

    def plan(self, layout: str, scale: float, seed: int) -> list[Sample]:
        """List the photographs person by person; every other angle only for a share of people."""
        people = max(_FEWEST, round(_PEOPLE * scale))
        turned = max(1, round(_PEOPLE * scale))
        angles = ("HL", "S", "HR") if layout == "kaggle" else _ANGLES
        return [
            Photograph(
                stem=f"{session}{gender}{number:02d}{letters}{angle}",
                split="unsplit",
                label=label if angle == "S" or layout == "kaggle" else None,
                code=-1,
                person=f"{gender}{number:02d}",
                angle=angle,
            )
            for session in "AB"
            for gender in "FM"
            for number in range(1, people + 1)
            for letters, label in _LETTERS.items()
            for angle in angles
            if angle == "S" or (number <= turned and (gender == "F" or turned > 1))
        ]

    def folders(self, layout: str) -> Sequence[str]:
        """Name the class folders, or those of all sittings."""
        if layout == "official":
            return [
                f"KDEF_and_AKDEF/KDEF/{session}{gender}{number:02d}"
                for session in "AB"
                for gender in "FM"
                for number in range(1, _PEOPLE + 1)
            ]
        return [f"kdef/{_FOLDERS.get(label, label)}" for label in _LETTERS.values()]

    def write_sample(self, root: Path, layout: str, sample: Sample, seed: int) -> None:
        """Draw a photograph, or leave it black where the real one is."""
        if not isinstance(sample, Photograph):
            raise TypeError(f"{sample} was not planned by this writer")
        blank = sample.stem in BLANK and layout == "official"
        pixels = self._black(sample, seed) if blank else self._draw(sample, seed)
        _, data = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
        (root / self._path(layout, sample)).write_bytes(data.tobytes())

    def write_lists(self, root: Path, layout: str, samples: Sequence[Sample]) -> None:
        """Write the readme; KDEF has no lists."""
        if layout == "official":
            (root / "KDEF_and_AKDEF" / "ReadThis.txt").write_bytes(b"A synthetic copy of KDEF.\r\n")

    def _path(self, layout: str, sample: Photograph) -> str:
        if layout == "official":
            stem = _IRREGULAR.get(sample.stem, sample.stem)
            return f"KDEF_and_AKDEF/KDEF/{sample.stem[:4]}/{stem}.JPG"
        label = _LETTERS[sample.stem[4:6]]
        folder = f"kdef/{_FOLDERS.get(label, label)}"
        if layout == "class-folders":
            return f"{folder}/{sample.stem}.JPG"
        group = "AB".index(sample.stem[0]) * 70 + "FM".index(sample.stem[1]) * 35
        return f"{folder}/{group + int(sample.stem[2:4])}_{_ANGLES.index(sample.angle)}.jpg"

    def _draw(self, sample: Photograph, seed: int) -> Pixels:
        who = draw_identity(generator(seed, f"kdef/{sample.person}", purpose="demo person"))
        draws = generator(seed, f"kdef/{sample.stem}", purpose="demo image")
        expression = draw_expression(_LETTERS[sample.stem[4:6]], draws, intensity=(0.6, 1.0))
        width, height = SIZE[0] // _DRAWN, SIZE[1] // _DRAWN
        drawn_width = round(width / _SQUEEZE[sample.angle])
        face = draw_face(
            expression, draws, (drawn_width, height), framing=SCENE, identity=who, max_roll=3.0
        )
        return np.asarray(cv2.resize(face.pixels, SIZE, interpolation=cv2.INTER_CUBIC), np.uint8)

    def _black(self, sample: Photograph, seed: int) -> Pixels:
        draws = generator(seed, f"kdef/{sample.stem}", purpose="demo image")
        return draws.integers(0, 2, (SIZE[1], SIZE[0], 3)).astype(np.uint8)
