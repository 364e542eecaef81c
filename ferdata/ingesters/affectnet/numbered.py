"""AffectNet's small release and AffectNet+: numbered crops of 224×224, one annotation each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ferdata.core.labels import CANONICAL
from ferdata.core.manifest import Reject
from ferdata.ingesters.affectnet.rows import NAME, Rows, annotated, points, to_code, to_float
from ferdata.ingesters.contract import Choices, Layout, reject
from ferdata.ingesters.info import dataset_info
from ferdata.ingesters.notices import Findings
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree

_SMALL = re.compile(
    r"(?:(?P<base>.*)/)?(?P<split>train_set|val_set)/annotations/\d+_exp\.npy", re.IGNORECASE
)
_PLUS = re.compile(
    r"(?:(?P<base>.*)/)?(?P<split>train_set|validation_set)/annotations/\d+\.json", re.IGNORECASE
)
_ENDINGS = (".jpg", ".jpeg", ".png")
_SPLITS = {
    "train_set": ("train", "train_set"),
    "val_set": ("test", "val_set"),
    "validation_set": ("test", "validation_set"),
}


def detect(tree: FileTree) -> list[Layout]:
    """Find train_set and val_set with npy or json files in annotations."""
    found: dict[tuple[str, str], int] = {}
    for path in tree.files:
        for name, pattern in (("small", _SMALL), ("plus", _PLUS)):
            if "/annotations/" in path and (match := pattern.fullmatch(path)):
                key = (name, match["base"] or "")
                found[key] = found.get(key, 0) + 1
    kinds = {"small": "…_exp.npy", "plus": "json"}
    return [
        Layout(
            NAME,
            name,
            "manual",
            tree.below(base),
            (),
            0.97,
            (f"{number:,} {kinds[name]} files in annotations, beside images",),
        )
        for (name, base), number in sorted(found.items())
    ]


def read_small(layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
    """Read the small release, sorted by number: a npy file for each kind of annotation."""
    rows, findings = Rows(layout, choices), Findings(NAME)
    for split_folder, numbers, files in _splits(layout.tree, "_exp.npy"):
        split, native = _SPLITS[split_folder.lower()]
        for number in numbers:
            key, uri = f"{split_folder}/{number}", _image(split_folder, number, files)
            base = layout.root / split_folder / "annotations"
            if uri is None:
                reason = f"missing image: no {split_folder}/images/{number}.jpg"
                yield reject(NAME, key, f"{split_folder}/annotations/{number}_exp.npy", reason)
                continue
            exp = _load(base / f"{number}_exp.npy")
            if exp is None:
                yield reject(NAME, key, uri, f"malformed label: {number}_exp.npy")
                continue
            yield rows.row(
                key,
                uri,
                to_code(str(exp.reshape(-1)[0]).partition(".")[0]),
                split,
                native,
                valence=_number(base / f"{number}_val.npy"),
                arousal=_number(base / f"{number}_aro.npy"),
                **_landmarks(base / f"{number}_lnd.npy", findings, uri),
            )
        yield from _unlisted(layout.tree, split_folder, numbers)
    rows.finish()
    findings.log()


def read_plus(layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
    """Read AffectNet+, sorted by number: a json file for each image."""
    rows, findings = Rows(layout, choices), Findings(NAME)
    order = [dataset_info(NAME).codes[code] for code in range(8)]
    for split_folder, numbers, files in _splits(layout.tree, ".json"):
        split, native = _SPLITS[split_folder.lower()]
        for number in numbers:
            path = f"{split_folder}/annotations/{number}.json"
            key, uri = f"{split_folder}/{number}", _image(split_folder, number, files)
            if uri is None:
                reason = f"missing image: no {split_folder}/images/{number}.jpg"
                yield reject(NAME, key, path, reason)
                continue
            try:
                values = json.loads((layout.root / path).read_text(encoding="utf-8"))
                code = to_code(str(values["human-label"]))
            except (OSError, ValueError, KeyError, TypeError) as error:
                yield reject(NAME, key, uri, f"malformed label: {path} ({type(error).__name__})")
                continue
            meta = values.get("meta-data")
            meta = meta if isinstance(meta, dict) else {}
            yield rows.row(
                key,
                uri,
                code,
                split,
                native,
                soft_label=_soft_label(values.get("soft-label"), order, findings, uri),
                valence=annotated(to_float(str(meta.get("valence", "")))),
                arousal=annotated(to_float(str(meta.get("arousal", "")))),
                **_points(meta.get("landmark-68")),
            )
        yield from _unlisted(layout.tree, split_folder, numbers)
    rows.finish()
    findings.log()


def _splits(tree: FileTree, ending: str) -> Iterator[tuple[str, list[str], set[str]]]:
    """Yield each split's folder, the numbers of its annotations, and all files of the tree."""
    files = set(tree.files)
    numbers: dict[str, list[str]] = {}
    for path in tree.files:
        folder, middle, name = path.partition("/annotations/")
        if middle and name.endswith(ending) and folder.lower() in _SPLITS:
            number = name.removesuffix(ending)
            if number.isdecimal():
                numbers.setdefault(folder, []).append(number)
    for folder in sorted(numbers, key=lambda folder: (folder.lower() != "train_set", folder)):
        yield folder, sorted(numbers[folder], key=lambda number: (int(number), number)), files


def _image(folder: str, number: str, files: set[str]) -> str | None:
    paths = (f"{folder}/images/{number}{ending}" for ending in _ENDINGS)
    return next((path for path in paths if path in files), None)


def _unlisted(tree: FileTree, folder: str, numbers: list[str]) -> Iterator[Reject]:
    """Yield the images that have no annotation."""
    known = set(numbers)
    for path in tree.files:
        if path.startswith(f"{folder}/images/"):
            number = path.rpartition("/")[2].rpartition(".")[0]
            if number not in known:
                yield reject(NAME, f"{folder}/{number}", path, "not in the list: no annotation")


def _load(path: Path) -> np.ndarray[Any, Any] | None:
    """Read a npy file of numbers or strings; never of pickled objects."""
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return values if isinstance(values, np.ndarray) and values.size else None


def _number(path: Path) -> float | None:
    values = _load(path)
    return None if values is None else annotated(to_float(str(values.reshape(-1)[0])))


def _landmarks(path: Path, findings: Findings, uri: str) -> dict[str, Any]:
    values = _load(path)
    try:
        found = {} if values is None else points(values.reshape(-1).astype(np.float32))
    except ValueError:
        found = {}
    if not found:
        findings.add("images have no well-formed landmarks", uri)
    return found


def _points(values: Any) -> dict[str, Any]:
    try:
        return points(np.asarray(values, dtype=np.float32).reshape(-1)) if values else {}
    except (ValueError, TypeError):
        return {}


def _soft_label(values: Any, order: list[str], findings: Findings, uri: str) -> list[float] | None:
    """Return the shares over the canonical names; None where they are malformed."""
    try:
        shares = {name: max(float(value), 0.0) for name, value in zip(order, values, strict=True)}
    except (TypeError, ValueError):
        findings.add("soft labels are malformed and left out", uri)
        return None
    total = sum(shares.values())
    return [shares[name] / total for name in CANONICAL] if total > 0 else None
