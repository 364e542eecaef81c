"""A synthetic JAFFE: ten women, 213 grey tiffs, a readme with ratings.

Layouts and names: manifests/datasets/jaffe.yaml. Source: Lyons et al., FG 1998.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import cv2

from ferdata.draws import generator
from ferdata.synth.drawing import SCENE, draw_face
from ferdata.synth.expressions import draw_expression
from ferdata.synth.identity import Gender, draw_identity
from ferdata.synth.writer import DemoWriter, Sample, dataset_facts, register

SIDE = 256

WOMEN = {
    "KA": 23,
    "KL": 22,
    "KM": 22,
    "KR": 20,
    "MK": 21,
    "NA": 21,
    "NM": 20,
    "TM": 21,
    "UY": 21,
    "YM": 22,
}
"""Pictures of each woman [data]."""

_CODES = {
    "neutral": "NE",
    "happiness": "HA",
    "sadness": "SA",
    "surprise": "SU",
    "anger": "AN",
    "disgust": "DI",
    "fear": "FE",
}
_ABSENT = frozenset({8, 12, 21, 76, 108, 183})
_FOLDERS = {"anger": "angry", "happiness": "happy", "sadness": "sad"}
_RATED = ("happiness", "sadness", "surprise", "anger", "disgust", "fear")


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
    """213 pictures at scale 1, with the counts per woman and per expression of the real set."""

    name: ClassVar[str] = "jaffe"
    layouts: ClassVar[tuple[str, ...]] = ("official", "class-folders")

    def plan(self, layout: str, scale: float, seed: int) -> list[Sample]:
        """List the pictures woman by woman; at a small scale each has few, but all are there."""
        samples: list[Sample] = []
        serials = (number for number in range(1, 220) if number not in _ABSENT)
        for subject, label, takes in _takes():
            for take in range(1, takes + 1):
                serial = next(serials)
                if take <= max(1, round(takes * scale)):
                    stem = f"{subject}.{_CODES[label]}{take}.{serial}"
                    samples.append(Picture(stem, "unsplit", label, -1, subject, take))
        return samples

    def folders(self, layout: str) -> Sequence[str]:
        """Name the one folder, or those of the classes."""
        if layout == "official":
            return ["jaffedbase"]
        return [f"jaffe/{_FOLDERS.get(label, label)}" for label in _CODES]

    def write_sample(self, root: Path, layout: str, sample: Sample, seed: int) -> None:
        """Draw a picture and write it as a grey tiff, or as a jpeg in class folders."""
        if not isinstance(sample, Picture):
            raise TypeError(f"{sample} was not planned by this writer")
        who = draw_identity(generator(seed, f"jaffe/{sample.subject}", purpose="demo person"))
        draws = generator(seed, f"jaffe/{sample.stem}", purpose="demo image")
        face = draw_face(
            draw_expression(str(sample.label), draws, intensity=(0.6, 1.0)),
            draws,
            SIDE,
            framing=SCENE,
            identity=replace(who, gender=Gender.FEMALE),
            max_roll=3.0,
        )
        gray = cv2.cvtColor(face.pixels, cv2.COLOR_RGB2GRAY)
        if layout == "official":
            path = root / f"jaffedbase/{sample.stem}.tiff"
            _, data = cv2.imencode(".tiff", gray, [cv2.IMWRITE_TIFF_COMPRESSION, 1])
        else:
            label = str(sample.label)
            path = root / f"jaffe/{_FOLDERS.get(label, label)}/{sample.stem}.jpg"
            _, data = cv2.imencode(".jpg", gray)
        path.write_bytes(data.tobytes())

    def write_lists(self, root: Path, layout: str, samples: Sequence[Sample]) -> None:
        """Write the readme with ratings that go with the posed expressions."""
        if layout != "official":
            return
        lines = ["#  HAP  SAD  SUR  ANG  DIS  FEA  PIC"]
        for number, sample in enumerate(samples, start=1):
            draws = generator(0, f"jaffe/{sample.stem}", purpose="demo rating")
            means = draws.uniform(1.0, 2.2, len(_RATED))
            if sample.label in _RATED:
                means[_RATED.index(sample.label)] = draws.uniform(3.5, 4.9)
            subject, take, _ = sample.stem.split(".")
            numbers = " ".join(f"{mean:.2f}" for mean in means)
            lines.append(f"{number} {numbers} {subject}-{take}")
        (root / "jaffedbase/README").write_text("\n".join(lines) + "\n", encoding="ascii")


def _takes() -> list[tuple[str, str, int]]:
    """Deal pictures out to women and expressions, so that both totals are the real ones."""
    left = dict(dataset_facts("jaffe")["counts"]["unsplit"])
    dealt = {(subject, label): 2 for subject in WOMEN for label in _CODES}
    for label in _CODES:
        left[label] -= 2 * len(WOMEN)
    for subject, total in WOMEN.items():
        missing = total - 2 * len(_CODES)
        for label in sorted(left, key=lambda name: (-left[name], name)) * 2:
            if missing and left[label]:
                dealt[subject, label] += 1
                left[label] -= 1
                missing -= 1
    return [(subject, label, dealt[subject, label]) for subject in WOMEN for label in _CODES]
