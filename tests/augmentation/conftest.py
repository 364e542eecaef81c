"""Small manifests and images for the tests of augment."""

from __future__ import annotations

import numpy as np
import pytest

from ferdata.core.labels import BASIC7
from ferdata.core.manifest import Manifest

TRAIN = {"anger": 5, "disgust": 1, "fear": 3, "happiness": 17, "neutral": 9}


@pytest.fixture(scope="session")
def unbalanced() -> Manifest:
    """Train with five unequal classes, and some validation and test rows."""
    rows = []
    parts = {"train": TRAIN, "validation": {"fear": 2, "anger": 1}, "test": {"fear": 4}}
    for part, counts in parts.items():
        for label, number in counts.items():
            for i in range(number):
                name = f"demo/{part}_{label}_{i}"
                row = {
                    "sample_id": name,
                    "dataset": "demo",
                    "layout": "flat",
                    "framing": "crop",
                    "uri": f"{name}.png",
                    "label": label,
                    "split": part,
                    "official_split": "test" if part == "test" else "train",
                    "pixel_sha256": f"pixels of {name}",
                    "landmarks": [[float(i), 2.5], [3.0, float("nan")]],
                    "landmark_scheme": "five",
                    "gender": "female" if i % 2 else None,
                }
                rows.append(row)
    return Manifest.from_rows(rows, BASIC7)


@pytest.fixture(scope="session")
def image() -> np.ndarray:
    """An image with smooth shading, edges and texture, uint8 (96, 112, 3)."""
    y, x = np.mgrid[:96, :112]
    shade = np.stack([x * 2, y * 2, (x + y)], axis=-1) + 20
    texture = np.random.default_rng(0).integers(-15, 16, shade.shape)
    shade[20:40, 30:50] = 200
    return np.clip(shade + texture, 0, 255).astype(np.uint8)
