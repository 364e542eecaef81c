"""`report`: what lies at some paths, described and written as one HTML file."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ferdata.audits.findings import AuditReport
from ferdata.core.errors import LayoutError
from ferdata.core.files import read_json, write_atomically
from ferdata.data.build import Build
from ferdata.formats.names import AUDIT_FILE, BUILD_FILE, REPORT_FILE
from ferdata.reports.audits import describe_audit
from ferdata.reports.builds import describe_build
from ferdata.reports.options import ReportOptions
from ferdata.reports.page import page
from ferdata.reports.runs import describe_run
from ferdata.reports.views import Report
from ferdata.runs.folder import RunFolder
from ferdata.runs.record import RunRecord

NAMELESS_FILE = "report-no-faces.html"
"""Default name of a report without faces, beside the full one."""


@dataclass
class _Subjects:
    """What is reported on."""

    builds: list[Build] = field(default_factory=list)
    runs: list[RunFolder] = field(default_factory=list)
    audits: list[AuditReport] = field(default_factory=list)


def write_report(
    paths: Sequence[Path], out: Path | None = None, options: ReportOptions | None = None
) -> Path:
    """Write a report on builds, runs and audits.

    Args:
        paths: Folders of builds and runs, and audits: an `audit.json`, or a folder with one.
        out: The file; default: `report.html` in the folder, for several paths in the working
            directory.
        options: What is shown.

    Returns:
        The file.

    Raises:
        LayoutError: A path is none of these.
        FerdataError: A record is damaged, an image can't be read, or the file can't be written.
    """
    options = options or ReportOptions()
    subjects = _open(paths)
    target = out or _default(paths, options)
    flags = "" if options.faces else " --no-faces"
    names = " ".join(
        shlex.quote(path.resolve().name if options.faces else "PATH") for path in paths
    )
    _write(subjects, target, options, f"ferdata report {names}{flags}")
    return target


def write_build_report(build: Path) -> Path:
    """Write the report that belongs to a build into its directory; equal builds get equal files.

    Raises:
        FerdataError: The build can't be read, or the file can't be written.
    """
    target = build / REPORT_FILE
    subjects = _Subjects(builds=[Build.open(build)])
    if (build / AUDIT_FILE).is_file():
        subjects.audits.append(AuditReport.open(build))
    _write(subjects, target, ReportOptions(), "ferdata report OUT")
    return target


def _write(subjects: _Subjects, target: Path, options: ReportOptions, command: str) -> None:
    report = Report(
        title=_title(subjects),
        command=command,
        faces=options.faces,
        builds=tuple(describe_build(each, options) for each in subjects.builds),
        runs=tuple(describe_run(each, subjects.builds, options) for each in subjects.runs),
        audits=tuple(describe_audit(each, subjects.builds, options) for each in subjects.audits),
    )
    with write_atomically(target) as file:
        file.write(page(report).encode())


def _title(subjects: _Subjects) -> str:
    names = [
        *(f"build {each.name}" for each in subjects.builds),
        *(f"run {each.read().options.model}" for each in subjects.runs),
        *(f"audit of {each.audited.name}" for each in subjects.audits),
    ]
    title = ", ".join(names)
    return title[0].upper() + title[1:]


def _default(paths: Sequence[Path], options: ReportOptions) -> Path:
    name = REPORT_FILE if options.faces else NAMELESS_FILE
    if len(paths) > 1:
        return Path(name)
    return (paths[0] if paths[0].is_dir() else paths[0].parent) / name


def _open(paths: Iterable[Path]) -> _Subjects:
    """Open what lies at paths.

    Raises:
        LayoutError: A path is neither a build, nor a run, nor an audit.
    """
    found = _Subjects()
    for path in paths:
        folder = path.parent if path.name in (BUILD_FILE, RunRecord.file_name) else path
        if (folder / RunRecord.file_name).is_file():
            found.runs.append(RunFolder(folder))
        elif path.is_file() and path.suffix == ".json" and path.name != BUILD_FILE:
            found.audits.append(AuditReport.of(read_json(path), path))
        elif (folder / BUILD_FILE).is_file() or (folder / "plan.json").is_file():
            found.builds.append(Build.open(folder))
        elif (folder / AuditReport.file_name).is_file():
            found.audits.append(AuditReport.open(folder))
        else:
            what = "neither a build, a training run nor an audit"
            raise LayoutError(
                f"{path}: {what if path.exists() else 'no such file or folder'}; give the --out of "
                "`ferdata build` or `ferdata train`, or the audit.json of `ferdata audit`"
            )
    return found
