"""AffectNet re-made for YOLO: class ids in alphabetical order, a box for each image."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ferdata.core.labels import CANONICAL
from ferdata.core.manifest import Reject
from ferdata.ingesters.affectnet.rows import NAME, Rows, to_code
from ferdata.ingesters.contract import Choices, Layout, reject
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree

_LABEL = re.compile(
    r"(?:(?P<base>.*)/)?(?P<split>train|valid|test)/labels/(?P<stem>[^/]+)\.txt", re.IGNORECASE
)
_SPLITS = ("train", "valid", "test")
_ENDINGS = (".png", ".jpg", ".jpeg")


def detect(tree: FileTree) -> list[Layout]:
    """Find train/labels and train/images with data.yaml above them."""
    bases: dict[str, int] = {}
    for path in tree.files:
        if "/labels/" in path and (match := _LABEL.fullmatch(path)):
            base = match["base"] or ""
            bases[base] = bases.get(base, 0) + 1
    files = set(tree.files)
    layouts = []
    for base, number in sorted(bases.items()):
        described = (f"{base}/data.yaml" if base else "data.yaml") in files
        evidence = f"{number:,} label files beside images" + (", data.yaml" if described else "")
        sure = 0.9 if described else 0.4
        layouts.append(Layout(NAME, "yolo", "manual", tree.below(base), (), sure, (evidence,)))
    return layouts


def read(layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
    """Read the images sorted by split and name.

    The copy's split is its makers', not the authors'.

    The box of a label line is relative to the image's size, which ingest does not know; the images
    are face crops, so nothing is lost without it.
    """
    rows = Rows(layout, choices)
    files = set(layout.tree.files)
    labels = [match for path in layout.tree.files if (match := _LABEL.fullmatch(path))]
    labels.sort(key=lambda match: (_SPLITS.index(match["split"].lower()), match[0]))
    used = set()
    for match in labels:
        word, stem = match["split"], match["stem"]
        key = f"{word}/{stem}"
        paths = (f"{word}/images/{stem}{ending}" for ending in _ENDINGS)
        image = next((path for path in paths if path in files), None)
        if image is None:
            yield reject(NAME, key, match[0], f"missing image: no {word}/images/{stem}.png")
            continue
        used.add(image)
        code = _code(layout.root / match[0])
        if code is None or not 0 <= code < len(CANONICAL):
            yield rows.foreign(key, image, str(code), "0–7, in alphabetical order")
            continue
        yield rows.labeled(key, image, CANONICAL[code], str(code), None, word)
    for path in layout.tree.files:
        if "/images/" in path and path.lower().endswith(_ENDINGS) and path not in used:
            yield reject(NAME, path.rpartition(".")[0], path, "not in the list: no label file")
    rows.finish()


def _code(path: Path) -> int | None:
    """Return the class id of the first line, None where there is none."""
    try:
        words = path.read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        return None
    return to_code(words[0]) if words else None
