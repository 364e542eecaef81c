"""What the page shows, as plain values for JSON: the page puts all of it in place as text."""

from __future__ import annotations

import math
from typing import Any

from ferdata.reports.sheets import operations_in_words
from ferdata.viewer.marks import Marks
from ferdata.viewer.neighbors import Neighbors
from ferdata.viewer.options import PageQuery
from ferdata.viewer.queries import Queries
from ferdata.viewer.rows import Rows, audit_name
from ferdata.viewer.subjects import Subject

_LISTED = ("sample_id", "label", "split", "parent_id", "predicted", "confidence")
"""Columns of a row in the grid."""

_FACETS = ("split", "label", "dataset", "predicted")

_FACTS = (
    "dataset",
    "split",
    "label",
    "label_native",
    "predicted",
    "confidence",
    "subject",
    "sequence",
    "pose",
    "gender",
    "race",
    "age_group",
    "uri",
    "width",
    "height",
    "landmark_source",
    "face_score",
    "face_finding",
)
"""Columns of a row on its own, where known."""

Json = dict[str, Any]


class Shown:
    """Answers what the page asks.

    Args:
        subject: What is looked at.
        marks: The marks.
    """

    def __init__(self, subject: Subject, marks: Marks) -> None:
        self.subject, self.marks = subject, marks
        self.rows: Rows = subject.rows
        self._queries, self._neighbors = Queries(self.rows), Neighbors(self.rows)

    def about(self) -> Json:
        """Return what is looked at, and by what it can be filtered."""
        images = self.subject.images
        notes = [*self.subject.notes, *([f"No images: {images.missing}."] * bool(images.missing))]
        return {
            "title": self.subject.title,
            "total": len(self.rows),
            "notes": notes,
            "classes": list(self.rows.classes),
            "facets": {
                **{name: self.rows.count(name) for name in _FACETS},
                "finding": [(name, len(rows)) for name, rows in self.rows.found.items()],
                "copies": int(self.rows.is_copy.sum()),
            },
            "images": not images.missing,
            "size": images.size,
            "landmarks": images.has_landmarks,
            "findings": self._findings(),
            "marks": self.state(),
        }

    def _findings(self) -> list[Json]:
        """Return the findings of the audit, the worst first."""
        audit = self.subject.audit
        return [
            {
                **each.model_dump(include={"rule", "severity", "title", "means", "remedy"}),
                "name": name if name in self.rows.found else "",
            }
            for each in (audit.findings if audit else ())
            for name in (audit_name(each.rule, each.subject),)
        ]

    def state(self) -> Json:
        """Return how many marks there are, and where they go."""
        return {
            "count": len(self.marks),
            "dropped": len(self.marks.dropped),
            "unsaved": self.marks.unsaved,
            "file": self.marks.path.name,
        }

    def page(self, query: PageQuery) -> Json:
        """Return a part of the rows that fit a query, and how many there are."""
        marked = self.marks.mask() if query.marked else None
        found = self._queries.rows(query.rows(), marked)
        chosen = found[query.start : query.start + query.count].tolist()
        return {
            "total": len(found),
            "start": query.start,
            "rows": self._listed(chosen, landmarks=query.landmarks),
        }

    def detail(self, row: int) -> Json:
        """Return all that is known of an image, its copies and its neighbors."""
        (known,) = self.rows.take([row], ("sample_id", *_FACTS, "quality"))
        facts = [
            (name.replace("_", " "), _text(known[name])) for name in _FACTS if known[name] not in
            (None, "")
        ]  # fmt: skip
        facts += [("quality", text) for text in known["quality"] or ()]
        facts += [("found", name) for name in self.rows.findings(row)]
        family = self.rows.family(row)
        operations = self.rows.take(family, ("parent_id", "operations"))
        near = self._neighbors.nearest(row)
        return {
            "facts": facts,
            "row": self._listed([row], landmarks=True)[0],
            "family": [
                {
                    **listed,
                    "text": _made_by(each["operations"]) if each["parent_id"] else "original",
                }
                for listed, each in zip(
                    self._listed(family, landmarks=True), operations, strict=True
                )
            ],
            "neighbors": [
                {**listed, "text": f"{bits} of 256 bits differ"}
                for listed, (_, bits) in zip(
                    self._listed([each for each, _ in near], landmarks=True), near, strict=True
                )
            ],
        }

    def _listed(self, rows: list[int], *, landmarks: bool) -> list[Json]:
        images = self.subject.images
        points = images.points(rows) if landmarks else [""] * len(rows)
        known = self.rows.take(rows, _LISTED)
        return [
            {
                "row": row,
                "id": each["sample_id"],
                "label": each["label"] or "",
                "split": each["split"] or "",
                "copy": each["parent_id"] is not None,
                "predicted": each["predicted"],
                "confidence": each["confidence"],
                "mark": self.marks.of(each["parent_id"] or each["sample_id"]),
                "points": path,
                "image": image,
            }
            for row, each, path, image in zip(
                rows, known, points, images.thumbnails(rows), strict=True
            )
        ]


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}" if math.isfinite(value) else "unknown"
    return str(value)


def _made_by(operations: str | None) -> str:
    return operations_in_words(operations or "")
