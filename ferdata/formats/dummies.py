"""Small shards of made-up rows, for ferdata's tests and yours.

The pixels are no faces. As in real data, some values are unknown and some text is not ASCII.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import numpy as np

from ferdata.core.labels import BASIC7
from ferdata.core.manifest import Manifest
from ferdata.core.schema import SPLITS
from ferdata.formats.content import RowBatch, ShardSpec


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
