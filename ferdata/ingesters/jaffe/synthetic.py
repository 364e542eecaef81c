"""A synthetic JAFFE: ten women, 213 gray tiffs, a readme with ratings.

Layouts and names: manifests/datasets/jaffe.yaml. Source: Lyons et al., FG 1998.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import ClassVar

import cv2

from ferdata.core.draws import generator
from ferdata.ingesters.jaffe.ingester import EXPRESSIONS
from ferdata.ingesters.jaffe.ratings import RATED
from ferdata.ingesters.synthetic import DemoImage, DemoWriter, register, save_image, write_lines
from ferdata.synth.drawing import SCENE, draw_face
from ferdata.synth.expressions import draw_expression
from ferdata.synth.identity import AgeGroup, Gender, Identity, Race, draw_identity

SIDE = 256
"""Width and height of the images in pixels."""

WOMEN = ("KM", "KA", "YM", "KR", "NM", "MK", "UY", "KL", "TM", "NA")
"""The ten women in the order of the serial numbers [data]."""

_TAKES = 3
_MORE_TAKES = {
    ("KM", "HA"): 5,
    ("KM", "SA"): 5,
    ("KA", "HA"): 4,
    ("KA", "FE"): 4,
    ("YM", "FE"): 4,
    ("KL", "DI"): 4,
    ("TM", "HA"): 4,
}
"""Takes of an expression where they aren't three, the absent ones counted [data]."""

_ABSENT = frozenset({8, 12, 21, 76, 108, 183})
"""Serial numbers without an image: KM.HA5, KM.SA4, KM.DI2, KR.HA3, NM.DI2, TM.HA4 [data]."""

_FOLDERS = {"anger": "angry", "happiness": "happy", "sadness": "sad"}


@dataclass(frozen=True)
class Photograph(DemoImage):
    """One photograph.

    Attributes:
        subject: Two letters.
        take: Its number among the subject's photographs of the expression.
    """

    subject: str
    take: int


@register
class Jaffe(DemoWriter[Photograph]):
    """213 photographs at scale 1, with the file names of the real set."""

    name: ClassVar[str] = "jaffe"
    layouts: ClassVar[tuple[str, ...]] = ("official", "class-folders")

    def plan(self, layout: str, scale: float, seed: int) -> list[Photograph]:
        """List the photographs by serial number; every subject and class stays at any scale."""
        images: list[Photograph] = []
        for _, takes in groupby(_photographs(), key=lambda image: (image.subject, image.label)):
            group = list(takes)
            images += group[: max(1, round(len(group) * scale))]
        return images

    def folders(self, layout: str) -> Sequence[str]:
        """Return the one folder, or those of the classes."""
        if layout == "official":
            return ["jaffe"]
        return [f"jaffe/{_FOLDERS.get(label, label)}" for label in EXPRESSIONS.values()]

    def write_image(self, root: Path, layout: str, image: Photograph, seed: int) -> None:
        """Draw a photograph and write it as a gray tiff, or as a JPEG in class folders."""
        draws = generator(seed, f"jaffe/{image.stem}", purpose="demo image")
        label = str(image.label)
        face = draw_face(
            draw_expression(label, draws, intensity=(0.6, 1.0)),
            draws,
            SIDE,
            framing=SCENE,
            identity=draw_woman(seed, image.subject),
            max_roll=3.0,
        )
        if layout == "official":
            path, options = root / f"jaffe/{image.stem}.tiff", [cv2.IMWRITE_TIFF_COMPRESSION, 1]
        else:
            path, options = root / f"jaffe/{_FOLDERS.get(label, label)}/{image.stem}.jpg", []
        save_image(path, face.pixels, gray=True, options=options)

    def write_lists(self, root: Path, layout: str, images: Sequence[Photograph]) -> None:
        """Write the readme beside the folder, with ratings that match the posed expressions."""
        if layout == "official":
            write_lines(root / "README_FIRST.txt", _readme(images))


def draw_woman(seed: int, subject: str) -> Identity:
    """Draw a young woman without glasses, the same for all images of a subject."""
    draws = generator(seed, f"jaffe/{subject}", purpose="demo person")
    while True:
        identity = draw_identity(draws)
        if (
            identity.gender is Gender.FEMALE
            and identity.race is Race.ASIAN
            and identity.age_group is AgeGroup.YOUNG_ADULT
            and not identity.glasses
        ):
            return identity


def _photographs() -> Iterator[Photograph]:
    """Yield all photographs by serial number."""
    serial = 0
    for subject in WOMEN:
        for code, label in EXPRESSIONS.items():
            for take in range(1, _MORE_TAKES.get((subject, code), _TAKES) + 1):
                serial += 1
                if serial not in _ABSENT:
                    stem = f"{subject}.{code}{take}.{serial}"
                    yield Photograph(stem, "unsplit", label, -1, subject, take)


def _readme(images: Sequence[Photograph]) -> Iterator[str]:
    """Yield the lines of a readme with both studies; the second one excludes fear."""
    first: list[str] = []
    second: list[str] = []
    rated = list(RATED.values())
    for number, image in enumerate(images, start=1):
        draws = generator(0, f"jaffe/{image.stem}", purpose="demo rating")
        means = draws.uniform(1.0, 2.2, len(rated))
        if image.label in rated:
            means[rated.index(image.label)] = draws.uniform(3.5, 4.9)
        subject, take, _ = image.stem.split(".")
        numbers = [f"{mean:.2f}" for mean in means]
        first.append(f"{number} {' '.join(numbers)} {subject}-{take}")
        if image.label != "fear":
            second.append(f"{len(second) + 1} {' '.join(numbers[:-1])} {subject}-{take}")
    yield from ("A synthetic copy of JAFFE.", "", "Semantic Ratings Data")
    yield from (f"# {' '.join(RATED)} PIC", "-" * 40, *first, "")
    yield "Semantic Ratings Data (Fear Excluded)"
    yield from (f"# {' '.join([*RATED][:-1])} PIC", "-" * 40, *second)
