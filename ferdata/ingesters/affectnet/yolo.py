"""AffectNet re-made for YOLO: class ids, mostly in alphabetical order, and a box for each image."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ferdata.core.delimited import read_words, whole_number
from ferdata.core.errors import AnnotationError, ParseError
from ferdata.core.labels import CANONICAL, find_name
from ferdata.core.parsing import parse_yaml
from ferdata.core.rejects import Reject
from ferdata.ingesters.affectnet.rows import NAME, Rows, find_image
from ferdata.ingesters.contract import Choices, Layout
from ferdata.ingesters.evidence import Evidence, Sign
from ferdata.ingesters.order_names import CODES_CHOICE
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree

_LABEL = re.compile(
    r"(?:(?P<base>.*)/)?(?P<split>train|valid|test)/labels/(?P<stem>[^/]+)\.txt", re.IGNORECASE
)
_SPLITS = ("train", "valid", "test")
_ABOUT = "data.yaml"


def detect(tree: FileTree) -> Iterator[Layout]:
    """Find train/labels and train/images with data.yaml above them."""
    bases: Counter[str] = Counter()
    for path in tree.files:
        if "/labels/" in path and (match := _LABEL.fullmatch(path)):
            bases[match["base"] or ""] += 1
    for base, number in sorted(bases.items()):
        evidence = [Evidence(Sign.FOLDERS, f"{number:,} label files beside images")]
        about = tree.root / base / _ABOUT
        if _number_of_classes(about) == len(CANONICAL) or _named_classes(about):
            evidence.append(Evidence(Sign.FILE, f"{_ABOUT} with AffectNet's eight classes"))
        yield Layout.below(tree, base, NAME, "yolo", *evidence, source="manual")


def read(layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
    """Read the images sorted by split and name.

    The split is the copy's, not the authors'. The box of a label line is relative to the image's
    size, which ingest does not know, and is not read; the images are face crops.
    """
    rows = Rows(layout, choices)
    codes = rows.codes
    if CODES_CHOICE not in choices:
        codes = _named_classes(layout.root / _ABOUT) or dict(enumerate(CANONICAL))
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
        if code is None or code not in codes:
            yield rows.wrong_code(key, image, str(code), "0–7")
        else:
            yield rows.labeled(key, image, codes[code], str(code), None, split)
    for path in layout.tree.images():
        if "/images/" in path and path not in used:
            reason = "not in the list: no label file"
            yield layout.reject(path.rpartition(".")[0], path, reason)
    rows.finish()


def _named_classes(about: Path) -> dict[int, str]:
    """Return the class of each id by the names in data.yaml; none if it lacks one of the eight."""
    names = _described(about).get("names", ())
    names = list(names.values()) if isinstance(names, dict) else names
    labels = [find_name(str(name)) for name in names] if isinstance(names, list) else []
    if sorted(map(str, labels)) != sorted(CANONICAL):
        return {}
    return {code: label for code, label in enumerate(labels) if label is not None}


def _number_of_classes(about: Path) -> object:
    """Return the number of classes in data.yaml; None if it names others, or there is no number."""
    described = _described(about)
    return None if described.get("names") else described.get("nc")


def _described(about: Path) -> dict[str, object]:
    try:
        described = parse_yaml(about.read_bytes())
    except (OSError, ParseError):
        return {}
    return described if isinstance(described, dict) else {}


def _code(path: Path) -> int | None:
    """Return the class id of the first line, None if there is none."""
    try:
        words = read_words(path)
    except AnnotationError:
        return None
    return whole_number(words[0]) if words else None
