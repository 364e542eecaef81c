"""Images with a finding: some of each kind, with its measure."""

from __future__ import annotations

import pyarrow.compute as pc

from ferdata.core.draws import rank
from ferdata.core.manifest import Manifest
from ferdata.reports.stored import StoredImages
from ferdata.reports.views import UnusualSheet

SHOWN = 6
"""Images of a finding shown."""


def unusual_sheets(manifest: Manifest | None, images: StoredImages) -> tuple[UnusualSheet, ...]:
    """Return stored originals with each finding of `ferdata.core.findings`, drawn from their ids.

    Args:
        manifest: The build's rows; None if it has none.
        images: Its images.
    """
    if manifest is None:
        return ()
    table = manifest.table.select(["sample_id", "parent_id", "quality"])
    found_any = pc.greater(pc.list_value_length(table.column("quality")), 0)
    rows = table.filter(pc.and_(pc.is_null(table.column("parent_id")), found_any))
    measures: dict[str, dict[str, str]] = {}  # by finding and sample
    for row in rows.to_pylist():
        for text in row["quality"]:
            name, _, measure = text.partition(":")
            measures.setdefault(name, {})[row["sample_id"]] = measure
    sheets = []
    for name, found in sorted(measures.items()):
        chosen = sorted(found, key=lambda sample: rank(0, f"report:{sample}"))[:SHOWN]
        there = images.find(chosen)
        shown = [there[sample] for sample in chosen if sample in there]
        sheets.append(
            UnusualSheet(
                finding=name,
                images=tuple(
                    each.model_copy(update={"text": found[each.sample]}) for each in shown
                ),
            )
        )
    return tuple(sheets)
