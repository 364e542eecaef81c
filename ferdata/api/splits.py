"""Splits: published without images, and compared with a copy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ferdata.api.opening import open_manifest
from ferdata.api.paths import PathLike, as_path
from ferdata.core.errors import OptionError

if TYPE_CHECKING:
    from ferdata.curation.split_files.applying import Differences
    from ferdata.curation.split_files.published import PublishedSplit


def export_split(
    source: PathLike, out: PathLike, *, attributes: Sequence[str] = ()
) -> PublishedSplit:
    """Write who is where in a build or manifest, without an image, path or attribute.

    Args:
        source: A build directory, or a manifest with splits.
        out: The file to write, `NAME.split.json`.
        attributes: Columns to publish too, for instance `subject`; none by default.

    Returns:
        What was written.

    Raises:
        OptionError: `out` is no json file, rows have no split, or there is no such column.
        ManifestError: The manifest can't be read.
    """
    from ferdata.curation.split_files import published  # noqa: PLC0415 - loads numpy and pyarrow
    from ferdata.shards.dataset_infos import info_of  # noqa: PLC0415

    path = as_path(out, "out")
    if path.suffix.lower() != published.ENDING:
        raise OptionError(f"--out {path}: a split file is a .json file")
    manifest = open_manifest(source)
    layouts = manifest.table.group_by(["dataset", "layout"]).aggregate([]).to_pylist()
    facts = {}
    for each in sorted(layouts, key=str):
        info = info_of(manifest, each["dataset"])
        facts[each["dataset"]] = {
            "title": info.title,
            "license": info.license,
            "source": info.access.url,
            "layout": each["layout"],
        }
    split = published.export_split(manifest, facts, attributes)
    published.save_split(split, path)
    return split


def compare_split(
    file: PathLike, source: PathLike, *, fold: int | None = None
) -> list[Differences]:
    """Compare a split file with the rows of a build or manifest.

    Args:
        file: The split, whatever its kind; see `--split file:…`.
        source: A build directory, or a manifest.
        fold: The fold to test on, if the file has folds.

    Returns:
        What is missing, extra, ambiguous or relabeled, for each dataset.

    Raises:
        OptionError: The file can't be read.
        ManifestError: The manifest can't be read.
    """
    import numpy as np  # noqa: PLC0415 - keeps start-up light

    from ferdata.core.given_splits import FileRule  # noqa: PLC0415
    from ferdata.curation.split_files.applying import compare_split as compare  # noqa: PLC0415

    manifest = open_manifest(source)
    datasets, parents = manifest.strings("dataset"), manifest.strings("parent_id")
    rule = FileRule(as_path(file, "file"), fold)
    sources = np.array([parent is None for parent in parents], bool)
    return [
        compare(manifest.take(np.flatnonzero((datasets == name) & sources)), name, rule)
        for name in sorted(set(datasets))
    ]
