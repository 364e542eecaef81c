"""A synthetic RAF-DB: the basic and the compound part, official tree and copies of others.

Layout, codes, counts and file names: manifests/datasets/rafdb.yaml and rafdb-compound.yaml.
Source: Li, Deng and Du, CVPR 2017; the distribution's readme v1.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import numpy.typing as npt

from ferdata.core.draws import generator
from ferdata.ingesters.rafdb.annotation import SUFFIXES
from ferdata.ingesters.synthetic import (
    ROWS_FOLDER,
    DemoImage,
    DemoWriter,
    register,
    save_image,
    shuffled,
    write_lines,
)
from ferdata.ingesters.synthetic_arrays import keep_image, write_parquet
from ferdata.synth.drawing import SCENE, DrawnFace, draw_face
from ferdata.synth.expressions import Expression, blend_expressions, draw_expression
from ferdata.synth.paint import Pixels

ALIGNED_SIZE = 100
"""Side of an aligned image in pixels [readme]."""

ORIGINAL_SIDES = (150, 400)
"""Shortest and longest side of a drawn original; the real ones vary more."""

# Where eyes and mouth center lie in the aligned images, in pixels. The readme says which points
# were used, not where they are; these were measured in the published images.
_TEMPLATE = np.array([[33.0, 39.0], [67.0, 39.0], [50.0, 76.0]])

_PARTS = ("train", "test")
_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 92]


@register
class RafDb(DemoWriter[DemoImage]):
    """The basic part: seven expressions, 15,339 images at scale 1."""

    name: ClassVar[str] = "rafdb"
    layouts: ClassVar[tuple[str, ...]] = (
        "official",
        "kaggle",
        "imagefolder",
        "class-folders",
        "suffixed",
        "lists",
        "parquet",
    )
    choices: ClassVar[Mapping[str, Mapping[str, str]]] = {"lists": {"codes": "rafdb-0"}}
    part: ClassVar[str] = "basic"
    line_end: ClassVar[str] = "\n"

    def plan(self, layout: str, scale: float, seed: int) -> list[DemoImage]:
        """List all images: train before test, the classes shuffled within each."""
        info = self.info
        images = []
        for split in ("train", "test"):
            labels = shuffled(info.counts[split], scale, seed, f"{self.name}/{split}")
            for number, label in enumerate(labels, start=1):
                stem = f"{split}_{number:0{info.digits[split]}d}"
                images.append(DemoImage(stem, split, label, info.code_of[label]))
        return images

    def folders(self, layout: str) -> Sequence[str]:
        """Return the folders of images and annotation."""
        if layout != "official":
            labels = self.info.codes.items()
            images = [DemoImage("", split, label, code) for split in _PARTS for code, label in
                      labels]  # fmt: skip
            return sorted({str(Path(_place(layout, image)).parent) for image in images})
        annotation = [f"Annotation/{kind}" for kind in SUFFIXES]
        folders = ["EmoLabel", "Image/aligned", "Image/original", *annotation]
        return [f"{self.part}/{folder}" for folder in folders]

    def write_image(self, root: Path, layout: str, image: DemoImage, seed: int) -> None:
        """Draw a photograph, cut the aligned image out of it, and write both with annotation."""
        face = self.draw(image, seed)
        part, aligned = root / self.part, f"{image.stem}_aligned.jpg"
        if layout == "parquet":
            keep_image(root, replace(image, stem=f"{image.stem}_aligned"), align(face))
            return
        if layout != "official":
            save_image(root / _place(layout, image), align(face), options=_JPEG)
            return
        save_image(part / "Image/aligned" / aligned, align(face), options=_JPEG)
        save_image(part / f"Image/original/{image.stem}.jpg", face.pixels, options=_JPEG)
        texts = (manual_annotation(face), auto_annotation(face), box_annotation(face))
        for (kind, suffix), text in zip(SUFFIXES.items(), texts, strict=True):
            path = part / f"Annotation/{kind}/{image.stem}{suffix}"
            path.write_bytes(text.encode("ascii"))

    def write_lists(self, root: Path, layout: str, images: Sequence[DemoImage]) -> None:
        """Write the label list, or Kaggle's two tables."""
        if layout == "kaggle":
            for split in ("train", "test"):
                rows = [f"{i.stem}_aligned.jpg,{i.code}" for i in images if i.split == split]
                write_lines(root / f"{split}_labels.csv", ["image,label", *rows])
        for split in _PARTS:
            mine = [image for image in images if image.split == split]
            if layout == "lists":  # as loaders do that count from 0
                rows = [f"{_place(layout, image)} {image.code - 1}" for image in mine]
                write_lines(root / f"{split}.txt", rows)
            elif layout == "parquet":
                named = [replace(image, stem=f"{image.stem}_aligned") for image in mine]
                path = root / f"data/{split}-00000-of-00001.parquet"
                write_parquet(path, root, named, lambda image: str(image.code))
        if layout != "official":
            return
        path = root / self.part / "EmoLabel" / "list_patition_label.txt"
        path.write_bytes(self.label_list(images).encode("ascii"))

    def label_list(self, images: Sequence[DemoImage]) -> str:
        """Return the label list's text; real copies of the basic part end without a newline."""
        return self.line_end.join(f"{image.stem}.jpg {image.code}" for image in images)

    def draw(self, image: DemoImage, seed: int) -> DrawnFace:
        """Draw the photograph of an image; depends only on the seed and the image's name."""
        draws = generator(seed, f"{self.name}/{image.stem}", purpose="demo image")
        width, height = draws.integers(ORIGINAL_SIDES[0], ORIGINAL_SIDES[1] + 1, 2).tolist()
        expression = self.draw_expression(str(image.label), draws)
        return draw_face(expression, draws, (width, height), framing=SCENE)

    def draw_expression(self, label: str, draws: np.random.Generator) -> Expression:
        """Draw the movements that belong to a label."""
        return draw_expression(label, draws)


