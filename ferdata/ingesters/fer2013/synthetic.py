"""A synthetic FER2013: gray crops of 48×48, as csv, files, arrays or rows.

Layouts, codes and counts: manifests/datasets/fer2013.yaml. Source: Goodfellow et al. 2013.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from ferdata.core.draws import generator
from ferdata.ingesters.synthetic import (
    ROWS_FOLDER,
    DemoImage,
    DemoWriter,
    pixel_text,
    register,
    save_image,
    shuffled,
    store_row,
    write_table,
)
from ferdata.ingesters.synthetic_arrays import keep_image, write_arrays, write_parquet
from ferdata.synth.drawing import draw_face
from ferdata.synth.expressions import draw_expression
from ferdata.synth.paint import Pixels

SIDE = 48

USAGE = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}

_FOLDERS = {"anger": "angry", "happiness": "happy", "sadness": "sad"}
_NAMES = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
_ALPHABETICAL = {name: code for code, name in enumerate(_NAMES)}


@register
class Fer2013(DemoWriter[DemoImage]):
    """35,887 images at scale 1, in blocks of Training, PublicTest and PrivateTest."""

    name: ClassVar[str] = "fer2013"
    layouts: ClassVar[tuple[str, ...]] = (
        "csv",
        "icml",
        "train",
        "kaggle",
        "class-folders",
        "code-folders",
        "arrays",
        "parquet",
    )
    choices: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "code-folders": {"codes": "alphabetical"},
        "arrays": {"codes": "fer2013"},
    }

    def plan(self, layout: str, scale: float, seed: int) -> list[DemoImage]:
        """List the images block by block, the classes shuffled within each."""
        codes = self.info.code_of
        return [
            DemoImage(
                f"{USAGE[split]}_{number}",
                "unsplit" if layout == "class-folders" else split,
                label,
                codes[label],
            )
            for split, counts in self.info.counts.items()
            if layout != "train" or split == "train"
            for number, label in enumerate(shuffled(counts, scale, seed, f"fer2013/{split}"))
        ]

    def folders(self, layout: str) -> Sequence[str]:
        """Return the class folders, or the one where rows wait."""
        if layout in ("csv", "icml", "train", "arrays", "parquet"):
            return [ROWS_FOLDER]
        if layout == "code-folders":
            return [f"{part}/{code}" for part in ("train", "test") for code in self.info.codes]
        above = ("train/", "test/") if layout == "kaggle" else ("images/",)
        labels = self.info.code_of
        return [f"{split}{_FOLDERS.get(label, label)}" for split in above for label in labels]

    def write_image(self, root: Path, layout: str, image: DemoImage, seed: int) -> None:
        """Draw a crop; keep it as a row, or write it as a JPEG."""
        pixels = draw_crop(f"fer2013/{image.stem}", str(image.label), seed)
        folder = _FOLDERS.get(str(image.label), str(image.label))
        if layout == "kaggle":
            part = "train" if image.split == "train" else "test"
            save_image(root / part / folder / f"{image.stem}.jpg", pixels, gray=True)
        elif layout == "code-folders":
            part, code = "train" if image.split == "train" else "test", _ALPHABETICAL[folder]
            save_image(root / part / str(code) / f"{image.stem}.jpg", pixels, gray=True)
        elif layout in ("arrays", "parquet"):
            keep_image(root, image, pixels, gray=True)
        elif layout == "class-folders":
            name = f"im_{image.stem.replace('_', '')}.jpg"
            save_image(root / "images" / folder / name, pixels, gray=True)
        else:
            store_row(root, image, pixel_text(pixels))

    def write_lists(self, root: Path, layout: str, images: Sequence[DemoImage]) -> None:
        """Write the table; the contest's copy has spaces in its header and the pixels last."""
        if layout == "csv":
            write_fer2013(root, images)
        elif layout == "icml":
            write_table(
                root / "icml_face_data.csv",
                "emotion, Usage, pixels",
                root,
                images,
                lambda image, text: f"{image.code},{USAGE[image.split]},{text}",
            )
        elif layout == "train":
            table = root / "train.csv"
            write_table(
                table, "emotion,pixels", root, images, lambda image, text: f"{image.code},{text}"
            )
        elif layout == "arrays":
            blocks = {
                usage: [image for image in images if image.split == split]
                for split, usage in USAGE.items()
            }
            write_arrays(root / "data.h5", root, blocks, self.info.code_of)
        elif layout == "parquet":
            names = sorted(_FOLDERS.get(label, label) for label in self.info.code_of)
            for part, test in (("train", False), ("test", True)):
                mine = [each for each in images if each.stem.startswith("Training") != test]
                write_parquet(
                    root / f"data/{part}-00000-of-00001.parquet",
                    root,
                    mine,
                    lambda image: _FOLDERS.get(str(image.label), str(image.label)),
                    names,
                )


def write_fer2013(root: Path, images: Iterable[DemoImage]) -> None:
    """Write fer2013.csv from the stored rows."""
    write_table(
        root / "fer2013.csv",
        "emotion,pixels,Usage",
        root,
        images,
        lambda image, text: f"{image.code},{text},{USAGE[image.split]}",
    )


def draw_crop(name: str, label: str, seed: int) -> Pixels:
    """Draw a face crop of FER2013's size; depends only on the seed and the name."""
    draws = generator(seed, name, purpose="demo image")
    return draw_face(draw_expression(label, draws), draws, SIDE).pixels
