"""A synthetic AffectNet in its full and small releases, AffectNet+, and copies that others made.

Layouts, codes and counts: manifests/datasets/affectnet.yaml. Source: Mollahosseini et al. 2019.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import numpy.typing as npt

from ferdata.core.draws import generator
from ferdata.core.labels import CANONICAL
from ferdata.ingesters.affectnet.full import COLUMNS
from ferdata.ingesters.synthetic import (
    ROWS_FOLDER,
    DemoImage,
    DemoWriter,
    register,
    save_image,
    shuffled,
    store_row,
    write_lines,
    write_table,
)
from ferdata.ingesters.synthetic_arrays import keep_image, write_parquet
from ferdata.synth.drawing import CLOSE, SCENE, draw_face
from ferdata.synth.expressions import draw_expression
from ferdata.synth.paint import Pixels

NO_ROW = {
    "train": {8: 33088, 9: 11645, 10: 82414},
    "test": {8: 500, 9: 500, 10: 500},
}
"""Images without an expression by code: none, uncertain, no face [loaders]."""

_SIDES = {"full": 256, "small": 224, "plus": 224, "kaggle": 96, "yolo": 96,
    "code-folders": 224, "cage": 224, "parquet": 96}  # fmt: skip
_DRAWN = 112  # largest side in pixels that is drawn; larger images are enlarged
_FOLDERS = {"happiness": "happy", "sadness": "sad"}
_LISTS = "Manually_Annotated_file_lists"
_SPLIT_FOLDERS = {
    "small": {"train": "train_set", "test": "val_set"},
    "plus": {
        "train": "AffectNet+/human_annotated/train_set",
        "test": "AffectNet+/human_annotated/validation_set",
    },
}


@dataclass(frozen=True)
class _Drawn:
    """A drawn image and its annotation; `points` has the shape (68, 2), in pixels."""

    pixels: Pixels
    points: npt.NDArray[np.float64]
    valence: float
    arousal: float


@register
class AffectNet(DemoWriter[DemoImage]):
    """At scale 1, 414,798 and 5,500 images, 127,147 and 1,500 of them without an expression."""

    name: ClassVar[str] = "affectnet"
    layouts: ClassVar[tuple[str, ...]] = (
        "full",
        "small",
        "plus",
        "kaggle",
        "yolo",
        "code-folders",
        "cage",
        "parquet",
    )
    choices: ClassVar[Mapping[str, Mapping[str, str]]] = {"code-folders": {"codes": "affectnet"}}
    rejects: ClassVar[tuple[str, ...]] = ("None", "Uncertain", "No-Face")

    def plan(self, layout: str, scale: float, seed: int) -> list[DemoImage]:
        """List the images, train first, the codes shuffled within each split."""
        names = self.info.codes
        images: list[DemoImage] = []
        for split, counts in self.info.counts.items():
            wanted = {code: counts[label] for code, label in names.items()}
            if layout in ("full", "plus"):
                wanted |= NO_ROW[split]
            for code in shuffled(wanted, scale, seed, f"affectnet/{split}"):
                place = "unsplit" if layout in ("kaggle", "yolo", "parquet") else split
                stem = f"{split}_{len(images)}"
                images.append(DemoImage(stem, place, names.get(code), code))
        return images

    def folders(self, layout: str) -> Sequence[str]:
        """Return the folders of images and annotation."""
        if layout == "full":
            numbered = [f"Manually_Annotated_Images/{number}" for number in range(1, 6)]
            return [ROWS_FOLDER, _LISTS, *numbered]
        if layout == "parquet":
            return [ROWS_FOLDER]
        if layout == "code-folders":
            return [f"{part}/{code}" for part in ("train", "val") for code in self.info.codes]
        if layout == "cage":
            return [ROWS_FOLDER, "train_set/images", "val_set/images"]
        if layout == "kaggle":
            return [_FOLDERS.get(label, label) for label in CANONICAL]
        if layout == "yolo":
            splits, kinds = [f"YOLO_format/{s}" for s in ("train", "valid", "test")], "labels"
        else:
            splits, kinds = [*_SPLIT_FOLDERS[layout].values()], "annotations"
        return [f"{split}/{kind}" for split in splits for kind in ("images", kinds)]

    def write_image(self, root: Path, layout: str, image: DemoImage, seed: int) -> None:
        """Draw an image and write it with its annotation."""
        drawn = _draw(image, layout, seed)
        number, label = image.stem.rpartition("_")[2], str(image.label)
        if layout == "full":
            name = f"{int(number) % 5 + 1}/{_hash(image)}.jpg"
            save_image(root / "Manually_Annotated_Images" / name, drawn.pixels)
            store_row(root, image, f"{name},{_full_row(image, drawn)}")
        elif layout in _SPLIT_FOLDERS:
            folder = root / _SPLIT_FOLDERS[layout][image.split]
            save_image(folder / f"images/{number}.jpg", drawn.pixels)
            write = _write_npy if layout == "small" else _write_json
            write(folder / "annotations", number, image, drawn)
        elif layout == "parquet":
            keep_image(root, image, drawn.pixels)
        elif layout == "code-folders":
            part = "train" if image.split == "train" else "val"
            save_image(root / f"{part}/{image.code}/{number}.jpg", drawn.pixels)
        elif layout == "cage":
            part = "train_set" if image.split == "train" else "val_set"
            save_image(root / f"{part}/images/{number}.jpg", drawn.pixels)
            text = f"{number},{image.code},{drawn.valence},{drawn.arousal}"
            store_row(root, image, text)
        elif layout == "kaggle":
            save_image(root / _kaggle_path(image), drawn.pixels)
        else:
            part = ("train", "train", "train", "valid", "test")[int(number) % 5]
            folder = root / "YOLO_format" / part
            save_image(folder / f"images/{_hash(image)}.png", drawn.pixels)
            text = f"{CANONICAL.index(label)} 0.5 0.5 0.9 0.9"
            write_lines(folder / f"labels/{_hash(image)}.txt", [text])

    def write_lists(self, root: Path, layout: str, images: Sequence[DemoImage]) -> None:
        """Write the lists of the full release, Kaggle's labels.csv, or the description for YOLO."""
        if layout == "full":
            for split, name in (("train", "training.csv"), ("test", "validation.csv")):
                mine = (image for image in images if image.split == split)
                write_table(root / _LISTS / name, ",".join(COLUMNS), root, mine)
        elif layout == "cage":
            for split, part in (("train", "train"), ("test", "val")):
                table = root / f"{part}_set_annotation_without_lnd.csv"
                mine = (image for image in images if image.split == split)
                write_table(table, "number,exp,val,aro", root, mine)
        elif layout == "parquet":
            names = [_FOLDERS.get(label, label) for label in CANONICAL]
            for part in ("train", "test"):
                rows = [each for each in images if each.stem.startswith(part)]
                table = root / f"data/{part}-00000-of-00001.parquet"
                write_parquet(table, root, rows, _word, names, keep_names=False)
        elif layout == "kaggle":
            lines = [",pth,label,relFCs"]
            for index, image in enumerate(images):
                path = _kaggle_path(image)
                draws = generator(0, f"affectnet/{image.stem}", purpose="demo sure")
                sure = draws.uniform(0.5, 1)
                lines.append(f"{index},{path},{path.partition('/')[0]},{sure:.6f}")
            write_lines(root / "labels.csv", lines)
        elif layout == "yolo":
            names = [_FOLDERS.get(label, label).capitalize() for label in CANONICAL]
            lines = ["train: train/images", "val: valid/images", "nc: 8", f"names: {names}"]
            write_lines(root / "YOLO_format/data.yaml", lines)


