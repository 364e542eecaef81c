"""The plan: everything about a build that is fixed before the first pixel is rendered.

Rows are ordered once, by the seed; each shard contains an interval of that order. The rows with all
their drawn values are in `manifest.parquet` in the same order, one row group per shard, and the
plan contains the manifest's digest. So the plan's hash covers every draw, and the plan of a million
rows is still one page of JSON.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

from ferdata.core.draws import rank
from ferdata.core.errors import BuildError
from ferdata.core.extras import opencv_version
from ferdata.core.manifest import Manifest
from ferdata.core.schema import SPLITS
from ferdata.faces.align import TRANSFORMS
from ferdata.faces.fitting import fit_alignment, outside_column
from ferdata.faces.set_alignment import SetAlignment
from ferdata.formats.names import shard_name
from ferdata.formats.registry import FORMATS
from ferdata.shards.dataset_infos import declaration_versions
from ferdata.shards.options import BuildOptions
from ferdata.shards.plugin_versions import plugin_versions

PLAN_VERSION = "ferdata-plan/2"

RENDER_VERSION = "ferdata-render/2"
"""Increased whenever the same row would be rendered to other pixels."""

_COPY_PACKAGES = ("albucore", "albumentations")
"""Distributions whose version can change a pixel of an augmented copy, and of nothing else."""


@dataclass(frozen=True)
class ShardPlan:
    """One shard of a plan.

    Attributes:
        name: File stem, for instance `train-00000-of-00004`.
        split: The split that all its rows belong to.
        first_row: Position of its first row in the plan's order.
        rows: Number of rows.
    """

    name: str
    split: str
    first_row: int
    rows: int


@dataclass(frozen=True)
class Plan:
    """What will be built, including every random draw.

    Attributes:
        manifest_digest: Content hash of the ordered manifest.
        options: The options that determine the bytes.
        alignment: How images are brought to the output.
        landmark_scheme: The scheme of the shards' landmarks.
        versions: Versions of what can change a pixel, a label or a file: libraries, transforms,
            formats, the packages of plugins and the declarations that the build uses.
        shards: The shards, in the order of the manifest's rows.
    """

    manifest_digest: str
    options: BuildOptions
    alignment: SetAlignment
    landmark_scheme: str
    versions: dict[str, str]
    shards: tuple[ShardPlan, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the content of `plan.json`, with its own hash."""
        return {**self._content(), "sha256": self.sha256}

    @property
    def sha256(self) -> str:
        """Hash of the plan; the same on every machine for the same data, options and versions."""
        text = json.dumps(self._content(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def _content(self) -> dict[str, Any]:
        return {
            "format": PLAN_VERSION,
            "manifest_digest": self.manifest_digest,
            "options": _plan_options(self.options),
            "alignment": self.alignment.model_dump(mode="json"),
            "landmark_scheme": self.landmark_scheme,
            "versions": self.versions,
            "shards": [vars(shard) for shard in self.shards],
        }


_PLAN_NAMES = {"leak_free": "sound"}
"""Options that were renamed, with their names in `ferdata-plan/2`, which are part of the hash."""


def _plan_options(options: BuildOptions) -> dict[str, Any]:
    values = options.model_dump(mode="json")
    return {_PLAN_NAMES.get(name, name): value for name, value in values.items()}


def make_plan(manifest: Manifest, options: BuildOptions) -> tuple[Manifest, Plan]:
    """Determine how images are aligned, order the rows and divide them into shards.

    Args:
        manifest: Rows with a split, augmented copies included.
        options: The build's options.

    Returns:
        The manifest in the plan's order with `outside_share`, and the plan.

    Raises:
        BuildError: There is nothing to build.
    """
    if not len(manifest):
        raise BuildError("nothing to build: every row was rejected; see rejects.parquet")
    alignment = fit_alignment(manifest, options.align, options.margin, options.border)
    outside = outside_column(manifest, alignment, options.size).astype(np.float32)
    manifest = manifest.with_column("outside_share", outside)
    ordered = manifest.take(_order(manifest, options.seed))
    counts = manifest.counts()
    shards: list[ShardPlan] = []
    for split in SPLITS:
        start = sum(shard.rows for shard in shards)
        shards += _cut(split, start, sum(counts[split].values()), options)
    plan = Plan(
        manifest_digest=ordered.digest(),
        options=options,
        alignment=alignment,
        landmark_scheme=_common_scheme(manifest),
        versions=pixel_versions(options)
        | format_versions(options)
        | plugin_versions(manifest, options)
        | declaration_versions(manifest),
        shards=tuple(shards),
    )
    return ordered, plan


def pixel_versions(options: BuildOptions) -> dict[str, str]:
    """Return the versions of everything of ferdata's own that can change a rendered pixel.

    OpenCV is called `opencv-python` whichever distribution of it is installed: they differ in
    windows and contributed modules only, which no pixel passes through.
    """
    augments = options.augment != "none"
    packages = (*(_COPY_PACKAGES if augments else ()), "numpy")
    versions = {name: version(name) for name in packages} | {"opencv-python": opencv_version()}
    transforms = {f"align {kind}": name for kind, name in TRANSFORMS.items()}
    return versions | transforms | {"render": RENDER_VERSION}


def format_versions(options: BuildOptions) -> dict[str, str]:
    """Return the versions of the formats that a build writes, those of plugins left out."""
    versions = {name: FORMATS.get(name).version for name in options.formats}
    return {f"format {name}": version for name, version in versions.items() if version}


def _order(manifest: Manifest, seed: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return row positions: by split, and within a split shuffled by the seed."""
    position = {split: index for index, split in enumerate(SPLITS)}
    splits = np.array([position[split] for split in manifest.column("split")])
    ids = manifest.column("sample_id")
    ranks = np.array([rank(seed, f"shard-order:{name}") for name in ids], dtype=np.uint64)
    return np.lexsort((np.array(ids), ranks, splits))


def _cut(split: str, start: int, rows: int, options: BuildOptions) -> list[ShardPlan]:
    """Divide a split's rows into the fewest shards of equal size that `shard_bytes` allows."""
    if not rows:
        return []
    number = -(-rows // max(options.shard_bytes // options.image_bytes, 1))
    edges = [start + rows * index // number for index in range(number + 1)]
    return [
        ShardPlan(
            name=shard_name(split, index, number, suffix=""),
            split=split,
            first_row=edges[index],
            rows=edges[index + 1] - edges[index],
        )
        for index in range(number)
    ]


def _common_scheme(manifest: Manifest) -> str:
    """Return the one scheme of all landmarks, or `five`, to which every scheme reduces."""
    schemes = set(manifest.table.column("landmark_scheme").unique().to_pylist()) - {None}
    return schemes.pop() if len(schemes) == 1 else "five"
