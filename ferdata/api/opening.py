"""Opening what ferdata made: a build, a training run, or a manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ferdata.api.paths import PathLike, as_path
from ferdata.core.errors import LayoutError

if TYPE_CHECKING:
    from ferdata.api.builds import Build
    from ferdata.api.runs import Run
    from ferdata.core.manifest import Manifest


def open_folder(path: PathLike) -> Build | Run | Manifest:
    """Open a build, a run or a manifest.

    Args:
        path: The folder of a build or of a run, or a manifest's Parquet file.

    Returns:
        `Build`, `Run` or `Manifest`.

    Raises:
        LayoutError: It is none of these.
        BuildError: A build that is not finished, or damaged.
        RunError: A run whose record is damaged.
    """
    from ferdata.runs.record import RunRecord  # noqa: PLC0415 - keeps `import ferdata` light
    from ferdata.shards.record import BuildRecord  # noqa: PLC0415

    folder = as_path(path, "path")
    if folder.name in (BuildRecord.file_name, RunRecord.file_name):
        folder = folder.parent
    if folder.suffix == ".parquet":
        from ferdata.core.manifest import Manifest  # noqa: PLC0415 - loads pyarrow

        return Manifest.load(folder)
    if (folder / RunRecord.file_name).is_file():
        from ferdata.api.runs import Run  # noqa: PLC0415

        return Run.open(folder)
    if (folder / BuildRecord.file_name).is_file() or (folder / "plan.json").is_file():
        from ferdata.api.builds import Build  # noqa: PLC0415

        return Build.open(folder)
    what = "no such folder" if not folder.exists() else "neither a build nor a training run"
    raise LayoutError(
        f"{folder}: {what}; give the --out of `ferdata build` or `ferdata train`, or the Parquet "
        "file of a manifest"
    )


def open_manifest(source: PathLike) -> Manifest:
    """Open the manifest of a build directory, or a manifest file."""
    from ferdata.core.manifest import load_manifest  # noqa: PLC0415 - loads pyarrow

    path = as_path(source, "build or manifest")
    return load_manifest(path / "manifest.parquet" if path.is_dir() else path)
