"""Small builds written with plain h5py, in the layout that the readers are promised."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
import pytest

PLAN = "ab" * 32
SPACE = {"name": "basic3", "names": ["anger", "fear", "neutral"]}
SIDE = 20
POINTS = 5


@dataclass(repr=False)
class MiniBuild:
    """A build directory and the arrays that its splits must give back."""

    root: Path
    arrays: dict[str, dict[str, Any]]


def draw_split(rows: int, seed: int, channels: int, smooth: bool) -> dict[str, Any]:
    """Return random arrays of one split; smooth pictures are those that JPEG keeps."""
    generator = np.random.default_rng(seed)
    image = generator.integers(0, 256, (rows, SIDE, SIDE, channels), dtype=np.uint8)
    if smooth:
        image[:] = image[:, :1, :1]
    return {
        "image": image,
        "label": np.resize([0, 0, 0, 1, 1, 2], rows).astype(np.int64),
        "soft_label": generator.random((rows, 3), dtype=np.float32),
        "landmarks": generator.random((rows, POINTS, 2), dtype=np.float32),
        "box": generator.random((rows, 4), dtype=np.float32),
        "valence": generator.random(rows, dtype=np.float32),
        "arousal": np.full(rows, np.nan, np.float32),
        "sample_id": [f"mini/größe_{seed}_{row:04d}" for row in range(rows)],
        "dataset": ["mini"] * rows,
        "subject": [f"s{row % 4}" if row % 5 else "" for row in range(rows)],
        "parent_id": [""] * rows,
        "operations": ["[]"] * rows,
    }


def write_shard(path: Path, split: str, arrays: dict[str, Any], rows: slice, encoding: str) -> None:
    with h5py.File(path, "w", libver=("v110", "v114")) as file:
        for name, values in arrays.items():
            part = values[rows]
            if name == "image" and encoding != "raw":
                images = file.create_dataset(name, (len(part),), h5py.vlen_dtype(np.uint8))
                for row, pixels in enumerate(part):
                    stored = pixels[..., ::-1] if pixels.shape[2] == 3 else pixels
                    suffix = {"png": ".png", "jpeg": ".jpg"}[encoding]
                    images[row] = cv2.imencode(suffix, stored)[1]
            elif isinstance(part, list):
                file.create_dataset(name, data=part, dtype=h5py.string_dtype())
            else:
                file.create_dataset(name, data=part)
        file.attrs.update(
            format="ferdata-h5/1",
            split=split,
            plan_sha256=PLAN,
            encoding=encoding,
            label_space=json.dumps(SPACE),
        )


@pytest.fixture
def make_build(tmp_path: Path) -> Callable[..., MiniBuild]:
    """Return a function that writes a build: split name to rows per shard."""

    def make(
        splits: dict[str, list[int]] | None = None,
        *,
        encoding: str = "raw",
        channels: int = 3,
        smooth: bool = False,
        folder: str = "build",
    ) -> MiniBuild:
        splits = splits or {"train": [31, 40, 17, 12], "validation": [9], "test": [14, 3]}
        root = tmp_path / folder
        (root / "hdf5").mkdir(parents=True)
        facts: dict[str, Any] = {
            "format": "ferdata-build/2",
            "name": "mini",
            "plan_sha256": PLAN,
            "label_space": SPACE,
            "image": {
                "height": SIDE,
                "width": SIDE,
                "channels": channels,
                "encoding": encoding,
            },
            "landmarks": {"scheme": "five", "points": POINTS},
            "splits": {},
            "files": {"manifest.parquet": {"sha256": "0", "rows": 1}},
        }
        arrays = {}
        for seed, (split, sizes) in enumerate(splits.items()):
            arrays[split] = draw_split(sum(sizes), seed, channels, smooth)
            shards = []
            first = 0
            for number, size in enumerate(sizes):
                shard = f"hdf5/{split}-{number:05d}-of-{len(sizes):05d}.h5"
                rows = slice(first, first + size)
                write_shard(root / shard, split, arrays[split], rows, encoding)
                facts["files"][shard] = {"sha256": "0", "rows": size}
                shards.append(shard)
                first += size
            facts["splits"][split] = {"rows": first, "shards": shards, "counts": {}}
        (root / "build.json").write_text(json.dumps(facts))
        return MiniBuild(root, arrays)

    return make


@pytest.fixture
def mini(make_build: Callable[..., MiniBuild]) -> MiniBuild:
    """A raw build with four, one and two shards."""
    return make_build()
