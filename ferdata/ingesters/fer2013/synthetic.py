"""A synthetic FER2013: gray crops of 48×48, as csv or as files.

Layouts, codes and counts: manifests/datasets/fer2013.yaml. Source: Goodfellow et al. 2013.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import cv2

from ferdata.core.draws import generator
from ferdata.ingesters.synthetic import DemoWriter, Sample, dataset_facts, register, scaled_count
from ferdata.ingesters.synthetic_table import ROWS_FOLDER, store_row, write_table
from ferdata.synth.drawing import draw_face
from ferdata.synth.expressions import draw_expression
from ferdata.synth.paint import Pixels

SIDE = 48

USAGE = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}

_TABLES = {"csv": "fer2013.csv", "icml": "icml_face_data.csv"}
_FOLDERS = {
    "anger": "angry",
    "happiness": "happy",
    "sadness": "sad",
}


@register
class Fer2013(DemoWriter):
    """35,887 images at scale 1, in blocks of Training, PublicTest and PrivateTest."""

    name: ClassVar[str] = "fer2013"
    layouts: ClassVar[tuple[str, ...]] = ("csv", "icml", "kaggle", "class-folders")

    def plan(self, layout: str, scale: float, seed: int) -> list[Sample]:
        """List the images block by block, the classes shuffled within each."""
        info = dataset_facts(self.name)
        codes = {label: int(code) for code, label in info["codes"].items()}
        samples: list[Sample] = []
        for split, counts in info["counts"].items():
            labels = [label for label in counts for _ in range(scaled_count(counts[label], scale))]
            order = generator(seed, f"fer2013/{split}", purpose="demo order")
            for number, index in enumerate(order.permutation(len(labels)).tolist()):
                label = labels[index]
                stem = f"{USAGE[split]}_{number}"
                place = "unsplit" if layout == "class-folders" else split
                samples.append(Sample(stem, place, label, codes[label]))
        return samples

    def folders(self, layout: str) -> Sequence[str]:
        """Name the class folders, or the one where rows wait."""
        if layout in _TABLES:
            return [ROWS_FOLDER]
        labels = dataset_facts(self.name)["codes"].values()
        above = ("train/", "test/") if layout == "kaggle" else ("images/",)
        return [f"{split}{_FOLDERS.get(label, label)}" for split in above for label in labels]

    def write_sample(self, root: Path, layout: str, sample: Sample, seed: int) -> None:
        """Draw a crop; keep it as a row, or write it as a JPEG."""
        pixels = draw_crop(f"fer2013/{sample.stem}", str(sample.label), seed)
        if layout in _TABLES:
            store_row(root, sample, pixels)
            return
        folder = _FOLDERS.get(str(sample.label), str(sample.label))
        if layout == "kaggle":
            part = "train" if sample.split == "train" else "test"
            path = root / part / folder / f"{sample.stem}.jpg"
        else:
            path = root / "images" / folder / f"im_{sample.stem.replace('_', '')}.jpg"
        _, data = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))
        path.write_bytes(data.tobytes())

    def write_lists(self, root: Path, layout: str, samples: Sequence[Sample]) -> None:
        """Write the table; the contest's copy has blanks in its header and the pixels last."""
        if layout == "csv":
            write_fer2013(root / _TABLES[layout], samples)
        elif layout == "icml":
            write_table(
                root / _TABLES[layout],
                "emotion, Usage, pixels",
                samples,
                lambda sample, text: f"{sample.code},{USAGE[sample.split]},{text}",
            )


def write_fer2013(path: Path, samples: Sequence[Sample]) -> None:
    """Write fer2013.csv."""
    write_table(
        path,
        "emotion,pixels,Usage",
        samples,
        lambda sample, text: f"{sample.code},{text},{USAGE[sample.split]}",
    )


def draw_crop(name: str, label: str, seed: int) -> Pixels:
    """Draw a face crop of FER2013's size, as a function of the seed and the name."""
    draws = generator(seed, name, purpose="demo image")
    return draw_face(draw_expression(label, draws), draws, SIDE).pixels
