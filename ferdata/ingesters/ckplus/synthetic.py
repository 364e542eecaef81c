"""A synthetic CK+: short sequences of subjects from neutral to the peak of an expression.

Layouts, codes and counts: manifests/datasets/ckplus.yaml. Source: Lucey et al. 2010.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np

from ferdata.core.draws import generator
from ferdata.ingesters.ckplus.ingester import EXTENDED_CODES
from ferdata.ingesters.lookup import dataset_info
from ferdata.ingesters.synthetic import (
    ROWS_FOLDER,
    DemoImage,
    DemoWriter,
    pixel_text,
    register,
    save_image,
    store_row,
    write_table,
)
from ferdata.ingesters.synthetic_arrays import keep_image, write_arrays
from ferdata.synth.drawing import CLOSE, SCENE, DrawnFace, draw_face
from ferdata.synth.expressions import Expression, draw_expression
from ferdata.synth.identity import draw_identity

SIZES = ((640, 490), (640, 480))
"""Width and height of the frames, as pages about the set say; here one for all of a subject."""

FOLDS = (33, 39, 40, 35, 30, 37, 29, 29, 33, 22)
"""Labeled sequences in each of the ten folds of subjects [data]."""

LABELED_SUBJECTS, SUBJECTS, SEQUENCES = 118, 123, 593
"""Subjects with a label, all subjects, and all sequences of the real set."""

_FEWEST_SUBJECTS = 18  # so that a few of them show contempt, the rarest label
_FEWEST_UNLABELED = 3
_SIDE = 48
_OTHER_SIZE = 5  # one of this many subjects has the second size
_DRAWN = 2  # frames are drawn at half their size and enlarged
_EXTENDED = {label: code for code, label in EXTENDED_CODES.items()}
_FOLDERS = {"anger": "anger", "happiness": "happy", "sadness": "sadness"}
_UNITS = {
    "anger": ((4, 4), (7, 0), (24, 3)),
    "contempt": ((14, 3),),
    "disgust": ((9, 4), (17, 2)),
    "fear": ((1, 3), (4, 3), (20, 3)),
    "happiness": ((6, 3), (12, 4)),
    "sadness": ((1, 3), (15, 3), (17, 2)),
    "surprise": ((1, 4), (2, 4), (5, 3), (27, 4)),
}


@dataclass(frozen=True)
class Frame(DemoImage):
    """One frame of a sequence.

    Attributes:
        subject: `S005`.
        sequence: `001`.
        number: Number of the frame.
        last: Number of the sequence's last frame.
        drawn: The expression at the sequence's peak.
        labeled: Whether the sequence has an emotion file.
    """

    subject: str
    sequence: str
    number: int
    last: int
    drawn: str
    labeled: bool


@register
class CkPlus(DemoWriter[Frame]):
    """593 sequences at scale 1, much shorter than the real ones; 327 have a label."""

    name: ClassVar[str] = "ckplus"
    layouts: ClassVar[tuple[str, ...]] = ("official", "ck48", "ckextended", "arrays")

    def plan(self, layout: str, scale: float, seed: int) -> list[Frame]:
        """List the frames sequence by sequence; at a small scale fewer subjects."""
        frames: list[Frame] = []
        for subject, sequence, label in _sequences(scale):
            draws = generator(seed, f"ckplus/{subject}/{sequence}", purpose="demo film")
            last = int(draws.integers(4, 7))
            drawn = label or str(draws.choice(list(_UNITS)))
            for number in range(1, last + 1):
                is_peak = label is not None and number > last - 3
                if layout in ("ck48", "arrays") and not is_peak:
                    continue
                if layout == "ckextended" and number not in ((1, last) if label else (1,)):
                    continue
                row = label if is_peak else None
                if layout == "ckextended" and number == 1:
                    row = "neutral"
                frames.append(
                    Frame(
                        stem=f"{subject}_{sequence}_{number:08d}",
                        split="unsplit",
                        # By default neutral frames are not rows.
                        label=None if row == "neutral" else row,
                        code=_EXTENDED[row] if row else -1,
                        subject=subject,
                        sequence=sequence,
                        number=number,
                        last=last,
                        drawn=drawn,
                        labeled=label is not None,
                    )
                )
        return frames

    def folders(self, layout: str) -> Sequence[str]:
        """Return the class folders, the trees, or the folder where rows wait."""
        if layout in ("ckextended", "arrays"):
            return [ROWS_FOLDER]
        if layout == "ck48":
            return [f"CK+48/{_FOLDERS.get(label, label)}" for label in _UNITS]
        return ["cohn-kanade-images", "Emotion", "Landmarks", "FACS"]

    def write_image(self, root: Path, layout: str, image: Frame, seed: int) -> None:
        """Draw a frame with its landmarks; the last one also has emotion and action units."""
        face = _draw(image, seed, crop=layout != "official")
        if layout == "ckextended":
            store_row(root, image, pixel_text(face.pixels))
        elif layout == "arrays":
            keep_image(root, image, face.pixels, gray=True)
        elif layout == "ck48":
            folder = _FOLDERS.get(image.drawn, image.drawn)
            save_image(root / f"CK+48/{folder}/{image.stem}.png", face.pixels, gray=True)
        else:
            _write_official(root, image, face)

    def write_lists(self, root: Path, layout: str, images: Sequence[Frame]) -> None:
        """Write ckextended.csv; the other layouts have no lists, but a stray file of a Mac."""
        if layout == "ckextended":
            usage = {each.stem: _usage(row) for row, each in enumerate(images)}
            write_table(
                root / "ckextended.csv",
                "emotion,pixels,Usage",
                root,
                images,
                lambda image, text: f"{image.code},{text},{usage[image.stem]}",
            )
        elif layout == "arrays":
            codes = {label: code for label, code in _EXTENDED.items() if label != "neutral"}
            codes["contempt"] = codes.pop("contempt") - 1
            write_arrays(root / "CK_data.h5", root, {"data": images}, codes)
        elif layout == "official":
            (root / "Emotion" / ".DS_Store").write_bytes(b"\0")


def _draw(image: Frame, seed: int, *, crop: bool) -> DrawnFace:
    """Draw a frame: one subject and light for a sequence, the expression growing to its peak."""
    identity = draw_identity(generator(seed, f"ckplus/{image.subject}", purpose="demo person"))
    name = f"ckplus/{image.subject}/{image.sequence}"
    peak = draw_expression(
        image.drawn, generator(seed, name, purpose="demo peak"), intensity=(0.7, 1.0)
    )
    rest = draw_expression("neutral", generator(seed, name, purpose="demo rest"))
    width, height = _size(image)
    return draw_face(
        _between(rest, peak, (image.number - 1) / (image.last - 1)),
        generator(seed, name, purpose="demo image"),
        _SIDE if crop else (width // _DRAWN, height // _DRAWN),
        framing=CLOSE if crop else SCENE,
        identity=identity,
        max_roll=3.0,
    )


def _write_official(root: Path, image: Frame, face: DrawnFace) -> None:
    place = f"{image.subject}/{image.sequence}"
    for tree in ("cohn-kanade-images", "Landmarks", "Emotion", "FACS"):
        (root / tree / place).mkdir(parents=True, exist_ok=True)
    gray = cv2.cvtColor(face.pixels, cv2.COLOR_RGB2GRAY)
    enlarged = cv2.resize(gray, _size(image), interpolation=cv2.INTER_CUBIC)
    pixels = np.asarray(enlarged, np.uint8)
    save_image(root / f"cohn-kanade-images/{place}/{image.stem}.png", pixels)
    points = (face.landmarks.astype(np.float64) + 0.5) * _DRAWN - 0.5
    lines = "".join(f"   {x:.7e}   {y:.7e}\n" for x, y in points.tolist())
    (root / f"Landmarks/{place}/{image.stem}_landmarks.txt").write_bytes(lines.encode())
    if image.number != image.last:
        return
    units = "".join(f"   {unit:.7e}   {k:.7e}\n" for unit, k in _UNITS[image.drawn])
    (root / f"FACS/{place}/{image.stem}_facs.txt").write_bytes(units.encode())
    if image.labeled:
        text = f"   {dataset_info('ckplus').code_of[image.drawn]:.7e}\n"
        (root / f"Emotion/{place}/{image.stem}_emotion.txt").write_bytes(text.encode())


def _size(image: Frame) -> tuple[int, int]:
    return SIZES[int(image.subject[1:]) % _OTHER_SIZE == 0]


def _sequences(scale: float) -> list[tuple[str, str, str | None]]:
    """List subject, number and label of every sequence.

    The labeled sequences are dealt to subjects so that the ten folds (subjects sorted, index modulo
    10) have the sizes of the real ones; a smaller scale excludes subjects with their sequences.
    """
    counts = dataset_info("ckplus").counts["unsplit"]
    # Rare classes are spread over the first subjects, so that a small scale has them too.
    labels = sorted((name for name in counts if counts[name]), key=lambda name: counts[name])
    left = {label: counts[label] for label in labels}
    subjects = max(_FEWEST_SUBJECTS, round(LABELED_SUBJECTS * scale))
    sequences: list[tuple[str, str, str | None]] = []
    for index in range(LABELED_SUBJECTS):
        subject = f"S{index + 5:03d}" if index < 110 else f"S{index + 391:03d}"
        in_fold, rank = divmod(LABELED_SUBJECTS - 1 - index % 10, 10)[0] + 1, index // 10
        whole, rest = divmod(FOLDS[index % 10], in_fold)
        for number in range(1, whole + (rank < rest) + 1):
            label = max(left, key=lambda name: (left[name] / counts[name], -counts[name]))
            left[label] -= 1
            if index < subjects:
                sequences.append((subject, f"{number:03d}", label))
    unlabeled = SEQUENCES - sum(FOLDS)
    names = sorted({subject for subject, _, _ in sequences})
    if subjects == LABELED_SUBJECTS:
        names += [f"S{number}" for number in range(895, 895 + SUBJECTS - LABELED_SUBJECTS)]
    for index in range(max(_FEWEST_UNLABELED, round(unlabeled * scale))):
        sequences.append((names[-1 - index % len(names)], f"{11 + index // len(names):03d}", None))
    return sorted(sequences, key=lambda sequence: sequence[:2])


def _between(rest: Expression, peak: Expression, fraction: float) -> Expression:
    """Interpolate between two expressions."""
    return Expression(
        **{
            each.name: (1 - fraction) * getattr(rest, each.name)
            + fraction * getattr(peak, each.name)
            for each in fields(Expression)
        }
    )


def _usage(row: int) -> str:
    """Return a row's Usage: 80, 10 and 10 percent, as pages about the copy say."""
    return {8: "PublicTest", 9: "PrivateTest"}.get(row % 10, "Training")
