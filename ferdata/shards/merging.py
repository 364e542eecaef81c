"""Merging existing manifests: the steps of a mix's build before augmentation."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

import pyarrow.compute as pc

from ferdata.core.errors import LayoutError
from ferdata.core.manifest import Manifest
from ferdata.curation.merge import merge
from ferdata.curation.split import resolve_rules, split
from ferdata.curation.stage import curate
from ferdata.faces.locate import locate_faces
from ferdata.faces.options import FaceOptions
from ferdata.ingesters import detect
from ferdata.recipes.mix import Mix
from ferdata.shards.options import BuildOptions
from ferdata.shards.sources import Data, MixSource, folders

logger = logging.getLogger(__name__)

_UNHASHED = "duplicates were not searched: the manifests contain no image hashes"


def merge_manifests(
    mix: Mix,
    manifests: Sequence[Manifest],
    data: Data | None = None,
    *,
    seed: int = 0,
    executor: Executor | None = None,
    workers: int = 1,
    quiet: bool = False,
) -> Manifest:
    """Merge manifests as a mix declares, and split the result by its rules.

    Args:
        mix: The mix.
        manifests: One for each of its datasets, or several datasets in one.
        data: Where the images are. They are read and hashed, so that duplicates across datasets
            end up in one split. None: no image is read, and duplicates are searched only if the
            manifests already contain hashes.
        seed: Seed of the splits.
        executor: Reads the images; default: this process.
        workers: Number of processes of the executor.
        quiet: Show no progress.

    Raises:
        FerdataError: The manifests, the mix or the data can't be used.
    """
    options = MixSource(mix).complete(BuildOptions(seed=seed))
    merged = merge(manifests, mix)
    near = options.near_duplicates
    if data is not None:
        merged = replace(merged, roots=_roots(merged, data))
        shipped = FaceOptions(landmarks="dataset", perceptual_hash=True)
        merged = locate_faces(merged, shipped, executor=executor, workers=workers, quiet=quiet)
    rules = resolve_rules(merged, options.split)
    wanted = ["pixel_sha256"] if near is None else ["pixel_sha256", "perceptual_hash"]
    if any(merged.table.column(column).null_count for column in wanted):
        logger.warning("%s. Pass --data, so that the images can be read.", _UNHASHED)
        parted = split(merged, rules, validation=options.validation, seed=seed)
        return parted.with_provenance("fallbacks", {"duplicates": _UNHASHED})
    return curate(
        merged,
        rules,
        duplicates=options.duplicates,
        near=near,
        validation=options.validation,
        seed=seed,
    )


def _roots(merged: Manifest, data: Data) -> dict[str, Path]:
    """Find the folder that each dataset's uris are relative to."""
    pairs = merged.table.group_by(["dataset", "layout"]).aggregate([]).to_pylist()
    given = folders(data, tuple(sorted(pc.unique(merged.table.column("dataset")).to_pylist())))
    roots = {}
    for pair in pairs:
        name, layout = pair["dataset"], pair["layout"]
        fitting = [
            each.root for each in detect(given[name]) if (each.dataset, each.name) == (name, layout)
        ]
        if not fitting:
            raise LayoutError(
                f"{given[name]}: contains no {name} in the layout {layout}, from which its "
                "manifest was made; pass the folder that was ingested."
            )
        roots[name] = fitting[0]
    return roots
