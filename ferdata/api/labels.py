"""Labels: compared between copies, and searched for errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ferdata.api.opening import open_manifest
from ferdata.api.paths import PathLike, as_path
from ferdata.core.errors import OptionError

if TYPE_CHECKING:
    from ferdata.curation.label_patches import LabelPatch
    from ferdata.data.build import Build
    from ferdata.label_errors.record import LabelErrors


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
