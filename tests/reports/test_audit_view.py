"""What a page says about an audit: findings with remedies, and images of its examples."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.audits import audit_of
from support.pages import HOSTILE, ParsedPage

from ferdata.audits.findings import AuditReport
from ferdata.core.errors import AuditError
from ferdata.reports.audits import describe_audit
from ferdata.reports.options import ReportOptions
from ferdata.reports.write import write_report


def audit_at(folder: Path) -> AuditReport:
    return AuditReport.of(json.loads(json.dumps(audit_of(folder))), folder)


def test_findings_stand_with_their_remedies(hostile_audit: Path, tmp_path: Path) -> None:
    parsed = ParsedPage(write_report([hostile_audit], tmp_path / "a.html").read_text("utf-8"))
    text = " ".join(parsed.words)
    assert text.count("What to do:") == 3
    assert f"Drop {HOSTILE}" in text
    assert "not applicable" in text
    shown = [each["data-severity"] for each in parsed.all_of("section") if "data-severity" in each]
    assert shown == ["error", "warning", "note"]
    assert parsed.data["audits"][0]["severities"] == {"error": 1, "warning": 1, "note": 1}


def test_examples_of_a_build_are_found_by_their_ids(hostile_build: Path) -> None:
    view = describe_audit(audit_at(hostile_build), [], ReportOptions())
    ((first, second),) = view.examples_of(0)
    assert (first.sample, second.sample) == ("spots/train_0", "spots/test_0")
    assert view.examples_of(1) == ()


def test_examples_of_a_folder_are_found_by_their_paths(tmp_path: Path) -> None:
    root = tmp_path / "set"  # the audited folder may hold the dataset's own
    for name in ("a/1.png", "b/2.png"):
        (root / name).parent.mkdir(parents=True)
        cv2.imwrite(str(root / name), np.full((40, 30, 3), 90, np.uint8))
    (root / "b/2.png").write_bytes(b"no image")
    ((found,),) = describe_audit(audit_at(tmp_path), [], ReportOptions()).examples_of(0)
    assert (found.sample, found.label, found.split) == ("spots/train_0", HOSTILE, "train")
    assert (found.width, found.height) == (30, 40)


def test_an_example_never_leaves_the_audited_folder(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "out.png"), np.full((40, 30, 3), 90, np.uint8))
    folder = tmp_path / "set"
    folder.mkdir()
    values = audit_of(folder)
    values["findings"][0]["examples"][0]["uris"] = ["../out.png", str(tmp_path / "out.png")]
    audit = AuditReport.of(json.loads(json.dumps(values)), folder)
    assert describe_audit(audit, [], ReportOptions()).images == ()


def test_without_faces_there_are_no_names(hostile_audit: Path, tmp_path: Path) -> None:
    out = write_report([hostile_audit], tmp_path / "a.html", ReportOptions(faces=False))
    page = out.read_text(encoding="utf-8")
    assert "spots/" not in page
    assert "1.png" not in page
    assert str(hostile_audit.parent) not in page


def test_an_audit_in_a_folder_is_found(hostile_audit: Path, tmp_path: Path) -> None:
    shutil.copy(hostile_audit, tmp_path / "audit.json")
    assert write_report([tmp_path]) == tmp_path / "report.html"


def test_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "audit.json"
    path.write_text(json.dumps(audit_of(tmp_path) | {"format": "ferdata-audit/9"}))
    with pytest.raises(AuditError, match="newer ferdata"):
        write_report([path])
