"""Small builds for training tests, written by hand so that they test the written format too."""

import json
from pathlib import Path

import h5py
import numpy as np

from ferdata.labels import BASIC7, LabelSpace

SIZE = 32


def pattern(k: int, generator: np.random.Generator, size: int = SIZE) -> np.ndarray:
    """Draw a class as a bright spot at its own place on noise: learnable, not trivial."""
    pixels = generator.integers(40, 140, (size, size, 3))
    row, column = divmod(k, 3)
    step = size // 3
    top, left = row * step, column * step
    pixels[top : top + step, left : left + step] += 100
    return pixels.clip(0, 255).astype(np.uint8)


def write_build(
    root: Path,
    rows: dict[str, list[int]] | None = None,
    *,
    space: LabelSpace = BASIC7,
    plan: str = "a" * 64,
    size: int = SIZE,
    channels: int = 3,
) -> Path:
    """Write a build directory.

    Args:
        root: Where.
        rows: Label indices per split; default: 70, 14 and 21 in equal parts.
        space: The label space.
        plan: The plan hash.
        size: Side of the images.
        channels: 3 or 1.
    """
    rows = rows or {
        "train": [k % 7 for k in range(70)],
        "validation": [k % 7 for k in range(14)],
        "test": [k % 7 for k in range(21)],
    }
    (root / "hdf5").mkdir(parents=True)
    splits = {}
    for number, (split, labels) in enumerate(rows.items()):
        generator = np.random.default_rng(number)
        pixels = [pattern(k, generator, size)[..., :channels] for k in labels]
        name = f"hdf5/{split}-00000-of-00001.h5"
        _write_shard(root / name, np.array(pixels), labels, space, plan, split)
        counts = {label: labels.count(k) for k, label in enumerate(space.names)}
        splits[split] = {"rows": len(labels), "shards": [name], "counts": counts}
    build = {
        "format": "ferdata-build/1",
        "name": "spots",
        "plan_sha256": plan,
        "seed": 0,
        "label_space": {"name": space.name, "names": list(space.names)},
        "image": {"height": size, "width": size, "channels": channels, "encoding": "raw"},
        "landmarks": {"scheme": None, "points": 0},
        "splits": splits,
        "files": {},
        "options": {"align": "auto", "size": size},
    }
    (root / "build.json").write_text(json.dumps(build))
    return root


def _write_shard(
    path: Path, pixels: np.ndarray, labels: list[int], space: LabelSpace, plan: str, split: str
) -> None:
    n = len(labels)
    with h5py.File(path, "w", libver=("v110", "v114")) as file:
        file["image"] = pixels
        file["label"] = np.array(labels, dtype=np.int64)
        file["soft_label"] = np.eye(len(space), dtype=np.float32)[labels]
        file["landmarks"] = np.zeros((n, 0, 2), np.float32)
        file["box"] = np.full((n, 4), np.nan, np.float32)
        for name in ("valence", "arousal"):
            file[name] = np.full(n, np.nan, np.float32)
        for name in ("sample_id", "dataset", "subject", "parent_id", "operations"):
            texts = [f"spots/{split}_{row}" if name == "sample_id" else "" for row in range(n)]
            file.create_dataset(name, data=texts, dtype=h5py.string_dtype())
        file.attrs["format"] = "ferdata-h5/1"
        file.attrs["label_space"] = json.dumps({"name": space.name, "names": list(space.names)})
        file.attrs["plan_sha256"] = plan
        file.attrs["split"] = split
        file.attrs["encoding"] = "raw"
