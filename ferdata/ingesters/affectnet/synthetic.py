"""A synthetic AffectNet in its full and small releases, AffectNet+, and two re-made copies.

Layouts, codes and counts: manifests/datasets/affectnet.yaml. Source: Mollahosseini et al. 2019.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import numpy.typing as npt

from ferdata.core.draws import generator
from ferdata.ingesters.synthetic import DemoWriter, Sample, dataset_facts, register, scaled_count
from ferdata.synth.drawing import CLOSE, SCENE, DrawnFace, draw_face
from ferdata.synth.expressions import draw_expression

NO_ROW = {
    "train": {8: 33088, 9: 11645, 10: 82414},
    "test": {8: 500, 9: 500, 10: 500},
}
"""Images without an expression by code: none, uncertain, no face [loaders]."""

_SIDES = {"full": 256, "small": 224, "plus": 224, "kaggle": 96, "yolo": 96}
_DRAWN = 112  # pixels a side at most that are drawn; larger pictures are enlarged
_ALPHABETICAL = sorted(
    ("anger", "contempt", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
)
_FOLDERS = {"happiness": "happy", "sadness": "sad"}
_HEADER = (
    "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,"
    "expression,valence,arousal"
)
_ROWS = ".rows"


@register
class AffectNet(DemoWriter):
    """At scale 1, 414,798 and 5,500 images, 127,147 and 1,500 of them without an expression."""

    name: ClassVar[str] = "affectnet"
    layouts: ClassVar[tuple[str, ...]] = ("full", "small", "plus", "kaggle", "yolo")
    rejects: ClassVar[tuple[str, ...]] = ("None", "Uncertain", "No-Face")

    def plan(self, layout: str, scale: float, seed: int) -> list[Sample]:
        """List the images, train first, the codes shuffled within each split."""
        info = dataset_facts(self.name)
        names = {int(code): label for code, label in info["codes"].items()}
        samples: list[Sample] = []
        for split, counts in info["counts"].items():
            wanted = {code: counts[label] for code, label in names.items()}
            if layout in ("full", "plus"):
                wanted |= NO_ROW[split]
            codes = [code for code in wanted for _ in range(scaled_count(wanted[code], scale))]
            order = generator(seed, f"affectnet/{split}", purpose="demo order")
            for index in order.permutation(len(codes)).tolist():
                code, number = codes[index], len(samples)
                place = split if layout in ("full", "small", "plus") else "unsplit"
                stem = f"{split}_{number}"
                samples.append(Sample(stem, place, names.get(code), code))
        return samples

    def folders(self, layout: str) -> Sequence[str]:
        """Name the folders of images and annotations."""
        if layout == "full":
            return [_ROWS, "Manually_Annotated_file_lists"] + [
                f"Manually_Annotated_Images/{number}" for number in range(1, 6)
            ]
        if layout in ("small", "plus"):
            return [
                f"{self._base(layout)}{folder}/{kind}"
                for folder in self._split_folders(layout).values()
                for kind in ("images", "annotations")
            ]
        if layout == "kaggle":
            return [_FOLDERS.get(label, label) for label in _ALPHABETICAL]
        return [
            f"YOLO_format/{split}/{kind}"
            for split in ("train", "valid", "test")
            for kind in ("images", "labels")
        ]

    def write_sample(self, root: Path, layout: str, sample: Sample, seed: int) -> None:
        """Draw an image and write it with its annotation."""
        side = _SIDES[layout]
        face, pixels = self._draw(sample, side, seed, scene=layout == "full")
        scale = side / face.pixels.shape[0]
        points = (face.landmarks.astype(np.float64) + 0.5) * scale - 0.5
        valence, arousal = self._affect(sample, seed)
        if layout == "full":
            self._write_full(root, sample, pixels, points, (valence, arousal))
        elif layout == "small":
            folder, stem = root / self._split_folders(layout)[sample.split], _number(sample)
            _write_image(folder / f"images/{stem}.jpg", pixels)
            for kind, value in (
                ("exp", np.array(str(sample.code))),
                ("val", np.array(f"{valence:.4f}")),
                ("aro", np.array(f"{arousal:.4f}")),
                ("lnd", points.reshape(-1)),
            ):
                _write_npy(folder / f"annotations/{stem}_{kind}.npy", value)
        elif layout == "plus":
            self._write_plus(root, sample, pixels, points, (valence, arousal))
        elif layout == "kaggle":
            label = str(sample.label)
            _write_image(
                root / _FOLDERS.get(label, label) / f"image{int(_number(sample)):07d}.jpg", pixels
            )
        else:
            folder = root / "YOLO_format" / _yolo_split(sample)
            _write_image(folder / f"images/{_hash(sample)}.png", pixels)
            code = _ALPHABETICAL.index(str(sample.label))
            (folder / f"labels/{_hash(sample)}.txt").write_text(f"{code} 0.5 0.5 0.9 0.9\n")

    def write_lists(self, root: Path, layout: str, samples: Sequence[Sample]) -> None:
        """Write the lists of the full release, Kaggle's labels.csv, or the description for YOLO."""
        if layout == "full":
            lists = root / "Manually_Annotated_file_lists"
            for split, name in (("train", "training.csv"), ("test", "validation.csv")):
                rows = [
                    (root / _ROWS / f"{sample.stem}.txt").read_text()
                    for sample in samples
                    if sample.split == split
                ]
                (lists / name).write_text("\n".join([_HEADER, *rows]) + "\n")
            for sample in samples:
                (root / _ROWS / f"{sample.stem}.txt").unlink()
            (root / _ROWS).rmdir()
        elif layout == "kaggle":
            lines = [",pth,label,relFCs"]
            for index, sample in enumerate(samples):
                label = _FOLDERS.get(str(sample.label), str(sample.label))
                path = f"{label}/image{int(_number(sample)):07d}.jpg"
                sure = generator(0, f"affectnet/{sample.stem}", purpose="demo sure").uniform(0.5, 1)
                lines.append(f"{index},{path},{label},{sure:.6f}")
            (root / "labels.csv").write_text("\n".join(lines) + "\n")
        elif layout == "yolo":
            names = [_FOLDERS.get(label, label).capitalize() for label in _ALPHABETICAL]
            text = f"train: train/images\nval: valid/images\nnc: 8\nnames: {names}\n"
            (root / "YOLO_format/data.yaml").write_text(text)

    def _base(self, layout: str) -> str:
        return "AffectNet+/human_annotated/" if layout == "plus" else ""

    def _split_folders(self, layout: str) -> dict[str, str]:
        test = "validation_set" if layout == "plus" else "val_set"
        return {"train": "train_set", "test": test}

    def _draw(
        self, sample: Sample, side: int, seed: int, *, scene: bool
    ) -> tuple[DrawnFace, npt.NDArray[np.uint8]]:
        draws = generator(seed, f"affectnet/{sample.stem}", purpose="demo image")
        expression = draw_expression(sample.label or "neutral", draws)
        framing = SCENE if scene else CLOSE
        face = draw_face(expression, draws, min(side, _DRAWN), framing=framing)
        if side <= _DRAWN:
            return face, face.pixels
        enlarged = cv2.resize(face.pixels, (side, side), interpolation=cv2.INTER_CUBIC)
        return face, np.asarray(enlarged, np.uint8)

    def _affect(self, sample: Sample, seed: int) -> tuple[float, float]:
        """Draw valence and arousal; −2 where there is no expression to annotate."""
        if sample.code > 8:
            return -2.0, -2.0
        draws = generator(seed, f"affectnet/{sample.stem}", purpose="demo affect")
        sign = {"happiness": 1.0, "neutral": 0.0}.get(sample.label or "neutral", -1.0)
        valence, arousal = draws.uniform(0.1, 0.9, 2).tolist()
        return round(sign * valence, 4), round(arousal, 4)

    def _write_full(
        self,
        root: Path,
        sample: Sample,
        pixels: npt.NDArray[np.uint8],
        points: npt.NDArray[np.float64],
        affect: tuple[float, float],
    ) -> None:
        name = f"{int(_number(sample)) % 5 + 1}/{_hash(sample)}.jpg"
        _write_image(root / "Manually_Annotated_Images" / name, pixels)
        (x1, y1), (x2, y2) = points.min(axis=0), points.max(axis=0)
        box = ",".join(str(int(value)) for value in (x1, y1, x2 - x1, y2 - y1))
        marks = ";".join(f"{value:.2f}" for value in points.reshape(-1).tolist())
        row = f"{name},{box},{marks},{sample.code},{affect[0]},{affect[1]}"
        (root / _ROWS / f"{sample.stem}.txt").write_text(row)

    def _write_plus(
        self,
        root: Path,
        sample: Sample,
        pixels: npt.NDArray[np.uint8],
        points: npt.NDArray[np.float64],
        affect: tuple[float, float],
    ) -> None:
        folder = root / self._base("plus") / self._split_folders("plus")[sample.split]
        _write_image(folder / f"images/{_number(sample)}.jpg", pixels)
        soft = [0.03] * 8
        if sample.code < 8:
            soft[sample.code] = 0.79
        record = {
            "human-label": sample.code,
            "soft-label": soft,
            "subset": 0,
            "meta-data": {
                "valence": affect[0],
                "arousal": affect[1],
                "landmark-68": points.reshape(-1).round(2).tolist(),
            },
        }
        (folder / f"annotations/{_number(sample)}.json").write_text(json.dumps(record))


def _number(sample: Sample) -> str:
    return sample.stem.rpartition("_")[2]


def _hash(sample: Sample) -> str:
    """Return a name like those of the full release: as good as random."""
    return hashlib.sha256(sample.stem.encode()).hexdigest()[:40]


def _yolo_split(sample: Sample) -> str:
    return ("train", "train", "train", "valid", "test")[int(_number(sample)) % 5]


def _write_image(path: Path, pixels: npt.NDArray[np.uint8]) -> None:
    _, data = cv2.imencode(path.suffix, cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    path.write_bytes(data.tobytes())


def _write_npy(path: Path, values: npt.NDArray[np.generic]) -> None:
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=False)
    path.write_bytes(buffer.getvalue())