@register
class RafDbCompound(RafDb):
    """The compound part: eleven pairs of expressions, 3,954 images at scale 1."""

    name: ClassVar[str] = "rafdb-compound"
    layouts: ClassVar[tuple[str, ...]] = ("official",)
    choices: ClassVar[Mapping[str, Mapping[str, str]]] = {}
    part: ClassVar[str] = "compound"
    line_end: ClassVar[str] = "\r\n"

    def label_list(self, images: Sequence[DemoImage]) -> str:
        """Return the label list's text: CRLF, also after the last line (70,577 bytes in full)."""
        return super().label_list(images) + self.line_end

    def draw_expression(self, label: str, draws: np.random.Generator) -> Expression:
        """Blend the two expressions of a compound."""
        first, second = self.info.soft_labels[label]
        return blend_expressions(first, second, draws, weight=float(draws.uniform(0.4, 0.6)))


def _place(layout: str, image: DemoImage) -> str:
    """Return where an aligned image lies in a copy that others made."""
    name, split, code = f"{image.stem}_aligned", image.split, image.code
    folder = {"anger": "angry", "happiness": "happy", "sadness": "sad"}
    return {
        "kaggle": f"DATASET/{split}/{code}/{name}.jpg",
        "imagefolder": f"raf-db/{'train_set' if split == 'train' else 'val_set'}/{code}/{name}.jpg",
        "class-folders": f"{folder.get(str(image.label), image.label)}/{name}.jpg",
        "suffixed": f"{split}/{name}_{code}.jpg",
        "lists": f"{split}/{name}.jpg",
        "parquet": f"{ROWS_FOLDER}/{name}.png",
    }[layout]


def align(face: DrawnFace) -> Pixels:
    """Cut the aligned image out of a photograph: a similarity from eyes and mouth center.

    Returns:
        uint8 RGB, shape (100, 100, 3).
    """
    points = face.five_points.astype(np.float64)
    source = np.stack((points[0], points[1], points[3:5].mean(axis=0)))
    matrix = similarity(source, _TEMPLATE)
    # Shrinking without smoothing first would alias.
    shrink = 1.0 / float(np.hypot(matrix[0, 0], matrix[1, 0]))
    pixels = face.pixels
    if shrink > 1.2:
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), 0.45 * shrink))
    size = (ALIGNED_SIZE, ALIGNED_SIZE)
    return np.asarray(
        cv2.warpAffine(
            pixels, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    )


def similarity(
    source: npt.NDArray[np.float64], target: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Fit scale, rotation and shift by least squares.

    With points as complex numbers, the fit is the line target = a·source + b.

    Args:
        source: Points, (N, 2).
        target: Their images, (N, 2).

    Returns:
        The matrix, (2, 3).
    """
    z, w = source @ (1.0, 1j), target @ (1.0, 1j)
    centered = z - z.mean()
    a = np.vdot(centered, w - w.mean()) / np.vdot(centered, centered).real
    b = w.mean() - a * z.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def manual_annotation(face: DrawnFace) -> str:
    """Return the text of `…_manu_attri.txt`: five points, then gender, race and age; CRLF."""
    identity = face.identity
    points = [f"{x:.3f}\t{y:.3f}" for x, y in face.five_points.tolist()]
    codes = [str(int(code)) for code in (identity.gender, identity.race, identity.age_group)]
    return "".join(f"{line}\r\n" for line in (*points, *codes))


def auto_annotation(face: DrawnFace) -> str:
    """Return the text of `…_auto_attri.txt`: 37 points, one decimal, CRLF."""
    return "".join(f"{x:.1f}\t{y:.1f}\r\n" for x, y in facepp37(face.landmarks).tolist())


def box_annotation(face: DrawnFace) -> str:
    """Return the text of `…_boundingbox.txt`: four floats, a trailing space, no newline."""
    return "".join(f"{value:.6f} " for value in face.box.tolist())


def facepp37(landmarks: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Derive 37 points like those of Face++ from the 68 of iBUG.

    The order in RAF-DB's own files is not published; this is the order in the synthetic copy, left
    and right as in the image:
    0–7 left brow: outer end, along the upper edge to the inner end (4), back along the lower edge;
    8–15 right brow, its mirror image;
    16–20 left eye: left corner, top, right corner, bottom, pupil; 21–25 right eye, likewise;
    26–30 nose: tip, left wing, right wing, bridge, underside;
    31–36 mouth: left corner, upper lip's top, right corner, lower lip's bottom, upper lip's
    bottom, lower lip's top.

    Args:
        landmarks: iBUG points in pixels, (68, 2).

    Returns:
        Points in pixels, (37, 2).
    """
    points = landmarks.astype(np.float64)
    across = points[42:48].mean(axis=0) - points[36:42].mean(axis=0)
    up = 0.04 * np.array([across[1], -across[0]])
    brows = [
        np.concatenate((line[:1], line[1:4] + up, line[4:], line[3:0:-1] - up))
        for line in (points[17:22], points[26:21:-1])
    ]
    eyes = [
        np.stack((eye[0], eye[1:3].mean(axis=0), eye[3], eye[4:6].mean(axis=0), eye.mean(axis=0)))
        for eye in (points[36:42], points[42:48])
    ]
    nose_and_mouth = points[[30, 31, 35, 27, 33, 48, 51, 54, 57, 62, 66]]
    return np.concatenate((*brows, *eyes, nose_and_mouth))
