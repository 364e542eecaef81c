"""AffectNet's small release and AffectNet+: numbered crops of 224×224, one annotation each."""

from __future__ import annotations

import io
import math
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ferdata.core.delimited import whole_number
from ferdata.core.errors import ParseError
from ferdata.core.labels import CANONICAL
from ferdata.core.parsing import parse_json, parsing
from ferdata.core.rejects import Reject
from ferdata.ingesters.affectnet.rows import (
    NAME,
    Rows,
    annotated,
    find_image,
    points,
)
from ferdata.ingesters.contract import Choices, Layout
from ferdata.ingesters.evidence import Evidence, Sign
from ferdata.ingesters.lookup import dataset_info
from ferdata.ingesters.notices import Notices
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree, file_stem

_LABEL_FILES = {
    "small": (r"(?P<split>train_set|val_set)/annotations/\d+_exp\.npy", "…_exp.npy"),
    "plus": (r"(?P<split>train_set|validation_set)/annotations/\d+\.json", "json"),
}
_PATTERNS = {
    name: re.compile(rf"(?:(?P<base>.*)/)?{pattern}", re.IGNORECASE)
    for name, (pattern, _) in _LABEL_FILES.items()
}

_PARTS = {"_exp.npy": ("_lnd.npy", "_val.npy", "_aro.npy"), ".json": ()}
"""What lies beside a file with a label and is read with it, by the ending of that one."""

_SPLITS = {"train_set": "train", "val_set": "test", "validation_set": "test"}

_Fields = dict[str, Any]


def detect(tree: FileTree) -> Iterator[Layout]:
    """Find train_set and val_set with npy or json files in annotations."""
    found: Counter[tuple[str, str]] = Counter()
    for path in tree.files:
        if "/annotations/" in path:
            for name, pattern in _PATTERNS.items():
                if match := pattern.fullmatch(path):
                    found[name, match["base"] or ""] += 1
    for (name, base), number in sorted(found.items()):
        text = f"{number:,} {_LABEL_FILES[name][1]} files in annotations, beside images"
        evidence = Evidence(Sign.ANNOTATION, text)
        yield Layout.below(tree, base, NAME, name, evidence, source="manual")


def read_small(layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
    """Read the small release, sorted by number: a npy file for each kind of annotation."""
    return _read(layout, choices, "_exp.npy", _read_npy)


def read_plus(layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
    """Read AffectNet+, sorted by number: a json file for each image."""
    return _read(layout, choices, ".json", _read_json)


def _read(
    layout: Layout,
    choices: Choices,
    ending: str,
    annotation: Callable[[Path, Notices, str], _Fields | None],
) -> Iterator[Sample | Reject]:
    """Read images with one annotation each.

    Args:
        layout: What is read.
        choices: The dataset's choices.
        ending: What follows the number in the names of the files with labels.
        annotation: Reads such a file, and those beside it, into `code` and fields of a sample;
            returns None for a malformed label. Gets the layout's notices and the image's path.
    """
    rows, files = Rows(layout, choices), set(layout.tree.files)
    for folder, numbers in _numbers(layout.tree, ending).items():
        for number in numbers:
            label_file = f"{folder}/annotations/{number}{ending}"
            key, image = f"{folder}/{number}", find_image(files, f"{folder}/images", number)
            if image is None:
                reason = f"missing image: no {folder}/images/{number}.jpg"
                yield layout.reject(key, label_file, reason)
                continue
            beside = (f"{folder}/annotations/{number}{part}" for part in _PARTS[ending])
            layout.used.update(files.intersection(beside))
            values = annotation(layout.use(label_file), layout.notices, image)
            if values is None:
                yield layout.reject(key, image, f"malformed label: {number}{ending}")
            else:
                split = _SPLITS[folder.lower()]
                yield rows.row(key, image, split=split, native=folder.lower(), **values)
        known = set(numbers)
        for path in layout.tree.images():
            if path.startswith(f"{folder}/images/") and file_stem(path) not in known:
                reason = "not in the list: no annotation"
                yield layout.reject(f"{folder}/{file_stem(path)}", path, reason)
    rows.finish()


def _numbers(tree: FileTree, ending: str) -> dict[str, list[str]]:
    """Return the numbers of the annotations in each split's folder, train first."""
    numbers: dict[str, list[str]] = {}
    for path in tree.files:
        folder, middle, name = path.partition("/annotations/")
        number = name.removesuffix(ending)
        if middle and number != name and folder.lower() in _SPLITS and number.isdecimal():
            numbers.setdefault(folder, []).append(number)
    return {
        folder: sorted(numbers[folder], key=lambda number: (int(number), number))
        for folder in sorted(numbers, key=lambda folder: (folder.lower() != "train_set", folder))
    }


def _read_npy(path: Path, notices: Notices, image: str) -> _Fields | None:
    number = path.name.removesuffix("_exp.npy")

    def load(kind: str) -> np.ndarray[Any, Any] | None:
        return _load(path.with_name(f"{number}_{kind}.npy"))

    def affect(kind: str) -> float | None:
        values = load(kind)
        return None if values is None else annotated(str(values.reshape(-1)[0]))

    label, landmarks = load("exp"), load("lnd")
    if label is None:
        return None
    found = {} if landmarks is None else _points(landmarks)
    if not found:
        notices.add("images have no well-formed landmarks", image)
    code = whole_number(str(label.reshape(-1)[0]))
    return {"code": code, "valence": affect("val"), "arousal": affect("aro"), **found}


def _load(path: Path) -> np.ndarray[Any, Any] | None:
    """Read a npy file of numbers or strings; never of pickled objects."""
    try:
        data = io.BytesIO(path.read_bytes())
        with parsing("a numpy array"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of files that Python 2 wrote
            values: np.ndarray[Any, Any] = np.lib.format.read_array(data, allow_pickle=False)
    except (OSError, ParseError):
        return None
    return values if values.size else None


def _read_json(path: Path, notices: Notices, image: str) -> _Fields | None:
    try:
        values = parse_json(path.read_bytes())
        code = whole_number(str(values["human-label"]))
    except (OSError, ParseError, KeyError, TypeError):
        return None
    meta = values.get("meta-data")
    meta = meta if isinstance(meta, dict) else {}
    marks = meta.get("landmark-68")
    found = _points(marks) if marks else {}
    return {
        "code": code,
        "soft_label": _soft_label(values.get("soft-label"), notices, image),
        "valence": annotated(str(meta.get("valence", ""))),
        "arousal": annotated(str(meta.get("arousal", ""))),
        **found,
    }


def _points(values: Any) -> _Fields:
    """Return the fields of landmarks; none if they are not 68 points of numbers."""
    try:
        with np.errstate(over="ignore"):  # what is too large is no point
            return points(np.asarray(values, dtype=np.float64).astype(np.float32).reshape(-1))
    except (ValueError, TypeError, OverflowError):
        return {}


def _soft_label(values: Any, notices: Notices, image: str) -> list[float] | None:
    """Return the fractions over the canonical names; None if they are malformed."""
    names = dataset_info(NAME).codes.values()
    try:
        weights = {name: max(float(each), 0.0) for name, each in zip(names, values, strict=True)}
    except (TypeError, ValueError, OverflowError):
        notices.add("soft labels are malformed and ignored", image)
        return None
    total = sum(weights.values())
    return [weights[name] / total for name in CANONICAL] if 0 < total < math.inf else None
