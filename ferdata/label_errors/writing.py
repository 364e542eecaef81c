"""The files of a search for label errors: tables, a proposed patch, contact sheets, the record."""

from __future__ import annotations

from pathlib import Path

from ferdata.core.files import write_csv, write_json
from ferdata.curation.label_patches import LabelChange, LabelPatch, save_patch
from ferdata.curation.split_files.table import PIXEL_BYTES
from ferdata.evaluation.figures import contact_sheet, save_png
from ferdata.label_errors.examined import Examined
from ferdata.label_errors.record import LabelErrors, LabelIssue

RECORD = "label_errors.json"
PROPOSAL = "proposal.labels.json"


def write_label_errors(errors: LabelErrors, examined: Examined, out: Path, *, sheet: int) -> None:
    """Write all files; the record is the last.

    Args:
        errors: What was found.
        examined: The images.
        out: The folder.
        sheet: Images on each contact sheet.
    """
    fields = list(LabelIssue.model_fields)
    rows = ([getattr(each, field) for field in fields] for each in errors.issues)
    write_csv(out / "issues.csv", fields, rows)
    shares = ([true, *given.values()] for true, given in errors.noise.items())
    write_csv(out / "noise.csv", ["true \\ given", *errors.noise], shares)
    save_patch(_proposal(errors, examined), out / PROPOSAL)
    for label in errors.by_class:
        _write_sheet(label, errors, examined, out / "sheets" / f"{label}.png", sheet)
    write_json(out / RECORD, errors.model_dump(mode="json"))


def _proposal(errors: LabelErrors, examined: Examined) -> LabelPatch:
    rows = examined.rows
    pixels = dict(zip(rows.column("sample_id"), rows.column("pixel_sha256"), strict=True))
    changes = tuple(
        LabelChange(
            sample_id=each.sample_id,
            old=each.label,
            new=each.suggested,
            reason=f"confident learning: {each.confidence:.3f} for {each.label}",
            pixels=(pixels[each.sample_id] or "")[: 2 * PIXEL_BYTES],
        )
        for each in errors.issues
        if each.suggested != each.label
    )
    title = f"proposal for {errors.build}"
    return LabelPatch(title=title, source="ferdata label-errors", changes=changes)


def _write_sheet(
    label: str, errors: LabelErrors, examined: Examined, path: Path, most: int
) -> None:
    """Write a contact sheet of the most suspicious images of a class; none if there is none."""
    issues = [each for each in errors.issues if each.label == label]
    if not issues:
        path.unlink(missing_ok=True)  # of an earlier search
        return
    shown = issues[:most]
    captions = [
        f"{each.label} {each.confidence:.0%}\n→ {each.suggested} {each.probability:.0%}"
        for each in shown
    ]
    subtitle = f"the {len(shown)} most suspicious of {len(issues)}: label → suggested class"
    images = examined.images([each.sample_id for each in shown])
    title = f"{label} in {errors.build}"
    save_png(contact_sheet(images, captions, title=title, subtitle=subtitle), path)
