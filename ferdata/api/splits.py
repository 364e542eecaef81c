"""Splits and labels: published without images, compared with a copy, searched for errors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ferdata.api.paths import PathLike, as_path
from ferdata.core.errors import OptionError

if TYPE_CHECKING:
    from ferdata.core.manifest import Manifest
    from ferdata.curation.label_patches import LabelPatch
    from ferdata.curation.split_files.applying import Differences
    from ferdata.curation.split_files.published import PublishedSplit
    from ferdata.data.build import Build
    from ferdata.label_errors.record import LabelErrors


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


def diff_labels(
    one: PathLike, other: PathLike, *, out: PathLike | None = None, source: str = ""
) -> LabelPatch:
    """Compare the labels of two builds or manifests of the same images.

    Args:
        one: The build or manifest whose labels are to be corrected.
        other: The build or manifest with the right labels.
        out: The patch to write, for `ferdata.build(…, labels=…)`.
        source: Who says so, for the patch.

    Returns:
        The changes.

    Raises:
        OptionError: `out` is no json file.
        ManifestError: A manifest can't be read.
    """
    from ferdata.curation import label_patches  # noqa: PLC0415 - loads numpy and pyarrow

    path = None if out is None else as_path(out, "out")
    if path is not None and path.suffix.lower() != ".json":
        raise OptionError(f"--out {path}: a label patch is a .json file")
    patch = label_patches.diff_labels(open_manifest(one), open_manifest(other), source=source)
    if path is not None:
        label_patches.save_patch(patch, path)
    return patch


def find_label_errors(
    build: PathLike | Build, *, out: PathLike, quiet: bool = True, **options: Any
) -> LabelErrors:
    """Find images whose labels are probably wrong, by confident learning; nothing is changed.

    Args:
        build: A build, or its directory.
        out: Folder of tables, contact sheets and a proposed label patch.
        quiet: Show no progress.
        **options: Options of `ferdata.label_errors.options.LabelErrorOptions`, for instance
            `include_test=True`.

    Returns:
        What was found, the most suspicious images first.

    Raises:
        FerdataError: The build or an option is wrong.
        MissingExtraError: The extra `audit` is not installed.
    """
    from ferdata.data.build import Build as Opened  # noqa: PLC0415 - keeps start-up light
    from ferdata.label_errors.options import LabelErrorOptions  # noqa: PLC0415
    from ferdata.label_errors.search import search_label_errors  # noqa: PLC0415

    checked = LabelErrorOptions.checked(options)
    return search_label_errors(Opened.open(build), checked, as_path(out, "out"), quiet=quiet)


def open_manifest(source: PathLike) -> Manifest:
    """Open the manifest of a build directory, or a manifest file."""
    from ferdata.core.manifest import load_manifest  # noqa: PLC0415 - loads pyarrow

    path = as_path(source, "build or manifest")
    return load_manifest(path / "manifest.parquet" if Path(path).is_dir() else path)
