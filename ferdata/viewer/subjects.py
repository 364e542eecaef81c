"""What is looked at: a build, a run with its predictions, or an audit with its findings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from ferdata.audits.findings import AuditReport
from ferdata.core.errors import BuildError, LayoutError, RunError
from ferdata.core.files import read_json
from ferdata.data.build import Build
from ferdata.evaluation.prediction_file import Prediction, read_predictions
from ferdata.evaluation.report import EvaluationReport, read_report
from ferdata.formats.names import AUDIT_FILE, BUILD_FILE
from ferdata.reports.audits import folders_below
from ferdata.runs.folder import RunFolder
from ferdata.runs.record import RunRecord
from ferdata.viewer.images import FileSource, ImageSource, StoredSource
from ferdata.viewer.rows import Rows, build_rows, make_rows


@dataclass(frozen=True)
class Subject:
    """What is looked at.

    Attributes:
        title: What it is, for instance `build rafdb`.
        rows: Its rows.
        images: Their images.
        audit: What was found in it, if it was audited.
        notes: What must be known about the rows.
    """

    title: str
    rows: Rows
    images: ImageSource
    audit: AuditReport | None = None
    notes: tuple[str, ...] = ()


def open_subject(path: Path) -> Subject:
    """Open a build, a run or an audit.

    Args:
        path: The folder of a build or of a run, or the file of an audit.

    Raises:
        LayoutError: It is none of these.
        FerdataError: It is damaged, or the build of a run is gone.
    """
    folder = path.parent if path.name in (BUILD_FILE, RunRecord.file_name) else path
    if (folder / RunRecord.file_name).is_file():
        return _run(RunFolder(folder))
    if path.is_file() and path.suffix == ".json" and path.name != BUILD_FILE:
        return _audit(AuditReport.of(read_json(path), path))
    if (folder / BUILD_FILE).is_file() or (folder / "plan.json").is_file():
        return _build(Build.open(folder))
    if (folder / AUDIT_FILE).is_file():
        return _audit(AuditReport.open(folder))
    what = "neither a build, a training run nor an audit"
    raise LayoutError(
        f"{path}: {what if path.exists() else 'no such file or folder'}; give the --out of "
        "`ferdata build` or `ferdata train`, or the audit.json of `ferdata audit`"
    )


def _build(build: Build, audit: AuditReport | None = None, title: str = "") -> Subject:
    if audit is None and (build.root / AUDIT_FILE).is_file():
        audit = AuditReport.open(build.root)
    rows = build_rows(build, audit=audit)
    images = StoredSource(build, rows)
    return Subject(title or f"Build {build.name}", rows, images, audit, tuple(_notes(build)))


def _run(run: RunFolder) -> Subject:
    """Open a run: its build's rows with the predictions of the checkpoint that it selected."""
    record, build = run.read(), run.own_build()
    reports = [
        (folder, report)
        for folder in sorted((run.path / "evaluation").glob("*"))
        if (report := read_report(folder)) is not None
        and report.plan_sha256 == build.plan_sha256
        and report.checkpoint == record.options.select
    ]
    predictions = [each for folder, report in reports for each in _predictions(folder, report)]
    rows = build_rows(build, predictions)
    notes = list(_notes(build))
    if reports:
        splits = ", ".join(sorted(report.split for _, report in reports))
        notes.append(f"Predictions of the {record.options.select} checkpoint on: {splits}.")
    else:
        notes.append("This run has no predictions on its build; run `ferdata eval` to have them.")
    title = f"Run {record.options.model} on {build.name}"
    return Subject(title, rows, StoredSource(build, rows), None, tuple(notes))


def _predictions(folder: Path, report: EvaluationReport) -> list[Prediction]:
    return read_predictions(folder, [each.label for each in report.scores.per_class])


def _audit(audit: AuditReport) -> Subject:
    """Open an audit: on the build or run that was audited if it is here, else its examples."""
    title, path = f"Audit of {audit.audited.name}", Path(audit.audited.path)
    try:
        run = audit.audited.kind == "run"
        return _build(RunFolder(path).own_build() if run else Build.open(path), audit, title)
    except (BuildError, RunError):  # something else was audited, or it is gone
        rows = make_rows(_examples(audit), sorted(_labels(audit)), audit=audit)
    sets = [Path(each.path) for each in (audit.audited, audit.against) if each is not None]
    roots = [root for each in sets if each.is_dir() for root in folders_below(each)]
    notes = ("Only the examples of the findings are shown, not all images.",)
    return Subject(title, rows, FileSource(rows, roots), audit, notes)


def _examples(audit: AuditReport) -> pa.Table:
    """Return the images that an audit shows as examples, each once."""
    found: dict[str, dict[str, str]] = {}
    for example in (each for finding in audit.findings for each in finding.examples):
        for k, sample in enumerate(example.samples):
            row = found.setdefault(sample, {"sample_id": sample})
            for name, values in (
                ("uri", example.uris),
                ("split", example.splits),
                ("label", example.labels),
            ):
                if k < len(values):
                    row.setdefault(name, values[k])
    schema = pa.schema([(name, pa.string()) for name in ("sample_id", "uri", "split", "label")])
    filled = [{**row, "dataset": row["sample_id"].partition("/")[0]} for row in found.values()]
    return pa.Table.from_pylist(filled, schema=schema.append(pa.field("dataset", pa.string())))


def _labels(audit: AuditReport) -> set[str]:
    return {name for counts in audit.audited.splits.values() for name in counts if name}


def _notes(build: Build) -> Iterator[str]:
    """Yield what must be known before images of a build are marked."""
    if build.record.options.labels:
        yield (
            f"This build's labels were corrected by {build.record.options.labels}. To correct more "
            "of them, continue that file: name it with --out."
        )
    for leak in build.leaks:
        yield f"This build leaks: {leak}"