def _draw(image: DemoImage, layout: str, seed: int) -> _Drawn:
    """Draw an image, its landmarks, valence and arousal (−2 without an expression)."""
    side = _SIDES[layout]
    draws = generator(seed, f"affectnet/{image.stem}", purpose="demo image")
    expression = draw_expression(image.label or "neutral", draws)
    framing = SCENE if layout == "full" else CLOSE
    face = draw_face(expression, draws, min(side, _DRAWN), framing=framing)
    pixels = face.pixels
    if side > _DRAWN:
        enlarged = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_CUBIC)
        pixels = np.asarray(enlarged, np.uint8)
    points = (face.landmarks.astype(np.float64) + 0.5) * (side / face.pixels.shape[0]) - 0.5
    if image.code > 8:
        return _Drawn(pixels, points, -2.0, -2.0)
    draws = generator(seed, f"affectnet/{image.stem}", purpose="demo affect")
    sign = {"happiness": 1.0, "neutral": 0.0}.get(image.label or "neutral", -1.0)
    valence, arousal = draws.uniform(0.1, 0.9, 2).tolist()
    return _Drawn(pixels, points, round(sign * valence, 4), round(arousal, 4))


def _hash(image: DemoImage) -> str:
    """Return a name like those of the full release: as good as random."""
    return hashlib.sha256(image.stem.encode()).hexdigest()[:40]


def _word(image: DemoImage) -> str:
    return _FOLDERS.get(str(image.label), str(image.label))


def _kaggle_path(image: DemoImage) -> str:
    label = str(image.label)
    return f"{_FOLDERS.get(label, label)}/image{int(image.stem.rpartition('_')[2]):07d}.jpg"


def _full_row(image: DemoImage, drawn: _Drawn) -> str:
    (x1, y1), (x2, y2) = drawn.points.min(axis=0), drawn.points.max(axis=0)
    box = ",".join(str(int(value)) for value in (x1, y1, x2 - x1, y2 - y1))
    marks = ";".join(f"{value:.2f}" for value in drawn.points.reshape(-1).tolist())
    return f"{box},{marks},{image.code},{drawn.valence},{drawn.arousal}"


def _write_npy(folder: Path, number: str, image: DemoImage, drawn: _Drawn) -> None:
    values: dict[str, npt.NDArray[np.generic]] = {
        "exp": np.array(str(image.code)),
        "val": np.array(f"{drawn.valence:.4f}"),
        "aro": np.array(f"{drawn.arousal:.4f}"),
        "lnd": drawn.points.reshape(-1),
    }
    for kind, value in values.items():
        np.save(folder / f"{number}_{kind}.npy", value, allow_pickle=False)


def _write_json(folder: Path, number: str, image: DemoImage, drawn: _Drawn) -> None:
    soft = [0.03] * 8
    if image.code < 8:
        soft[image.code] = 0.79
    annotation = {
        "human-label": image.code,
        "soft-label": soft,
        "subset": 0,
        "meta-data": {
            "valence": drawn.valence,
            "arousal": drawn.arousal,
            "landmark-68": drawn.points.reshape(-1).round(2).tolist(),
        },
    }
    (folder / f"{number}.json").write_bytes(json.dumps(annotation).encode())
