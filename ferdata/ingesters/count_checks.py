"""Comparing what was read with what a complete copy has, so that a damaged copy is noticed.

Differences are logged as a warning and recorded; they stop nothing, because a copy that lacks three
images is still worth a build.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ferdata.core.errors import ParseError
from ferdata.core.files import DEMO_MARKER
from ferdata.core.manifest import Manifest
from ferdata.core.parsing import parse_json
from ferdata.ingesters.info import ALL_CLASSES, UNSPLIT

logger = logging.getLogger(__name__)

_MAX_TABLE = 24


@dataclass(frozen=True)
class CountDifference:
    """A number of images that differs from the published one.

    Attributes:
        split: The official split.
        label: The class, or `ALL_CLASSES` for the whole split.
        found: Images that were read.
        published: Images of a complete copy.
    """

    split: str
    label: str
    found: int
    published: int


def official_counts(manifest: Manifest) -> dict[str, dict[str, int]]:
    """Count rows by official split (`UNSPLIT` without one) and class of the label space."""
    grouped = manifest.table.group_by(["official_split", "label"]).aggregate([([], "count_all")])
    counts: dict[str, dict[str, int]] = {}
    for row in sorted(grouped.to_pylist(), key=lambda row: str(row["official_split"])):
        split = counts.setdefault(
            row["official_split"] or UNSPLIT, dict.fromkeys(manifest.label_space.names, 0)
        )
        split[row["label"]] = row["count_all"]
    return counts


def count_differences(
    counts: Mapping[str, Mapping[str, int]], expected: Mapping[str, Mapping[str, int]]
) -> list[CountDifference]:
    """List every published number that differs from the counts.

    Args:
        counts: Rows by split and class.
        expected: The published ones; a split's total may stand under `ALL_CLASSES`.
    """
    differences = []
    for split, published in expected.items():
        found = dict(counts.get(split, {}))
        found[ALL_CLASSES] = sum(found.values())
        differences += [
            CountDifference(split, label, found.get(label, 0), number)
            for label, number in published.items()
            if found.get(label, 0) != number
        ]
    return differences


def check_counts(
    manifest: Manifest,
    name: str,
    expected: Mapping[str, Mapping[str, int]],
    folders: Iterable[Path],
) -> dict[str, Any]:
    """Compare a manifest's counts with the published ones; warn if they differ.

    Args:
        manifest: The rows of one dataset.
        name: The dataset's name.
        expected: The published counts, as for `count_differences`.
        folders: Where the marker of a synthetic copy may be.

    Returns:
        For the provenance: `count_check` (a sentence), `count_differences` (a list of mappings),
        and for a synthetic copy `synthetic_scale`.
    """
    demo = demo_marker(folders)
    if demo is not None:
        scale = demo.get("scale", "unknown")
        sentence = f"synthetic copy at scale {scale}: counts not compared"
        logger.info("%s: %s", name, sentence)
        return {"count_check": sentence, "count_differences": [], "synthetic_scale": scale}
    if not expected:
        return {"count_check": "no counts are published", "count_differences": []}
    differences = count_differences(official_counts(manifest), expected)
    if differences:
        logger.warning(
            "%s: %d counts differ from the published ones (damaged, changed or partial copy?):\n%s",
            name,
            len(differences),
            difference_table(differences),
        )
    return {
        "count_check": "differs from the published counts" if differences else "as published",
        "count_differences": [asdict(difference) for difference in differences],
    }


def difference_table(differences: list[CountDifference]) -> str:
    """Return differences as a table."""
    lines = [f"  {'split':<12}{'class':<24}{'here':>8}{'published':>11}"]
    lines += [
        f"  {each.split:<12}{each.label:<24}{each.found:>8,}{each.published:>11,}"
        for each in differences[:_MAX_TABLE]
    ]
    if len(differences) > _MAX_TABLE:
        lines.append(f"  … and {len(differences) - _MAX_TABLE} more")
    return "\n".join(lines)


def demo_marker(folders: Iterable[Path]) -> dict[str, Any] | None:
    """Return the content of a synthetic copy's marker, or None for other copies."""
    for folder in folders:
        try:
            marker = parse_json((folder / DEMO_MARKER).read_bytes())
        except FileNotFoundError:
            continue
        except (OSError, ParseError):
            return {}
        return marker if isinstance(marker, dict) else {}
    return None
