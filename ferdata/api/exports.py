"""Exports: builds and training runs as files of other libraries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from ferdata.api.opening import open_folder
from ferdata.api.paths import PathLike, as_path
from ferdata.core.errors import OptionError
from ferdata.data import build as opened
from ferdata.deployment.options import ExportOptions
from ferdata.exports.options import BuildExportOptions
from ferdata.exports.registry import EXPORTS
from ferdata.runs.folder import RunFolder

if TYPE_CHECKING:
    from ferdata.deployment.results import ExportReport
    from ferdata.exports.record import BuildExportReport


def export(
    source: PathLike | opened.Build | RunFolder,
    to: str | None = None,
    *,
    out: PathLike | None = None,
    quiet: bool = False,
    **options: Any,
) -> BuildExportReport | ExportReport:
    """Write a build as a folder that another library opens, or a run's model for other programs.

    Args:
        source: A build or a run, open or by its folder.
        to: The format. Of a build: `"csv"`, `"fiftyone"`, `"imagefolder"`, `"litdata"`,
            `"parquet"` or `"webdataset"`, or a plugin's. Of a run: `"onnx"` (the default), a file
            that runs without ferdata and without torch; `"hf"`, a folder that transformers and timm
            open; `"safetensors"`, a file of weights.
        out: The folder or the file; a run has a default inside its folder.
        quiet: Show no progress.
        **options: For a build those of `ferdata.exports.BuildExportOptions`, for instance
            `copies=False`; for a run those of `ferdata.deployment.ExportOptions`.

    Raises:
        FerdataError: The build, the run or an option is wrong, `out` is not empty, or the outputs
            of an exported model differ from torch's.
        MissingExtraError: An extra that the format needs is not installed.
    """
    return run_export(source, to, out, options, quiet=quiet)


def run_export(
    source: PathLike | opened.Build | RunFolder,
    to: str | None,
    out: PathLike | None,
    options: Mapping[str, Any],
    *,
    quiet: bool,
    spelled: Callable[[str], str] = str,
) -> BuildExportReport | ExportReport:
    """Carry out a call of `export`.

    Args:
        source: As for `export`.
        to: As for `export`.
        out: As for `export`.
        options: Options by name.
        quiet: Show no progress.
        spelled: How an option is written where the call comes from, for messages.

    Raises:
        FerdataError: As for `export`.
    """
    known = isinstance(source, opened.Build | RunFolder)
    found = source if known else open_folder(source)  # type: ignore[arg-type]  # as checked
    given = dict(options) if to is None else {"to": to, **options}
    if isinstance(found, RunFolder):
        _refuse(given, found.path, spelled, run=True)
        from ferdata.deployment import export as write  # noqa: PLC0415 - keeps start-up light

        asked = ExportOptions.checked(given, kind="export option", spelled=spelled)
        return write(found.path, None if out is None else as_path(out, "out"), asked)
    if not isinstance(found, opened.Build):
        raise OptionError(f"{source} is a manifest; give the folder of a build or of a run")
    _refuse(given, found.root, spelled, run=False)
    chosen = BuildExportOptions.checked(given, kind="export option", spelled=spelled)
    if out is None:
        raise OptionError(f"{spelled('out')} is missing: the folder to export into")
    from ferdata.exports import export_build  # noqa: PLC0415 - keeps start-up light

    return export_build(found, chosen.to, as_path(out, "out"), chosen, quiet=quiet)


def run_formats() -> tuple[str, ...]:
    """Return the formats of runs."""
    return get_args(ExportOptions.model_fields["to"].annotation)


def _refuse(
    given: Mapping[str, Any], folder: Path, spelled: Callable[[str], str], *, run: bool
) -> None:
    """Refuse a format and options that are of the other kind of export.

    Raises:
        OptionError: One is, or a build is given without a format.
    """
    what = f"{folder} is a {'training run' if run else 'build'}"
    formats = run_formats() if run else tuple(EXPORTS)
    others = tuple(EXPORTS) if run else run_formats()
    possible = f"{what}, which is exported to {', '.join(formats)}"
    to = given.get("to")
    if to in others and to not in formats:
        kind = "builds" if run else "runs"
        raise OptionError(f"{spelled('to')} {to} is for {kind}; {possible}")
    if to is None and not run:
        raise OptionError(f"{spelled('to')} is missing; {possible}")
    models = (BuildExportOptions, ExportOptions) if run else (ExportOptions, BuildExportOptions)
    known, own = (set(model.model_fields) for model in models)
    for name in given:
        if name in known - own:
            raise OptionError(f"{spelled(name)} has no meaning here: {what}")
