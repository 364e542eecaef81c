"""`export` of a build: one folder in a format of another library, complete or not at all."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ferdata.core.errors import BuildError, OptionError, UnknownNameError
from ferdata.core.files import TEMPORARY_SUFFIX, write_atomically
from ferdata.core.options import flag
from ferdata.core.progress import progress_bar
from ferdata.exports.options import BuildExportOptions
from ferdata.exports.record import BuildExportReport, ExportRecord
from ferdata.exports.registry import EXPORTS
from ferdata.formats.names import READ_FORMAT
from ferdata.shards.terms import redistribution_terms

if TYPE_CHECKING:
    from ferdata.data.build import Build
    from ferdata.exports.contract import ExportContent, ExportFormat


def export_build(
    build: Build | str | Path,
    to: str,
    out: str | Path,
    options: BuildExportOptions | None = None,
    *,
    quiet: bool = False,
    **given: Any,
) -> BuildExportReport:
    """Write a build as a folder that another library opens.

    The folder gets its name when it is complete. Its bytes depend only on the build and the
    options. Images are lossless PNG, or pixels; rows keep the build's order in each split.

    Args:
        build: A build, or its directory.
        to: The format, see `ferdata.exports.registry`.
        out: The folder; it must not exist, or be empty.
        options: The options; default: made of `given`.
        quiet: Show no progress.
        **given: Options by name, as in `BuildExportOptions`.

    Raises:
        OptionError: An option is wrong, or `out` holds something.
        BuildError: The build is not finished, is damaged or has no HDF5 shards, or the folder can't
            be written.
    """
    asked = options or BuildExportOptions.checked({"to": to, **given}, kind="export option")
    from ferdata.data.build import Build  # noqa: PLC0415 - loads the label space
    from ferdata.exports.contract import ExportContent  # noqa: PLC0415 - loads OpenCV

    opened, folder = Build.open(build), Path(out).expanduser()
    _require_splits(opened, asked)
    _require_room(folder, force=asked.force)
    written = EXPORTS.get(asked.to)
    splits = tuple(split for split in opened.splits if split in (asked.splits or opened.splits))
    content = ExportContent(opened, splits, asked.copies, asked.shard_bytes)
    counts = {split: len(content.selected(split)) for split in splits}
    record = _record(written, content, counts)
    with progress_bar(f"exporting {written.name}", sum(counts.values()), quiet=quiet) as bar:
        _write(folder, written, replace(content, advance=bar.update), record)
    files = [path for path in folder.rglob("*") if path.is_file()]
    return BuildExportReport(
        folder=str(folder),
        target=written.name,
        name=opened.name,
        splits=counts,
        files=len(files),
        bytes=sum(path.stat().st_size for path in files),
        terms=record.terms,
        example=_example(written, folder, record),
    )


def _require_splits(build: Build, options: BuildExportOptions) -> None:
    """Check that the build has the splits, and shards that can be read.

    Raises:
        UnknownNameError: A split is missing.
        BuildError: The build has no HDF5 shards.
    """
    for split in options.splits or ():
        if split not in build.splits:
            raise UnknownNameError(f"split of {build.root}", split, build.splits)
    if READ_FORMAT not in build.record.options.formats:
        raise BuildError(
            f"{build.root}: built without HDF5 shards, which an export reads; build again with "
            f"--formats {','.join((READ_FORMAT, *build.record.options.formats))}"
        )


def _require_room(folder: Path, *, force: bool) -> None:
    """Check that the folder can be written.

    Raises:
        OptionError: It is a file, or holds something that must not be replaced.
    """
    if folder.is_file():
        raise OptionError(f"--out {folder} is a file; name a folder")
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    earlier = (folder / ExportRecord.file_name).is_file()
    if not earlier:
        raise OptionError(f"--out {folder} is not empty, and holds no export; nothing was written")
    if not force:
        raise OptionError(
            f"--out {folder} holds an export already; nothing was written. Name another folder, or "
            f"replace it with {flag('force')}"
        )


def _write(
    folder: Path, written: ExportFormat, content: ExportContent, record: ExportRecord
) -> None:
    """Write into a folder with a temporary name, and rename it.

    Raises:
        BuildError: The disk is full, or the folder can't be written.
    """
    partial = folder.with_name(folder.name + TEMPORARY_SUFFIX)
    if partial.exists() and not (partial / ExportRecord.file_name).is_file():
        raise BuildError(f"{partial}: is in the way, and was not left by an export; remove it")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        record.save(partial)
        written.write(partial, content)
        with write_atomically(partial / "README.md") as file:
            file.write(_readme(written, record).encode())
        if folder.exists():
            shutil.rmtree(folder)
        partial.rename(folder)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise BuildError(f"{folder}: can't be written: {error.strerror or error}") from error
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _record(written: ExportFormat, content: ExportContent, counts: dict[str, int]) -> ExportRecord:
    build = content.build
    return ExportRecord(
        to=written.name,
        name=build.name,
        plan_sha256=build.plan_sha256,
        classes=build.label_space.names,
        splits=counts,
        copies=content.copies,
        landmark_scheme=build.landmarks.scheme,
        terms=redistribution_terms(build.record),
    )


def _example(written: ExportFormat, folder: Path | str, record: ExportRecord) -> str:
    split = next((name for name, rows in record.splits.items() if rows), "train")
    return written.example.format(out=folder, split=split)


def _readme(written: ExportFormat, record: ExportRecord) -> str:
    """Return the text of the folder's README: what it is, how it is opened, and the terms."""
    counts = ", ".join(f"{split} {rows:,}" for split, rows in record.splits.items())
    names = ", ".join(f"{index} {name}" for index, name in enumerate(record.classes))
    copies = "with augmented copies" if record.copies else "without augmented copies"
    return f"""\
# {record.name} as {written.title}

Exported from a build of ferdata {record.ferdata_version} (plan `{record.plan_sha256[:12]}`).

- images: {counts}; {copies}
- classes: {names}
- landmarks: {record.landmark_scheme or "none"}

Coordinates are pixels of the image; integers are pixel centers. A row with a `parent_id` is an
augmented copy of the row with that `sample_id`, made by its `operations`.

```python
{_example(written, ".", record)}
```

## Terms

{chr(10).join(f"- {each}" for each in record.terms)}
"""
