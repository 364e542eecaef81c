"""A synthetic FER+: FER2013's images with invented votes, as csv or in folders.

Layouts and counts: manifests/datasets/ferplus.yaml. Source: Barsoum et al., ICMI 2016.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np

from ferdata.core.draws import generator
from ferdata.ingesters.fer2013.synthetic import USAGE, draw_crop, write_fer2013
from ferdata.ingesters.synthetic import DemoWriter, Sample, dataset_facts, register, scaled_count
from ferdata.ingesters.synthetic_table import ROWS_FOLDER, store_row

COLUMNS = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "NF",
)

LEFT_OUT = {
    "train": {"no majority": 3423, "not a face": 150, "unknown expression": 76},
    "validation": {"no majority": 367, "not a face": 10, "unknown expression": 13},
    "test": {"no majority": 410, "not a face": 16, "unknown expression": 10},
}
"""Rows that the majority rule leaves out, counted in the real votes."""

_UNDECIDED = ((4, 4, 2), (5, 3, 2), (5, 5), (3, 3, 2, 2))
"""Votes without a majority; of the last, the other rules would take more than three labels."""

_FOLDERS = {"train": "FER2013Train", "validation": "FER2013Valid", "test": "FER2013Test"}


@dataclass(frozen=True)
class Voted(Sample):
    """One image.

    Attributes:
        image: Its file name; empty for a row that shows no face.
        votes: Ten votes in the order of `COLUMNS`.
        drawn: The expression that is drawn.
    """

    image: str
    votes: tuple[int, ...]
    drawn: str


@register
class FerPlus(DemoWriter):
    """35,887 rows at scale 1, with the authors' counts under the majority rule."""

    name: ClassVar[str] = "ferplus"
    layouts: ClassVar[tuple[str, ...]] = ("csv", "folders")
    rejects: ClassVar[tuple[str, ...]] = ("no majority", "not a face", "unknown expression")

    def plan(self, layout: str, scale: float, seed: int) -> list[Sample]:
        """List the rows block by block, in shuffled order within each."""
        info = dataset_facts(self.name)
        codes = {label: code for code, label in dataset_facts("fer2013")["codes"].items()}
        samples: list[Sample] = []
        named = 0
        for split, counts in info["counts"].items():
            wanted = counts | LEFT_OUT[split]
            kinds = [kind for kind in wanted for _ in range(scaled_count(wanted[kind], scale))]
            order = generator(seed, f"ferplus/{split}", purpose="demo order")
            for index in order.permutation(len(kinds)).tolist():
                kind, stem = kinds[index], f"{USAGE[split]}_{len(samples)}"
                draws = generator(seed, f"ferplus/{stem}", purpose="demo votes")
                votes = _vote(kind, draws)
                is_face = kind != "not a face"
                if layout == "folders" and not is_face:
                    continue  # the authors' script writes no image without a name
                drawn = COLUMNS[int(np.argmax(votes[:8]))]
                label = kind if kind in COLUMNS else None
                image = f"fer{named:07d}.png" if is_face else ""
                named += is_face
                code = int(codes.get(drawn, codes["neutral"]))
                samples.append(Voted(stem, split, label, code, image, votes, drawn))
        return samples

    def folders(self, layout: str) -> Sequence[str]:
        """Name the folders of the images, or the one where rows wait."""
        return [ROWS_FOLDER] if layout == "csv" else list(_FOLDERS.values())

    def write_sample(self, root: Path, layout: str, sample: Sample, seed: int) -> None:
        """Draw a crop; keep it as a row, or write it as a PNG."""
        if not isinstance(sample, Voted):
            raise TypeError(f"{sample} was not planned by this writer")
        pixels = draw_crop(f"ferplus/{sample.stem}", sample.drawn, seed)
        if layout == "csv":
            store_row(root, sample, pixels)
            return
        _, data = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))
        (root / _FOLDERS[sample.split] / sample.image).write_bytes(data.tobytes())

    def write_lists(self, root: Path, layout: str, samples: Sequence[Sample]) -> None:
        """Write the votes, and FER2013's table where the images are in it."""
        voted = [sample for sample in samples if isinstance(sample, Voted)]
        if layout == "csv":
            write_fer2013(root / "fer2013.csv", samples)
            lines = [
                f"{USAGE[sample.split]},{sample.image},{','.join(map(str, sample.votes))}"
                for sample in voted
            ]
            header = ",".join(("Usage", "Image name", *COLUMNS))
            _write(root / "fer2013new.csv", [header, *lines])
            return
        for split, folder in _FOLDERS.items():
            lines = [
                f'{sample.image},"(0, 0, 48, 48)",{",".join(map(str, sample.votes))}'
                for sample in voted
                if sample.split == split
            ]
            _write(root / folder / "label.csv", lines)


def _vote(kind: str, draws: np.random.Generator) -> tuple[int, ...]:
    """Let ten viewers vote so that the majority rule finds just this."""
    votes = np.zeros(len(COLUMNS), dtype=int)
    others = draws.permutation(8)
    if kind == "not a face":
        votes[9] = 10
    elif kind == "no majority":
        shares = _UNDECIDED[int(draws.integers(len(_UNDECIDED)))]
        votes[others[: len(shares)]] = shares
    elif kind == "unknown expression":
        votes[8], votes[others[0]] = 7, 3
    else:
        winner = COLUMNS.index(kind)
        votes[winner] = int(draws.integers(6, 11))
        second = next(int(other) for other in others if other != winner)
        votes[second] += 10 - votes[winner]
    return tuple(votes.tolist())


def _write(path: Path, lines: Sequence[str]) -> None:
    path.write_bytes(("\n".join(lines) + "\n").encode("ascii"))
