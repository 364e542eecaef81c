"""Small shards and a small build of made-up rows, for ferdata's tests and yours.

The pixels show nothing. As in real data, some values are unknown and some text is not ASCII.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from ferdata.core.files import sha256_file, write_json
from ferdata.core.labels import BASIC7
from ferdata.core.manifest import Manifest, save_rejects
from ferdata.core.schema import SPLITS
from ferdata.formats.content import RowBatch, ShardSpec
from ferdata.formats.names import (
    BUILD_FILE,
    BUILD_FORMAT,
    DEFAULT_FORMATS,
    shard_name,
    sidecar,
)
from ferdata.formats.registry import FORMATS

DUMMY_SHARDS: Mapping[str, Sequence[int]] = {"train": (20, 13), "validation": (7,), "test": (9,)}
"""Rows of each shard of a dummy build, by split."""


def dummy_spec(**changes: Any) -> ShardSpec:
    """Return the spec of a small train shard, with some of its values changed."""
    values: dict[str, Any] = {
        "rows": 20,
        "height": 24,
        "width": 18,
        "channels": 3,
        "encoding": "raw",
        "label_space": BASIC7,
        "landmark_scheme": "five",
        "points": 5,
        "split": "train",
        "attributes": {"plan_sha256": "ab" * 32, "ferdata_version": "0", "template": "none/1"},
    }
    return ShardSpec(**(values | changes))


def dummy_rows(spec: ShardSpec, *, first: int = 0, seed: int = 0) -> RowBatch:
    """Return all rows of a shard; every fourth row of a train shard is an augmented copy.

    Args:
        spec: The shard.
        first: Number of the first row in its split; ids are made from it.
        seed: Seed of the values.
    """
    generator = np.random.default_rng([seed, SPLITS.index(spec.split), first])
    n = spec.rows
    numbers = range(first, first + n)
    copies = [spec.split == "train" and number % 4 == 3 for number in numbers]
    ramp = np.linspace(0, 200, spec.width, dtype=np.float32)[None, None, :, None]
    shift = generator.uniform(0, 55, (n, spec.height, 1, spec.channels)).astype(np.float32)
    label = generator.integers(0, len(spec.label_space), n)
    box = generator.uniform(0, 20, (n, 4)).astype(np.float32)
    box[::3] = np.nan
    return RowBatch(
        pixels=(ramp + shift).astype(np.uint8),
        label=label,
        soft_label=np.eye(len(spec.label_space), dtype=np.float32)[label],
        landmarks=generator.uniform(0, 20, (n, spec.points, 2)).astype(np.float32),
        box=box,
        valence=np.full(n, np.nan, np.float32),
        arousal=generator.uniform(-1, 1, n).astype(np.float32),
        sample_id=[f"démo/{spec.split}_{number:05d}" for number in numbers],
        dataset=["démo"] * n,
        subject=["" if number % 2 else f"{spec.split}-{number:03d}" for number in numbers],
        parent_id=[
            f"démo/{spec.split}_{number - 1:05d}" if copy else ""
            for number, copy in zip(numbers, copies, strict=True)
        ],
        operations=[
            '[{"blur": 1.5}]' * (1 + number % 5) if copy else ""
            for number, copy in zip(numbers, copies, strict=True)
        ],
    )


def cut(rows: RowBatch, size: int) -> Iterator[RowBatch]:
    """Cut rows into batches of a size; the last one may be smaller."""
    columns = [column.name for column in fields(RowBatch) if column.init]
    for start in range(0, len(rows), size):
        yield RowBatch(**{name: getattr(rows, name)[start : start + size] for name in columns})


def dummy_manifest(spec: ShardSpec, rows: RowBatch) -> Manifest:
    """Return the manifest rows that belong to a shard's rows."""
    labels = spec.label_space.decode(rows.label.tolist())
    return Manifest.from_rows(
        (
            {
                "sample_id": sample_id,
                "dataset": rows.dataset[row],
                "layout": "dummy",
                "uri": f"{row}.png",
                "framing": "crop",
                "label": labels[row],
                "subject": rows.subject[row] or None,
                "split": spec.split,
                "pixel_sha256": hashlib.sha256(
                    (rows.parent_id[row] or sample_id).encode()
                ).hexdigest(),
                "parent_id": rows.parent_id[row] or None,
                "copy_index": 0 if rows.parent_id[row] else None,
                "operations": rows.operations[row] or None,
            }
            for row, sample_id in enumerate(rows.sample_id)
        ),
        spec.label_space,
    )


