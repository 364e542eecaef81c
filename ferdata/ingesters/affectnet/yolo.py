"""AffectNet re-made for YOLO: class ids in alphabetical order, a box for each image."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import yaml

from ferdata.core.labels import CANONICAL
from ferdata.core.rejects import Reject
from ferdata.ingesters.affectnet.rows import NAME, Rows, find_image, to_code
from ferdata.ingesters.class_folders import expression
from ferdata.ingesters.contract import Choices, Layout
from ferdata.ingesters.evidence import Evidence, Sign
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree

_LABEL = re.compile(
    r"(?:(?P<base>.*)/)?(?P<split>train|valid|test)/labels/(?P<stem>[^/]+)\.txt", re.IGNORECASE
)
_SPLITS = ("train", "valid", "test")


def detect(tree: FileTree) -> Iterator[Layout]:
    """Find train/labels and train/images with data.yaml above them."""
    bases: Counter[str] = Counter()
    for path in tree.files:
        if "/labels/" in path and (match := _LABEL.fullmatch(path)):
            bases[match["base"] or ""] += 1
    for base, number in sorted(bases.items()):
        evidence = [Evidence(Sign.FOLDERS, f"{number:,} label files beside images")]
        if _has_eight_classes(tree, f"{base}/data.yaml".lstrip("/")):
            evidence.append(Evidence(Sign.FILE, "data.yaml with AffectNet's eight classes"))
        yield Layout.below(tree, base, NAME, "yolo", *evidence, source="manual")


def read(layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
    """Read the images sorted by split and name.

    The split is the copy's, not the authors'. The box of a label line is relative to the image's
    size, which ingest does not know, and is not read; the images are face crops.
    """
    rows = Rows(layout, choices)
    codes = rows.codes if "codes" in choices else dict(enumerate(CANONICAL))
    files = set(layout.tree.files)
    labels = [match for path in layout.tree.files if (match := _LABEL.fullmatch(path))]
    labels.sort(key=lambda match: (_SPLITS.index(match["split"].lower()), match[0]))
    used = set()
    for match in labels:
        split, stem = match["split"], match["stem"]
        key, image = f"{split}/{stem}", find_image(files, f"{split}/images", stem)
        if image is None:
            yield layout.reject(key, match[0], f"missing image: no {split}/images/{stem}.png")
            continue
        used.add(image)
        code = _code(layout.root / match[0])
        if code not in codes or code is None:
            yield rows.wrong_code(key, image, str(code), "0–7, in alphabetical order")
        else:
            yield rows.labeled(key, image, codes[code], str(code), None, split)
    for path in layout.tree.images():
        if "/images/" in path and path not in used:
            reason = "not in the list: no label file"
            yield layout.reject(path.rpartition(".")[0], path, reason)
    rows.finish()


def _has_eight_classes(tree: FileTree, path: str) -> bool:
    """Say whether data.yaml describes eight classes: those of AffectNet, in alphabetical order."""
    if path not in tree.files:
        return False
    try:
        described = yaml.safe_load((tree.root / path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return False
    described = described if isinstance(described, dict) else {}
    names = described.get("names", ())
    names = list(names.values()) if isinstance(names, dict) else names
    if isinstance(names, list) and names:
        return [expression(str(name)) for name in names] == list(CANONICAL)
    return bool(described.get("nc") == len(CANONICAL))


def _code(path: Path) -> int | None:
    """Return the class id of the first line, None if there is none."""
    try:
        words = path.read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        return None
    return to_code(words[0]) if words else None
