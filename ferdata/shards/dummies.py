"""A small build of made-up rows, for ferdata's tests and yours."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ferdata.core.files import sha256_file, write_json
from ferdata.core.rejects import save_rejects
from ferdata.core.schema import SPLITS
from ferdata.formats.content import RowBatch, ShardSpec
from ferdata.formats.dummies import cut, dummy_manifest, dummy_rows, dummy_spec
from ferdata.formats.names import DEFAULT_FORMATS, shard_name, sidecar
from ferdata.formats.registry import FORMATS
from ferdata.shards.record import BuildRecord, FileRecord, SplitRecord

DUMMY_SHARDS: Mapping[str, Sequence[int]] = {"train": (20, 13), "validation": (7,), "test": (9,)}
"""Rows of each shard of a dummy build, by split."""


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
    files: dict[str, FileRecord] = {}
    first_row = 0
    for stem, planned, rows in parts:
        spec = replace(planned, attributes={"plan_sha256": plan_sha256})
        for name in formats:
            path = _write_shard(out, name, stem, spec, rows, first_row)
            record = FileRecord(sha256=sha256_file(path), rows=spec.rows)
            files[path.relative_to(out).as_posix()] = record
        first_row += spec.rows
    manifest.save(out / "manifest.parquet", row_group_sizes=[spec.rows for _, spec, _ in parts])
    save_rejects((), out / "rejects.parquet")
    write_json(out / "plan.json", {"manifest_digest": manifest.digest(), "sha256": plan_sha256})
    for name in ("manifest.parquet", "rejects.parquet", "plan.json"):
        files[name] = FileRecord(sha256=sha256_file(out / name))
    splits = {
        split: SplitRecord(
            rows=sum(counts.values()),
            counts=counts,
            shards=tuple(sorted(name for name in files if name.startswith(f"hdf5/{split}-"))),
        )
        for split, counts in manifest.counts().items()
        if any(counts.values())
    }
    dummy_record(parts[0][1], plan_sha256, splits, files=files).save(out)
    return out


def dummy_record(
    spec: ShardSpec, plan_sha256: str, splits: Mapping[str, SplitRecord], **changes: Any
) -> BuildRecord:
    """Return the record of a made-up build.

    Args:
        spec: Any of its shards.
        plan_sha256: The hash of its plan.
        splits: Its splits.
        **changes: Further fields of `BuildRecord`.
    """
    space = spec.label_space
    return BuildRecord(
        **{
            "name": "dummy",
            "plan_sha256": plan_sha256,
            "label_space": {"name": space.name, "names": space.names},
            "image": {
                "height": spec.height,
                "width": spec.width,
                "channels": spec.channels,
                "encoding": spec.encoding,
            },
            "landmarks": {"scheme": spec.landmark_scheme, "points": spec.points},
            "splits": splits,
            **changes,
        }
    )


def _parts(
    shards: Mapping[str, Sequence[int]], changes: Mapping[str, Any]
) -> Iterator[tuple[str, ShardSpec, RowBatch]]:
    """Yield file stem, spec and rows of every shard, in the order of the manifest."""
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
    record = {
        "file": path.name,
        "rows": spec.rows,
        "sha256": sha256_file(path),
        "plan_sha256": spec.attributes["plan_sha256"],
        "split": spec.split,
        "first_row": first_row,
        "counts": {label: labels.count(label) for label in spec.label_space.names},
    }
    write_json(sidecar(path), record)
    return path
