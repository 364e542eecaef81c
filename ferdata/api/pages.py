"""Reports as HTML pages."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ferdata.api.paths import PathLike, as_path
from ferdata.core.errors import OptionError
from ferdata.data.build import Build
from ferdata.reports.options import ReportOptions
from ferdata.runs.folder import RunFolder

Subject = PathLike | Build | RunFolder


def report(
    paths: Subject | Iterable[Subject], *, out: PathLike | None = None, **options: Any
) -> Path:
    """Write one HTML file about builds, training runs and audits.

    Args:
        paths: One or several: builds and runs, open or by their folders, and audits by their
            `audit.json`.
        out: The file; default: `report.html` in the folder, of several in the working directory.
        **options: Options of `ferdata.reports.options.ReportOptions`, for instance `faces=False`.

    Returns:
        The file.

    Raises:
        FerdataError: A path is none of these, or what it holds is damaged; the message says what to
            do.
    """
    one = isinstance(paths, str | os.PathLike | Build | RunFolder)
    given: Iterable[Any] = [paths] if one else paths  # type: ignore[assignment]  # as checked
    folders = [_folder(each) for each in given]
    if not folders:
        raise OptionError("name a build, a training run or an audit to report on")
    from ferdata.reports.write import write_report  # noqa: PLC0415 - loads cv2 and pyarrow

    file = None if out is None else as_path(out, "out")
    return write_report(folders, file, ReportOptions.checked(options, kind="report option"))


def _folder(subject: Any) -> Path:
    if isinstance(subject, Build):
        return subject.root
    return subject.path if isinstance(subject, RunFolder) else as_path(subject, "path")
