"""A synthetic FER+: FER2013's images with invented votes, as csv or in folders.

Layouts and counts: manifests/datasets/ferplus.yaml. Source: Barsoum et al., ICMI 2016.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from ferdata.core.draws import generator
from ferdata.ingesters.fer2013.synthetic import USAGE, draw_crop, write_fer2013
from ferdata.ingesters.ferplus.label_rules import COLUMNS, EMOTIONS
from ferdata.ingesters.lookup import dataset_info
from ferdata.ingesters.synthetic import (
    ROWS_FOLDER,
    DemoImage,
    DemoWriter,
    pixel_text,
    register,
    save_image,
    shuffled,
    store_row,
    write_lines,
)

EXCLUDED = {
    "train": {"no majority": 3423, "not a face": 150, "unknown expression": 76},
    "validation": {"no majority": 367, "not a face": 10, "unknown expression": 13},
    "test": {"no majority": 410, "not a face": 16, "unknown expression": 10},
}
"""Rows that the majority rule excludes, counted in the real votes."""

_UNDECIDED = ((4, 4, 2), (5, 3, 2), (5, 5), (3, 3, 2, 2))
"""Votes without a majority; of the last, the other rules would take more than three labels."""

_FOLDERS = {"train": "FER2013Train", "validation": "FER2013Valid", "test": "FER2013Test"}


@dataclass(frozen=True)
class Voted(DemoImage):
    """One image.

    Attributes:
        file: Its file name; empty for a row that shows no face.
        votes: Ten votes in the order of `COLUMNS`.
        drawn: The expression that is drawn.
    """

    file: str
    votes: tuple[int, ...]
    drawn: str

    @property
    def counts(self) -> str:
        """The votes as cells of a csv."""
        return ",".join(map(str, self.votes))


@register
class FerPlus(DemoWriter[Voted]):
    """35,887 rows at scale 1, with the authors' counts under the majority rule."""

    name: ClassVar[str] = "ferplus"
    layouts: ClassVar[tuple[str, ...]] = ("csv", "folders", "clone")
    rejects: ClassVar[tuple[str, ...]] = ("no majority", "not a face", "unknown expression")

    def plan(self, layout: str, scale: float, seed: int) -> list[Voted]:
        """List the rows block by block, in shuffled order within each."""
        codes = dataset_info("fer2013").code_of
        images: list[Voted] = []
        named = 0
        for split, counts in self.info.counts.items():
            for kind in shuffled(counts | EXCLUDED[split], scale, seed, f"ferplus/{split}"):
                stem = f"{USAGE[split]}_{len(images)}"
                votes = _vote(kind, generator(seed, f"ferplus/{stem}", purpose="demo votes"))
                is_face = kind != "not a face"
                if layout == "folders" and not is_face:
                    continue  # the authors' script writes no image without a name
                drawn = COLUMNS[int(np.argmax(votes[:EMOTIONS]))]
                label = kind if kind in COLUMNS else None
                file = f"fer{named:07d}.png" if is_face else ""
                named += is_face
                code = codes.get(drawn, codes["neutral"])
                images.append(Voted(stem, split, label, code, file, votes, drawn))
        return images

    def folders(self, layout: str) -> Sequence[str]:
        """Return the folders of the images, or the one where rows wait."""
        if layout == "csv":
            return [ROWS_FOLDER]
        above = "data/" if layout == "clone" else ""
        return [f"{above}{folder}" for folder in _FOLDERS.values()]

    def write_image(self, root: Path, layout: str, image: Voted, seed: int) -> None:
        """Draw a crop; keep it as a row, or write it as a PNG."""
        pixels = draw_crop(f"ferplus/{image.stem}", image.drawn, seed)
        if layout == "csv":
            store_row(root, image, pixel_text(pixels))
        elif image.file:
            above = root / "data" if layout == "clone" else root
            save_image(above / _FOLDERS[image.split] / image.file, pixels, gray=True)

    def write_lists(self, root: Path, layout: str, images: Sequence[Voted]) -> None:
        """Write the votes, and FER2013's table if it contains the images."""
        if layout == "csv":
            write_fer2013(root, images)
        if layout in ("csv", "clone"):
            header = ",".join(("Usage", "Image name", *COLUMNS))
            rows = [f"{USAGE[each.split]},{each.file},{each.counts}" for each in images]
            write_lines(root / "fer2013new.csv", [header, *rows])
        if layout == "csv":
            return
        above = root / "data" if layout == "clone" else root
        for split, folder in _FOLDERS.items():
            mine = (each for each in images if each.split == split and each.file)
            rows = [f'{each.file},"(0, 0, 48, 48)",{each.counts}' for each in mine]
            write_lines(above / folder / "label.csv", rows)


def _vote(kind: str, draws: np.random.Generator) -> tuple[int, ...]:
    """Draw ten votes of which the majority rule makes a given kind of decision."""
    votes = np.zeros(len(COLUMNS), dtype=int)
    others = draws.permutation(EMOTIONS)
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
