"""Copies: altered test images planted into train, names of copies, labels that differ."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest
from support.audit_rows import face, found, manifest, outcome, put, put_faces, rows, run, saved

from ferdata.audits.copy_names import base_names
from ferdata.audits.copy_pairs import CopyPairs
from ferdata.audits.families import find_families
from ferdata.audits.findings import AuditReport
from ferdata.ingesters.demo import write_demo

KINDS = ("flip", "brighter", "noise", "blur", "resaved", "small", "rotated", "cropped")

NOT_BY_HASH = ("rotated", "cropped")
"""What no hash of the whole image finds; comparing aligned faces does."""


def alter(kind: str, image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Alter an image as offline augmentation does."""
    height, width = image.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 8, 1)
    noisy = image + generator.normal(0, 8, image.shape)
    inner = image[height // 12 : -height // 12, width // 12 : -width // 12]
    return {
        "flip": image[:, ::-1],
        "brighter": cv2.convertScaleAbs(image, alpha=1.15, beta=12),
        "noise": np.clip(noisy, 0, 255).astype(np.uint8),
        "blur": cv2.GaussianBlur(image, (0, 0), 1.2),
        "rotated": cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REPLICATE),
        "cropped": cv2.resize(inner, (width, height)),
        "resaved": image,
        "small": cv2.resize(cv2.resize(image, (48, 48)), (width, height)),
    }[kind]


@pytest.fixture(scope="module")
def planted(
    tmp_path_factory: pytest.TempPathFactory, detectable: Path
) -> tuple[AuditReport, dict[str, str]]:
    """Audit a RAF-DB in whose train split altered test images lie under train names.

    Returns the report, and the kind of each planted sample.
    """
    home = tmp_path_factory.mktemp("planted")
    root = write_demo("rafdb", home / "c", layout="kaggle", scale=0.02, quiet=True).root
    generator = np.random.default_rng(0)
    train = next(path for path in root.rglob("train") if path.is_dir())
    lines, kinds = [], {}
    for number, path in enumerate(sorted(root.rglob("test_*_aligned.jpg"))[:40]):
        kind, code = KINDS[number % len(KINDS)], path.parent.name
        name = f"train_{20001 + number:05d}_aligned.jpg"
        image = alter(kind, cv2.imread(str(path)), generator)
        cv2.imwrite(str(train / code / name), image, [cv2.IMWRITE_JPEG_QUALITY, 85])
        lines.append([name, code])
        kinds[f"rafdb/train_{20001 + number}"] = kind
    with next(root.rglob("train_labels.csv")).open("a", newline="") as file:
        csv.writer(file).writerows(lines)
    _, report = run(root, "--rules", "leak-copy,augmented-before-split", "--workers", "1")
    return report, kinds


def test_no_other_pair_is_named(planted: tuple[AuditReport, dict[str, str]]) -> None:
    report, kinds = planted
    finding = found(report, "leak-copy", "error")
    assert all(set(each.samples) & set(kinds) for each in finding.examples)
    assert finding.count <= 40
    assert found(report, "augmented-before-split").count == finding.count


def test_altered_copies_are_found(planted: tuple[AuditReport, dict[str, str]]) -> None:
    report, kinds = planted
    by_hash = sum(kind not in NOT_BY_HASH for kind in kinds.values())
    assert found(report, "leak-copy").count >= by_hash - 2  # the synthetic faces' noise


def test_every_altered_copy_is_found(planted: tuple[AuditReport, dict[str, str]]) -> None:
    report, kinds = planted
    finding = found(report, "leak-copy")
    assert finding.count == len(kinds) == 40
    assert {name for each in finding.examples for name in each.samples} >= set(kinds)


def test_names_of_copies() -> None:
    marked = {
        "a/train_00001_aligned_aug0.jpg": "train 00001 aligned",
        "aug_flip_test_0001_aligned.jpg": "test 0001 aligned",
        "happy_12_rot-15.png": "happy 12",
        "img (1).png": "img",
        "b-aug-1.png": "b",
        "im_noise2.5.png": "im",
    }
    plain = ["S010_004_00000017.png", "copyright.png", "AF01ANFL.JPG", "darkness 3.png", "2.png"]
    names, bases = base_names(pa.chunked_array([[*marked, *plain]]))
    assert bases.to_pylist()[: len(marked)] == list(marked.values())
    assert bases.to_pylist()[len(marked) :] == names.to_pylist()[len(marked) :]


def test_names_link_only_images_of_one_label_with_their_original() -> None:
    table = manifest(
        [
            {"label": "anger", "uri": "train/a.png"},
            {"label": "anger", "uri": "test/a_flip.png"},
            {"label": "fear", "uri": "train/a_flip.png"},
            {"label": "anger", "uri": "train/b (1).png"},
            {"label": "anger", "uri": "train/b (2).png"},
        ]
    ).table
    families = find_families(table, CopyPairs.none(), searched=False)
    assert families.number.tolist() == [0, 0, 2, 3, 4]
    assert families.named.tolist() == [False, True, False, False, False]


def test_a_build_of_ferdata_is_not_blamed_for_its_marked_copies(tmp_path: Path) -> None:
    copies = [
        {**row, "sample_id": f"own/c{k}", "parent_id": f"own/{k:05d}"}
        for k, row in enumerate(rows(35, "train"))
    ]
    path = saved(tmp_path / "m.parquet", rows(70, "train"), copies, rows(14, "test"))
    code, report = run(path)
    assert code == 0
    assert outcome(report, "augmented-before-split") == "clean"
    assert outcome(report, "offline-copies") == "clean"
    assert report.audited.copies == 35


def test_equal_pixels_with_two_labels(tmp_path: Path) -> None:
    def pixels(number: int) -> str:
        return f"{number % 30:064x}"

    parts = rows(35, "train", pixel_sha256=pixels), rows(14, "test", pixel_sha256=pixels)
    code, report = run(saved(tmp_path / "m.parquet", *parts))
    assert code == 1
    assert found(report, "leak-copy").details["pairs: equal"] == 14
    conflict = found(report, "label-conflict", "warning")
    assert conflict.details["images"] == 5
    assert outcome(report, "offline-copies") == "clean"  # equal, not altered


def test_frames_of_a_sequence_are_no_copies(tmp_path: Path) -> None:
    same = "f" * 60 + "0000"
    frames = rows(2, "train", subject="S1", sequence="1", perceptual_hash=same)
    other = rows(1, "test", subject="S1", sequence="1", perceptual_hash="f" * 60 + "00ff")
    more = rows(1, "test", subject="S2", sequence="1", perceptual_hash="03" + same[2:])
    filler = rows(20, "train", perceptual_hash=lambda k: f"{3 ** (k + 90):064x}"[-64:])
    _, report = run(saved(tmp_path / "m.parquet", frames, other, more, filler))
    assert found(report, "leak-copy").count == 1
    assert "own/00003" in found(report, "leak-copy").examples[0].samples


def test_train_against_test(tmp_path: Path) -> None:
    """Of two folders without splits, one is trained on and the other tested on."""
    put_faces(tmp_path / "one", ".", range(28))
    put_faces(tmp_path / "two", ".", range(40, 54))
    put(tmp_path / "two/happy/copy.png", face(3)[:, ::-1])
    code, report = run(tmp_path / "one", "--against", tmp_path / "two", "--no-faces")
    assert code == 1
    assert report.against is not None
    assert (report.audited.rows, report.against.rows) == (28, 15)
    finding = found(report, "leak-copy")
    assert (finding.count, finding.of) == (1, 15)
    assert finding.examples[0].text.startswith("mirrored")
