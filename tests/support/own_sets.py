"""Sets of one's own as they lie about: tiny images of noise, in one place and shape each."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

CODES = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
"""The order of FER2013, which most codes that lie about are in."""

WORDS = ("angry", "disgusted", "scared", "happy", "sad", "suprise", "calm")


@dataclass(frozen=True)
class Own:
    """One image of the set."""

    number: int
    code: int
    split: str
    pixels: np.ndarray

    @property
    def png(self) -> bytes:
        return cv2.imencode(".png", self.pixels)[1].tobytes()

    @property
    def person(self) -> str:
        return f"{self.split}{self.number % 9}"


def own_images(count: int = 42) -> list[Own]:
    """Return gray images of noise, a third of them in test, each class equally often."""
    noise = np.random.default_rng(5)
    return [
        Own(
            number,
            number % 7,
            ("train", "train", "test")[number // 7 % 3],
            noise.integers(0, 256, (24, 24), dtype=np.uint8),
        )
        for number in range(count)
    ]


def write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def code_folders(root: Path, images: list[Own]) -> None:
    for each in images:
        write(root / each.split / str(each.code) / f"{each.number}.png", each.png)


def word_folders(root: Path, images: list[Own]) -> None:
    for each in images:
        write(root / each.split / WORDS[each.code] / f"{each.number}.png", each.png)


def lists(root: Path, images: list[Own]) -> None:
    for each in images:
        write(root / f"images/{each.number}.png", each.png)
    for split in ("train", "test"):
        lines = [
            f"images/{each.number}.png {each.code}\n" for each in images if each.split == split
        ]
        (root / f"{split}.txt").write_text("".join(lines))


def table(root: Path, images: list[Own]) -> None:
    for each in images:
        write(root / f"pictures/{each.number}.png", each.png)
    rows = [
        [f"pictures\\{each.number}.png", WORDS[each.code], each.person, each.split]
        for each in images
    ]
    with (root / "labels.csv").open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file, delimiter=";").writerows([["File", "Emotion", "Person", "Fold"], *rows])


def json_lines(root: Path, images: list[Own]) -> None:
    rows = []
    for each in images:
        write(root / f"{each.number}.png", each.png)
        rows.append({"file_name": f"{each.number}.png", "label": each.code, "split": each.split})
    (root / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))


def parquet(root: Path, images: list[Own]) -> None:
    feature = {"label": {"names": list(CODES), "_type": "ClassLabel"}}
    metadata = {"huggingface": json.dumps({"info": {"features": feature}})}
    (root / "data").mkdir(parents=True)
    for split in ("train", "test"):
        part = [each for each in images if each.split == split]
        rows = pa.table(
            {
                "image": [{"bytes": each.png, "path": None} for each in part],
                "label": [each.code for each in part],
            }
        ).replace_schema_metadata(metadata)
        pq.write_table(rows, root / f"data/{split}-00000-of-00001.parquet", row_group_size=5)


def arrays(root: Path, images: list[Own]) -> None:
    root.mkdir(parents=True)
    with h5py.File(root / "data.h5", "w") as file:
        for split, name in (("train", "Training"), ("test", "PrivateTest")):
            part = [each for each in images if each.split == split]
            file[f"{name}_pixel"] = np.stack([each.pixels for each in part])
            file[f"{name}_label"] = [each.code for each in part]


@dataclass(frozen=True)
class Shape:
    """How a set lies on the disk, and its declaration without a name."""

    write: Callable[[Path, list[Own]], None]
    source: str
    labels: str = ""

    def declaration(self, name: str) -> str:
        return "\n".join([f"name: {name}", self.source, self.labels, "framing: crop", ""])


SHAPES = {
    "code-folders": Shape(code_folders, "images: '{split}/{label}/*.png'", "labels: fer2013"),
    "word-folders": Shape(word_folders, "images: '{split}/{label}/*.png'"),
    "lists": Shape(lists, "table: {file: '{split}.txt', path: 1, label: 2}", "labels: fer2013"),
    "table": Shape(
        table,
        "table: {file: labels.csv, path: file, label: emotion, subject: person, split: fold}",
    ),
    "json-lines": Shape(
        json_lines,
        "table: {file: metadata.jsonl, path: file_name, label: label, split: split}",
        "labels: {0: anger, 1: disgust, 2: fear, 3: happy, 4: sad, 5: surprise, 6: neutral}",
    ),
    "parquet": Shape(
        parquet, "table: {file: 'data/{split}-*.parquet', image: image, label: label}"
    ),
    "arrays": Shape(
        arrays,
        "table: {file: data.h5, image: '{split}_pixel', label: '{split}_label'}",
        "labels: fer2013",
    ),
}
