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
from ferdata.ingesters.synthetic import DemoWriter, Sample, register
from ferdata.synth.drawing import SCENE, draw_face
from ferdata.synth.expressions import draw_expression
from ferdata.synth.identity import AgeGroup, Gender, Identity, Race, draw_identity

SIDE = 256
"""Width and height of the pictures in pixels."""

WOMEN = ("KM", "KA", "YM", "KR", "NM", "MK", "UY", "KL", "TM", "NA")
"""The ten women in the order of the serial numbers [data]."""

_CODES = {
    "neutral": "NE",
    "happiness": "HA",
    "sadness": "SA",
    "surprise": "SU",
    "anger": "AN",
    "disgust": "DI",
    "fear": "FE",
}
"""Expression → letters, in the order of the serial numbers [data]."""

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
"""Serial numbers without a picture: KM.HA5, KM.SA4, KM.DI2, KR.HA3, NM.DI2, TM.HA4 [data]."""

_FOLDERS = {"anger": "angry", "happiness": "happy", "sadness": "sad"}
_RATED = ("happiness", "sadness", "surprise", "anger", "disgust", "fear")
_HEADER = ("HAP", "SAD", "SUR", "ANG", "DIS", "FEA")


@dataclass(frozen=True)
class Picture(Sample):
    """One picture.

    Attributes:
        subject: Two letters.
        take: Its number among the woman's pictures of the expression.
    """

    subject: str
    take: int


@register
class Jaffe(DemoWriter):
    """213 pictures at scale 1, with the file names of the real set."""

    name: ClassVar[str] = "jaffe"
    layouts: ClassVar[tuple[str, ...]] = ("official", "class-folders")

    def plan(self, layout: str, scale: float, seed: int) -> list[Sample]:
        """List the pictures by serial; at a small scale each woman has few, but all are there."""
        samples: list[Sample] = []
        for _, takes in groupby(_pictures(), key=lambda picture: (picture.subject, picture.label)):
            pictures = list(takes)
            samples += pictures[: max(1, round(len(pictures) * scale))]
        return samples

    def folders(self, layout: str) -> Sequence[str]:
        """Name the one folder, or those of the classes."""
        if layout == "official":
            return ["jaffe"]
        return [f"jaffe/{_FOLDERS.get(label, label)}" for label in _CODES]

    def write_sample(self, root: Path, layout: str, sample: Sample, seed: int) -> None:
        """Draw a picture and write it as a gray tiff, or as a jpeg in class folders."""
        if not isinstance(sample, Picture):
            raise TypeError(f"{sample} was not planned by this writer")
        draws = generator(seed, f"jaffe/{sample.stem}", purpose="demo image")
        face = draw_face(
            draw_expression(str(sample.label), draws, intensity=(0.6, 1.0)),
            draws,
            SIDE,
            framing=SCENE,
            identity=draw_woman(seed, sample.subject),
            max_roll=3.0,
        )
        gray = cv2.cvtColor(face.pixels, cv2.COLOR_RGB2GRAY)
        if layout == "official":
            path = root / f"jaffe/{sample.stem}.tiff"
            _, data = cv2.imencode(".tiff", gray, [cv2.IMWRITE_TIFF_COMPRESSION, 1])
        else:
            label = str(sample.label)
            path = root / f"jaffe/{_FOLDERS.get(label, label)}/{sample.stem}.jpg"
            _, data = cv2.imencode(".jpg", gray)
        path.write_bytes(data.tobytes())

    def write_lists(self, root: Path, layout: str, samples: Sequence[Sample]) -> None:
        """Write the readme beside the folder, with ratings that go with the posed expressions."""
        if layout == "official":
            (root / "README_FIRST.txt").write_bytes(_readme(samples).encode("ascii"))


def draw_woman(seed: int, subject: str) -> Identity:
    """Draw a young woman without glasses; the same for all pictures of a subject."""
    draws = generator(seed, f"jaffe/{subject}", purpose="demo person")
    while True:
        who = draw_identity(draws)
        if (
            who.gender is Gender.FEMALE
            and who.race is Race.ASIAN
            and who.age_group is AgeGroup.YOUNG_ADULT
            and not who.glasses
        ):
            return who


def _pictures() -> Iterator[Picture]:
    """Yield all pictures by serial number."""
    serial = 0
    for subject in WOMEN:
        for label, code in _CODES.items():
            for take in range(1, _MORE_TAKES.get((subject, code), _TAKES) + 1):
                serial += 1
                if serial not in _ABSENT:
                    stem = f"{subject}.{code}{take}.{serial}"
                    yield Picture(stem, "unsplit", label, -1, subject, take)


def _readme(samples: Sequence[Sample]) -> str:
    """Return a readme with both studies; in the second fear was neither rated nor shown."""
    first: list[str] = []
    second: list[str] = []
    for number, sample in enumerate(samples, start=1):
        draws = generator(0, f"jaffe/{sample.stem}", purpose="demo rating")
        means = draws.uniform(1.0, 2.2, len(_RATED))
        if sample.label in _RATED:
            means[_RATED.index(sample.label)] = draws.uniform(3.5, 4.9)
        subject, take, _ = sample.stem.split(".")
        numbers = [f"{mean:.2f}" for mean in means]
        first.append(f"{number} {' '.join(numbers)} {subject}-{take}")
        if sample.label != "fear":
            second.append(f"{len(second) + 1} {' '.join(numbers[:-1])} {subject}-{take}")
    lines = [
        "A synthetic copy of JAFFE.",
        "",
        "Semantic Ratings Data",
        f"# {' '.join(_HEADER)} PIC",
        "-" * 40,
        *first,
        "",
        "Semantic Ratings Data (Fear Excluded)",
        f"# {' '.join(_HEADER[:-1])} PIC",
        "-" * 40,
        *second,
    ]
    return "\n".join(lines) + "\n"
