"""The record of an audit, as `ferdata audit` writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support.pages import HOSTILE


def audit_of(folder: Path, samples: tuple[str, ...] = ("spots/train_0", "spots/test_0")) -> Any:
    """Return the content of an `audit.json` with an error, a warning and a note."""
    example = {
        "samples": samples,
        "uris": ["a/1.png", "b/2.png"],
        "splits": ["train", "test"],
        "labels": [HOSTILE, "fear"],
        "text": f"mirrored {HOSTILE}",
    }
    return {
        "format": "ferdata-audit/1",
        "ferdata_version": "0.1.0",
        "audited": {
            "path": str(folder), "kind": "build", "name": HOSTILE, "layout": "", "rows": 13,
            "copies": 2, "rejects": 2, "splits": {"train": {"fear": 7}}, "notes": [HOSTILE],
        },
        "against": None,
        "findings": [
            finding("leak-copy", "error", examples=[example], details={HOSTILE: 0.25}),
            finding("prior-shift", "warning", value=0.31, threshold=0.2),
            finding("attributes", "note"),
        ],
        "rules": [
            {"rule": "leak-copy", "outcome": "findings", "reason": ""},
            {"rule": "counts", "outcome": "clean", "reason": ""},
            {"rule": "leak-subject", "outcome": "not applicable", "reason": HOSTILE},
        ],
    }  # fmt: skip


def finding(rule: str, severity: str, **changes: Any) -> dict[str, Any]:
    """Return a finding."""
    return {
        "rule": rule, "severity": severity, "subject": "train/test",
        "title": f"2 images {HOSTILE}", "unit": "images", "count": 2, "of": 13, "share": 2 / 13,
        "measure": "share of test", "value": None, "threshold": None, "means": f"Why {HOSTILE}",
        "remedy": f"Drop {HOSTILE}", "examples": [], "details": {}, **changes,
    }  # fmt: skip
