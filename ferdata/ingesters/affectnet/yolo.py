"""AffectNet re-made for YOLO: class ids in alphabetical order, a box for each image."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ferdata.core.delimited import read_words, whole_number
from ferdata.core.errors import AnnotationError
from ferdata.core.labels import CANONICAL
from ferdata.core.rejects import Reject
from ferdata.ingesters.affectnet.rows import NAME, Rows, find_image
from ferdata.ingesters.contract import Choices, Layout
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
        described = f"{base}/data.yaml".lstrip("/") in tree.files
        evidence = f"{number:,} label files beside images" + (", data.yaml" if described else "")
        confidence = 0.9 if described else 0.4
        yield Layout.below(tree, base, NAME, "yolo", confidence, evidence, source="manual")


def read(layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
    """Read the images sorted by split and name.

    The split is the copy's, not the authors'. The box of a label line is relative to the image's
    size, which ingest does not know, and is not read; the images are face crops.
    """
    rows = Rows(layout, choices)
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
        code = _code(layout.use(match[0]))
        if code is None or not 0 <= code < len(CANONICAL):
            yield rows.wrong_code(key, image, str(code), "0–7, in alphabetical order")
        else:
            yield rows.labeled(key, image, CANONICAL[code], str(code), None, split)
    for path in layout.tree.images():
        if "/images/" in path and path not in used:
            reason = "not in the list: no label file"
            yield layout.reject(path.rpartition(".")[0], path, reason)
    rows.finish()


def _code(path: Path) -> int | None:
    """Return the class id of the first line, None if there is none."""
    try:
        words = read_words(path)
    except AnnotationError:
        return None
    return whole_number(words[0]) if words else None
