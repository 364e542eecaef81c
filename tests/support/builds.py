"""Small builds for training tests, written by hand so that they test the written format too."""

import json
from pathlib import Path

import h5py
import numpy as np

from ferdata.core.labels import BASIC7, LabelSpace
from ferdata.core.manifest import Manifest
from ferdata.faces.schemes import scheme as landmark_scheme
from ferdata.shards.record import BuildRecord

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
    name: str = "spots",
    people: dict[str, list[dict[str, str]]] | None = None,
    scheme: str | None = None,
    leaks: list[str] | None = None,
) -> Path:
    """Write a build directory.

    Args:
        root: Where.
        rows: Label indices per split; default: 70, 14 and 21 in equal parts.
        space: The label space.
        plan: The plan hash.
        size: Side of the images.
        channels: 3 or 1.
        name: The build's name.
        people: For each row of each split `subject`, `dataset`, `gender`, … where known; with it
            comes a manifest.
        scheme: Landmark scheme; every row gets random points.
        leaks: What `build.json` says about leaking.
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
        shard = f"hdf5/{split}-00000-of-00001.h5"
        points = landmark_scheme(scheme).size if scheme else 0
        subjects = people[split] if people else [{}] * len(labels)
        _write_shard(root / shard, np.array(pixels), labels, space, plan, split, points, subjects)
        counts = {label: labels.count(k) for k, label in enumerate(space.names)}
        splits[split] = {"rows": len(labels), "shards": [shard], "counts": counts}
    if people:
        _write_manifest(root / "manifest.parquet", rows, people, space)
    BuildRecord(
        name=name,
        plan_sha256=plan,
        label_space={"name": space.name, "names": space.names},
        image={"height": size, "width": size, "channels": channels, "encoding": "raw"},
        landmarks={"scheme": scheme, "points": landmark_scheme(scheme).size if scheme else 0},
        splits=splits,
        options={"size": size},
        leaks=leaks or (),
    ).save(root)
    return root


def _write_shard(
    path: Path,
    pixels: np.ndarray,
    labels: list[int],
    space: LabelSpace,
    plan: str,
    split: str,
    points: int,
    people: list[dict[str, str]],
) -> None:
    n = len(labels)
    generator = np.random.default_rng(n)
    with h5py.File(path, "w", libver=("v110", "v114")) as file:
        file["image"] = pixels
        file["label"] = np.array(labels, dtype=np.int64)
        file["soft_label"] = np.eye(len(space), dtype=np.float32)[labels]
        places = generator.uniform(0, pixels.shape[1] - 1, (n, points, 2))
        file["landmarks"] = places.astype(np.float32)
        file["box"] = np.full((n, 4), np.nan, np.float32)
        for name in ("valence", "arousal"):
            file[name] = np.full(n, np.nan, np.float32)
        for name in ("sample_id", "dataset", "subject", "parent_id", "operations"):
            texts = [row.get(name, "") for row in people]
            if name == "sample_id":
                texts = [f"spots/{split}_{row}" for row in range(n)]
            file.create_dataset(name, data=texts, dtype=h5py.string_dtype())
        file.attrs["format"] = "ferdata-h5/1"
        file.attrs["label_space"] = json.dumps({"name": space.name, "names": list(space.names)})
        file.attrs["plan_sha256"] = plan
        file.attrs["split"] = split
        file.attrs["encoding"] = "raw"


def _write_manifest(
    path: Path,
    rows: dict[str, list[int]],
    people: dict[str, list[dict[str, str]]],
    space: LabelSpace,
) -> None:
    required = {"dataset": "spots", "layout": "drawn", "uri": "none", "framing": "crop"}
    table = [
        {**required, **known, "sample_id": f"spots/{split}_{row}", "label": space.names[label]}
        for split, labels in rows.items()
        for row, (label, known) in enumerate(zip(labels, people[split], strict=True))
    ]
    Manifest.from_rows(table, space).save(path)