def write_dummy_build(
    out: Path,
    *,
    shards: Mapping[str, Sequence[int]] = DUMMY_SHARDS,
    formats: Sequence[str] = DEFAULT_FORMATS,
    **spec_changes: Any,
) -> Path:
    """Write a complete build directory of made-up rows.

    Args:
        out: The build directory.
        shards: Rows of each shard by split.
        formats: The formats to write.
        **spec_changes: Changes to `dummy_spec`, for instance `encoding="png"`.

    Returns:
        `out`.
    """
    parts = list(_parts(shards, spec_changes))
    manifest = dummy_manifest(*parts[0][1:])
    for _, spec, rows in parts[1:]:
        manifest = manifest.append(dummy_manifest(spec, rows).table)
    plan_sha256 = hashlib.sha256(manifest.digest().encode()).hexdigest()
    files: dict[str, dict[str, Any]] = {}
    first_row = 0
    for stem, planned, rows in parts:
        spec = replace(planned, attributes={"plan_sha256": plan_sha256})
        for name in formats:
            path = _write_shard(out, name, stem, spec, rows, first_row)
            name_in_build = path.relative_to(out).as_posix()
            files[name_in_build] = {"sha256": sha256_file(path), "rows": spec.rows}
        first_row += spec.rows
    manifest.save(out / "manifest.parquet", row_group_sizes=[spec.rows for _, spec, _ in parts])
    save_rejects((), out / "rejects.parquet")
    write_json(out / "plan.json", {"manifest_digest": manifest.digest(), "sha256": plan_sha256})
    for name in ("manifest.parquet", "rejects.parquet", "plan.json"):
        files[name] = {"sha256": sha256_file(out / name)}
    write_json(out / BUILD_FILE, _record(manifest, parts[0][1], plan_sha256, files))
    return out


def _parts(
    shards: Mapping[str, Sequence[int]], changes: Mapping[str, Any]
) -> Iterator[tuple[str, ShardSpec, RowBatch]]:
    """Yield name stem, spec and rows of every shard, in the order of the manifest."""
    for split in SPLITS:
        sizes = shards.get(split, ())
        for index, size in enumerate(sizes):
            spec = dummy_spec(**{**changes, "rows": size, "split": split})
            stem = shard_name(split, index, len(sizes), "")
            yield stem, spec, dummy_rows(spec, first=sum(sizes[:index]))


def _write_shard(
    out: Path, name: str, stem: str, spec: ShardSpec, rows: RowBatch, first_row: int
) -> Path:
    shard_format = FORMATS.get(name)
    path = shard_format.file(out, stem)
    path.parent.mkdir(parents=True, exist_ok=True)
    with shard_format.writer(path, spec) as writer:
        for batch in cut(rows, 8):
            writer.append(batch)
    labels = spec.label_space.decode(rows.label.tolist())
    content = {
        "file": path.name,
        "rows": spec.rows,
        "sha256": sha256_file(path),
        "plan_sha256": spec.attributes["plan_sha256"],
        "split": spec.split,
        "first_row": first_row,
        "counts": {label: labels.count(label) for label in spec.label_space.names},
    }
    write_json(sidecar(path), content)
    return path


def _record(
    manifest: Manifest, spec: ShardSpec, plan_sha256: str, files: Mapping[str, Any]
) -> dict[str, Any]:
    space = {"name": spec.label_space.name, "names": list(spec.label_space.names)}
    return {
        "format": BUILD_FORMAT,
        "name": "dummy",
        "ferdata_version": "0",
        "plan_sha256": plan_sha256,
        "seed": 0,
        "label_space": space,
        "image": {
            "height": spec.height,
            "width": spec.width,
            "channels": spec.channels,
            "encoding": spec.encoding,
        },
        "landmarks": {"scheme": spec.landmark_scheme, "points": spec.points},
        "splits": {
            split: {
                "rows": sum(counts.values()),
                "counts": counts,
                "shards": sorted(n for n in files if n.startswith(f"hdf5/{split}-")),
            }
            for split, counts in manifest.counts().items()
            if any(counts.values())
        },
        "files": files,
        "rejects": {"total": 0, "by_stage": {}},
        "options": {"duplicates": "drop"},
        "summary": {},
    }
