"""Manifests and folders for audits, and audits of them as the command line makes them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from typer.testing import CliRunner

from ferdata.audits.findings import AuditReport, Finding
from ferdata.cli.app import app
from ferdata.core.labels import BASIC7, LabelSpace
from ferdata.core.manifest import Manifest, save_manifest
from ferdata.synth import draw_face

WORDS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
"""Folder names of the seven classes, in the order of `BASIC7`."""


def rows(count: int, split: str | None = None, **columns: Any) -> list[dict[str, Any]]:
    """Return rows of the seven classes in turn; a callable column gets the row's number."""
    return [
        {
            "label": BASIC7.names[k % 7],
            "split": split,
            **{name: each(k) if callable(each) else each for name, each in columns.items()},
        }
        for k in range(count)
    ]


def manifest(*parts: Iterable[Mapping[str, Any]], space: LabelSpace = BASIC7) -> Manifest:
    """Make a manifest of rows; what a row must have and has not is made up."""
    table = []
    for number, row in enumerate(row for part in parts for row in part):
        required = {
            "sample_id": f"own/{number:05d}",
            "dataset": "own",
            "layout": "folders",
            "uri": f"{number:05d}.png",
            "framing": "crop",
            "pixel_sha256": hashlib.sha256(str(number).encode()).hexdigest(),
        }
        table.append({**required, **row})
    return Manifest.from_rows(table, space)


def saved(path: Path, *parts: Iterable[Mapping[str, Any]], **more: Any) -> Path:
    """Write such a manifest to a file."""
    save_manifest(manifest(*parts, **more), path)
    return path


def run(*arguments: str | Path) -> tuple[int, AuditReport]:
    """Run `ferdata audit … --json`; return its exit code and its report."""
    words = ["audit", *map(str, arguments), "--json", "--quiet"]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    return result.exit_code, AuditReport.model_validate(json.loads(result.stdout))


def found(report: AuditReport, rule: str, severity: str | None = None) -> Finding:
    """Return the first finding of a rule."""
    fitting = [x for x in report.by_rule(rule) if severity in (None, x.severity)]
    assert fitting, f"{rule}: no finding; {[each.title for each in report.findings]}"
    return fitting[0]


def outcome(report: AuditReport, rule: str) -> str:
    """Return what became of a rule."""
    return next(each.outcome for each in report.rules if each.rule == rule)


def face(number: int, size: int = 64) -> np.ndarray:
    """Draw the face of a number, uint8 RGB."""
    return draw_face(BASIC7.names[number % 7], np.random.default_rng(number), size).pixels


def put(path: Path, pixels: np.ndarray, *, quality: int = 95) -> Path:
    """Write an image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    flags = [cv2.IMWRITE_JPEG_QUALITY, quality] if path.suffix == ".jpg" else []
    assert cv2.imwrite(str(path), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), flags)
    return path


def put_faces(root: Path, split: str, numbers: Iterable[int], size: int = 64) -> None:
    """Write faces into folders of a split and of their classes."""
    for number in numbers:
        put(root / split / WORDS[number % 7] / f"{number:05d}.png", face(number, size))
