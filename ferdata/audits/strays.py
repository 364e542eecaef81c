"""Images that are none of the dataset's, but lie among them: judged with the labels around them.

A copy that somebody made, `train_00001_aligned_aug0.jpg`, is no row of RAF-DB and stays a reject in
every build. Whoever trains on the folders trains on it, so an audit looks at it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa

from ferdata.audits.copy_names import base_names
from ferdata.core.image_formats import is_image
from ferdata.core.manifest import Manifest
from ferdata.core.rejects import Reject
from ferdata.core.schema import SCHEMA
from ferdata.ingesters.tree import folder_name

STRAYS = ("stray image:", "altered copy:")
"""The kinds of rejects that are such images."""


def with_strays(manifest: Manifest) -> tuple[Manifest, int]:
    """Add stray images as rows, where folder or name tell their label.

    Returns:
        The manifest, the strays no longer among its rejects, and how many there are.
    """
    strays = [each for each in manifest.rejects if _is_stray(each)]
    if not strays:
        return manifest, 0
    labels = _labels(manifest, [each.uri for each in strays])
    first = manifest.table.slice(0, 1).to_pylist()[0]
    rows = [_row(first, each.uri, label) for each, label in zip(strays, labels, strict=True)]
    added = [row for row in rows if row is not None]
    taken = {row["uri"] for row in added}
    kept = tuple(each for each in manifest.rejects if each.uri not in taken)
    grown = manifest.append(pa.Table.from_pylist(added, schema=SCHEMA))
    return replace(grown, rejects=kept), len(added)


def _is_stray(reject: Reject) -> bool:
    return reject.reason.startswith(STRAYS) and is_image(reject.uri)


def _labels(manifest: Manifest, uris: list[str]) -> list[str | None]:
    """Return the label of each stray: that of its folder, or of the row that it is named after."""
    table = manifest.table.select(["uri", "label"])
    by_folder: dict[str, set[str]] = {}
    known = table.to_pydict()
    for uri, label in zip(known["uri"], known["label"], strict=True):
        by_folder.setdefault(folder_name(uri), set()).add(label)
    names = base_names(table.column("uri"))[0].to_pylist()
    by_name = dict(zip(names, known["label"], strict=True))
    plain = base_names(pa.chunked_array([pa.array(uris, pa.string())]))[1].to_pylist()
    found: list[str | None] = []
    for uri, name in zip(uris, plain, strict=True):
        around = by_folder.get(folder_name(uri), set())
        found.append(next(iter(around)) if len(around) == 1 else by_name.get(name))
    return found


def _row(first: dict[str, Any], uri: str, label: str | None) -> dict[str, Any] | None:
    if label is None:
        return None
    constant = {name: first[name] for name in ("dataset", "layout", "framing")}
    return {**constant, "sample_id": f"{first['dataset']}/stray/{uri}", "uri": uri, "label": label}
