"""Small manifests for the tests of curate."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest

from ferdata.core.labels import BASIC7
from ferdata.core.manifest import Manifest

MakeManifest = Callable[[Iterable[Mapping[str, Any]]], Manifest]


@pytest.fixture(scope="session")
def make_manifest() -> MakeManifest:
    """Return a function from partial rows to a manifest; each row gets pixels of its own."""

    def make(rows: Iterable[Mapping[str, Any]]) -> Manifest:
        defaults = {"dataset": "demo", "layout": "flat", "framing": "crop", "label": "anger"}
        full = []
        for number, row in enumerate(rows):
            name = row.get("sample_id", f"demo/{number:05d}")
            own = {"sample_id": name, "uri": f"{name}.png", "pixel_sha256": f"pixels of {name}"}
            full.append({**defaults, **own, **row})
        return Manifest.from_rows(full, BASIC7)

    return make


@pytest.fixture(scope="session")
def hash_of() -> Callable[..., str]:
    """Return a function from a name and a number of flipped bits to a perceptual hash.

    Hashes of one name differ in the difference of their numbers; of two names, in about 128 bits.
    """

    def make(name: str, flipped: int = 0) -> str:
        base = int(hashlib.sha256(name.encode()).hexdigest(), 16)
        return f"{base ^ ((1 << flipped) - 1):064x}"

    return make


@pytest.fixture
def official(make_manifest: MakeManifest) -> Manifest:
    """RAF-DB in small: train and test, unequal classes, no groups."""
    counts = {"happiness": 477, "neutral": 252, "fear": 28, "disgust": 71}
    rows = []
    for label, train in counts.items():
        for part, number in (("train", train), ("test", train // 4)):
            rows += [
                {"sample_id": f"demo/{part}_{label}_{i}", "label": label, "official_split": part}
                for i in range(number)
            ]
    return make_manifest(rows)
