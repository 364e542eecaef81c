"""A synthetic CK+: short films of people from neutral to the peak of an expression.

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
from ferdata.ingesters.synthetic import DemoWriter, Sample, dataset_facts, register
from ferdata.ingesters.synthetic_table import ROWS_FOLDER, store_row, write_table
from ferdata.synth.drawing import CLOSE, SCENE, DrawnFace, draw_face
from ferdata.synth.expressions import Expression, draw_expression
from ferdata.synth.identity import draw_identity

SIZES = ((640, 490), (640, 480))
"""Width and height of the frames, as pages about the set say; here one for all of a person."""

FOLDS = (33, 39, 40, 35, 30, 37, 29, 29, 33, 22)
"""Labeled films in each of the ten folds of people [data]."""

LABELED_PEOPLE, PEOPLE, FILMS = 118, 123, 593
"""People with a label, all people, and all films of the real set."""

_FEWEST_PEOPLE = 18  # so that a few of them show contempt, the rarest label
_FEWEST_UNLABELED = 3
_SIDE = 48
_OTHER_SIZE = 5  # one in so many people has the second size
_DRAWN = 2  # frames are drawn at half their size and enlarged
_EXTENDED = {
    "anger": 0,
    "disgust": 1,
    "fear": 2,
    "happiness": 3,
    "sadness": 4,
    "surprise": 5,
    "neutral": 6,
    "contempt": 7,
}
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
class Frame(Sample):
    """One frame of a film.

    Attributes:
        subject: `S005`.
        film: `001`.
        number: Number of the frame.
        last: Number of the film's last frame.
        drawn: The expression at the film's peak.
        labeled: Whether the film has an emotion file.
    """

    subject: str
    film: str
    number: int
    last: int
    drawn: str
    labeled: bool


@register
class CkPlus(DemoWriter):
    """593 films at scale 1, much shorter than the real ones; 327 have a label."""

    name: ClassVar[str] = "ckplus"
    layouts: ClassVar[tuple[str, ...]] = ("official", "ck48", "ckextended")

    def plan(self, layout: str, scale: float, seed: int) -> list[Sample]:
        """List the frames film by film; at a small scale fewer people, ten at least."""
        samples: list[Sample] = []
        for subject, film, label in _films(scale):
            draws = generator(seed, f"ckplus/{subject}/{film}", purpose="demo film")
            last = int(draws.integers(4, 7))
            drawn = label or str(draws.choice(list(_UNITS)))
            for number in range(1, last + 1):
                is_peak = label is not None and number > last - 3
                if layout == "ck48" and not is_peak:
                    continue
                if layout == "ckextended" and number not in ((1, last) if label else (1,)):
                    continue
                row = label if is_peak else None
                if layout == "ckextended" and number == 1:
                    row = "neutral"
                stem = f"{subject}_{film}_{number:08d}"
                code = _EXTENDED[row] if row else -1
                # Neutral frames are no rows of the default choice of frames.
                shown = None if row == "neutral" else row
                samples.append(
                    Frame(
                        stem,
                        "unsplit",
                        shown,
                        code,
                        subject,
                        film,
                        number,
                        last,
                        drawn,
                        label is not None,
                    )
                )
        return samples

    def folders(self, layout: str) -> Sequence[str]:
        """Name the class folders, the trees, or the one where rows wait."""
        if layout == "ckextended":
            return [ROWS_FOLDER]
        if layout == "ck48":
            return [f"CK+48/{_FOLDERS.get(label, label)}" for label in _UNITS]
        return ["cohn-kanade-images", "Emotion", "Landmarks", "FACS"]

    def write_sample(self, root: Path, layout: str, sample: Sample, seed: int) -> None:
        """Draw a frame, with its landmarks; the last one has emotion and action units, too."""
        if not isinstance(sample, Frame):
            raise TypeError(f"{sample} was not planned by this writer")
        if layout == "ckextended":
            store_row(root, sample, self._draw(sample, seed, crop=True).pixels)
            return
        if layout == "ck48":
            folder = _FOLDERS.get(sample.drawn, sample.drawn)
            gray = cv2.cvtColor(self._draw(sample, seed, crop=True).pixels, cv2.COLOR_RGB2GRAY)
            _, data = cv2.imencode(".png", gray)
            (root / "CK+48" / folder / f"{sample.stem}.png").write_bytes(data.tobytes())
            return
        self._write_official(root, sample, self._draw(sample, seed, crop=False))

    def write_lists(self, root: Path, layout: str, samples: Sequence[Sample]) -> None:
        """Write ckextended.csv; the other layouts have no lists, and a stray file of a Mac."""
        if layout == "ckextended":
            write_table(
                root / "ckextended.csv",
                "emotion,pixels,Usage",
                samples,
                lambda sample, text: f"{sample.code},{text},{_usage(samples.index(sample))}",
            )
        elif layout == "official":
            (root / "Emotion" / ".DS_Store").write_bytes(b"\0")

    def _draw(self, sample: Frame, seed: int, *, crop: bool) -> DrawnFace:
        """Draw a frame: one person and light for a film, the expression growing to its peak."""
        who = draw_identity(generator(seed, f"ckplus/{sample.subject}", purpose="demo person"))
        film = f"ckplus/{sample.subject}/{sample.film}"
        peak = draw_expression(
            sample.drawn, generator(seed, film, purpose="demo peak"), intensity=(0.7, 1.0)
        )
        rest = draw_expression("neutral", generator(seed, film, purpose="demo rest"))
        share = (sample.number - 1) / (sample.last - 1)
        expression = _between(rest, peak, share)
        draws = generator(seed, film, purpose="demo image")
        width, height = _size(sample)
        return draw_face(
            expression,
            draws,
            _SIDE if crop else (width // _DRAWN, height // _DRAWN),
            framing=CLOSE if crop else SCENE,
            identity=who,
            max_roll=3.0,
        )

    def _write_official(self, root: Path, sample: Frame, face: DrawnFace) -> None:
        place = f"{sample.subject}/{sample.film}"
        for tree in ("cohn-kanade-images", "Landmarks", "Emotion", "FACS"):
            (root / tree / place).mkdir(parents=True, exist_ok=True)
        gray = cv2.cvtColor(face.pixels, cv2.COLOR_RGB2GRAY)
        enlarged = cv2.resize(gray, _size(sample), interpolation=cv2.INTER_CUBIC)
        _, data = cv2.imencode(".png", enlarged)
        (root / f"cohn-kanade-images/{place}/{sample.stem}.png").write_bytes(data.tobytes())
        points = (face.landmarks.astype(np.float64) + 0.5) * _DRAWN - 0.5
        lines = "".join(f"   {x:.7e}   {y:.7e}\n" for x, y in points.tolist())
        (root / f"Landmarks/{place}/{sample.stem}_landmarks.txt").write_text(lines)
        if sample.number != sample.last:
            return
        units = "".join(f"   {unit:.7e}   {k:.7e}\n" for unit, k in _UNITS[sample.drawn])
        (root / f"FACS/{place}/{sample.stem}_facs.txt").write_text(units)
        if sample.labeled:
            codes = {label: code for code, label in dataset_facts("ckplus")["codes"].items()}
            text = f"   {codes[sample.drawn]:.7e}\n"
            (root / f"Emotion/{place}/{sample.stem}_emotion.txt").write_text(text)


def _size(sample: Frame) -> tuple[int, int]:
    return SIZES[int(sample.subject[1:]) % _OTHER_SIZE == 0]


def _films(scale: float) -> list[tuple[str, str, str | None]]:
    """List subject, film and label of every film.

    The labeled films fall on people so that the ten folds (people sorted, index modulo 10) have
    the sizes of the real ones; people who are left out at a smaller scale take their films along.
    """
    counts = dataset_facts("ckplus")["counts"]["unsplit"]
    # Rare classes are spread over people first, so that a small scale has them too.
    labels = sorted((name for name in counts if counts[name]), key=lambda name: counts[name])
    left = {label: counts[label] for label in labels}
    people = max(_FEWEST_PEOPLE, round(LABELED_PEOPLE * scale))
    films: list[tuple[str, str, str | None]] = []
    for index in range(LABELED_PEOPLE):
        subject = f"S{index + 5:03d}" if index < 110 else f"S{index + 391:03d}"
        in_fold, rank = divmod(LABELED_PEOPLE - 1 - index % 10, 10)[0] + 1, index // 10
        whole, rest = divmod(FOLDS[index % 10], in_fold)
        number = whole + (rank < rest)
        for film in range(1, number + 1):
            label = max(left, key=lambda name: (left[name] / counts[name], -counts[name]))
            left[label] -= 1
            if index < people:
                films.append((subject, f"{film:03d}", label))
    unlabeled = FILMS - sum(FOLDS)
    subjects = sorted({subject for subject, _, _ in films})
    if people == LABELED_PEOPLE:
        subjects += [f"S{number}" for number in range(895, 895 + PEOPLE - LABELED_PEOPLE)]
    for index in range(max(_FEWEST_UNLABELED, round(unlabeled * scale))):
        films.append(
            (subjects[-1 - index % len(subjects)], f"{11 + index // len(subjects):03d}", None)
        )
    return sorted(films, key=lambda film: film[:2])


def _between(rest: Expression, peak: Expression, share: float) -> Expression:
    """Return the expression part of the way from rest to the peak."""
    return Expression(
        **{
            each.name: (1 - share) * getattr(rest, each.name) + share * getattr(peak, each.name)
            for each in fields(Expression)
        }
    )


def _usage(row: int) -> str:
    """Return a row's Usage: 80, 10 and 10 percent, as pages about the copy say."""
    return {8: "PublicTest", 9: "PrivateTest"}.get(row % 10, "Training")
