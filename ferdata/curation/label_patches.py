"""Label patches: corrected labels as a list of changes, applied with a check of the old ones."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ferdata.core.errors import OptionError
from ferdata.core.files import write_json
from ferdata.core.labels import BASIC7, BASIC8, CANONICAL, LabelSpace
from ferdata.core.manifest import Manifest
from ferdata.core.records import RecordPart, read_given
from ferdata.core.rejects import Reject
from ferdata.curation.split_files.matching import match_rows
from ferdata.curation.split_files.published import hash_prefixes
from ferdata.curation.split_files.table import PIXEL_BYTES, SplitTable

_SHOWN = 5


class LabelChange(RecordPart):
    """One corrected label.

    Attributes:
        sample_id: The image.
        old: Its label so far.
        new: The right one; None if the image has none and is to be left out.
        reason: Why.
        pixels: The first 12 hexadecimal characters of its pixel hash, by which it is found under
            another id; empty if unknown.
    """

    sample_id: str
    old: str
    new: str | None
    reason: str = ""
    pixels: str = ""


class LabelPatch(RecordPart):
    """The content of a label patch.

    Attributes:
        format: Name and version of the format.
        title: What it corrects.
        source: Who says so.
        changes: The corrections.
    """

    format: Literal["ferdata-labels/1"] = "ferdata-labels/1"
    title: str = ""
    source: str = ""
    changes: tuple[LabelChange, ...]


def load_patch(path: Path) -> LabelPatch:
    """Read a label patch.

    Raises:
        OptionError: It can't be read, is none, or changes an image twice.
    """
    patch = read_given(
        path, LabelPatch, kind="label patch", writer="ferdata labels diff", option="--labels"
    )
    seen: set[str] = set()
    for change in patch.changes:
        if change.sample_id in seen:
            raise OptionError(f"--labels {path}: {change.sample_id} is changed twice")
        seen.add(change.sample_id)
    return patch


def save_patch(patch: LabelPatch, path: Path) -> None:
    """Write a label patch, atomically."""
    write_json(path, patch.model_dump(mode="json"))


def apply_patch(manifest: Manifest, path: Path) -> Manifest:
    """Apply a label patch to the rows of a manifest.

    A row whose label is not the patch's old one keeps it. Soft labels of changed rows are dropped,
    since they would contradict the new label. Rows without a right label are rejects (stage
    `curate`).

    Args:
        manifest: Source images; with pixel hashes, rows are also found under other ids.
        path: The patch.

    Returns:
        The rows with the new labels, in a label space that has them; provenance under `"labels"`.

    Raises:
        OptionError: The patch can't be read, changes none of the rows, or has a class that is
            neither an expression nor in the label space.
    """
    patch = load_patch(path)
    changes = patch.changes
    table = SplitTable(
        [change.sample_id for change in changes],
        labels=[change.old for change in changes],
        pixels=hash_prefixes([change.pixels or None for change in changes], PIXEL_BYTES),
    )
    matches = match_rows(manifest, table, [""] * len(changes))
    rows = np.flatnonzero(matches.entry >= 0)
    wrong = {row for row, _ in matches.relabeled}
    chosen = {row: changes[matches.entry[row]] for row in rows.tolist() if row not in wrong}
    if not chosen and changes:
        raise OptionError(
            f"--labels {path}: none of its {len(changes):,} changes is of an image here with the "
            f"old label, {changes[0].sample_id} ({changes[0].old}) for instance"
        )
    dropped = np.zeros(len(manifest), bool)
    dropped[[row for row, change in chosen.items() if change.new is None]] = True
    done = _relabeled(manifest, chosen, path)
    names, uris = manifest.column("sample_id"), manifest.column("uri")
    rejects = [
        Reject(names[row], uris[row], "curate", f"label patch: {chosen[row].reason or 'no label'}")
        for row in np.flatnonzero(dropped).tolist()
    ]
    said = {
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "title": patch.title,
        "source": patch.source,
        "changed": len(chosen) - len(rejects),
        "dropped": len(rejects),
        "missing": len(matches.missing),
        "other_label": len(wrong),
        "other_label_first": [names[row] for row in sorted(wrong)[:_SHOWN]],
    }
    return done.reject(dropped, rejects).with_provenance("labels", said)


def _relabeled(manifest: Manifest, chosen: Mapping[int, LabelChange], path: Path) -> Manifest:
    """Return the rows with new labels, and without the soft labels of those that changed."""
    labels, soft = manifest.column("label"), manifest.column("soft_label")
    new = {row: change.new for row, change in chosen.items() if change.new is not None}
    labels = [new.get(row, label) for row, label in enumerate(labels)]
    space = _space(manifest.label_space, set(new.values()), path)
    done = replace(manifest, label_space=space).with_column("label", labels)
    if any(soft[row] is not None for row in new):
        kept = [None if row in new else each for row, each in enumerate(soft)]
        done = done.with_column("soft_label", kept)
    return done


def patch_notes(said: dict[str, Any]) -> list[str]:
    """Say what a label patch did, for a build's notes.

    Args:
        said: The provenance that `apply_patch` added; empty if there was no patch.
    """
    if not said:
        return []
    source = f" ({said['source']})" if said["source"] else ""
    text = f"labels are corrected by {said['file']}{source}: {said['changed']:,} changed"
    if said["dropped"]:
        text += f", {said['dropped']:,} images left out"
    if said["other_label"]:
        text += f"; {said['other_label']:,} have another label than the patch expects and keep it"
    if said["missing"]:
        text += f"; {said['missing']:,} images of the patch are not here"
    return [text]


def diff_labels(one: Manifest, other: Manifest, *, source: str = "") -> LabelPatch:
    """Return the patch that gives the rows of a manifest the labels of another.

    Rows are the same if their keys, paths or pixels are; rejects of the other manifest are images
    to leave out.

    Args:
        one: The manifest whose labels are to be corrected.
        other: The manifest with the right labels, of the same images.
        source: Who says so.
    """
    keys = [_key(name) for name in other.column("sample_id")]
    dropped = {_key(each.sample_id): each.reason for each in other.rejects if each.sample_id}
    pixels = other.column("pixel_sha256") + [None] * len(dropped)
    table = SplitTable(
        [*keys, *dropped],
        labels=[*other.column("label"), *[""] * len(dropped)],
        pixels=hash_prefixes(pixels, PIXEL_BYTES),
    )
    entry = match_rows(one, table, [""] * len(table)).entry.tolist()
    names, labels, hashes = (
        one.column(column) for column in ("sample_id", "label", "pixel_sha256")
    )
    changes = [
        LabelChange(
            sample_id=names[row],
            old=labels[row],
            new=table.labels[place] or None,
            reason=dropped.get(table.names[place], ""),
            pixels=(hashes[row] or "")[: 2 * PIXEL_BYTES],
        )
        for row, place in enumerate(entry)
        if place >= 0 and table.labels[place] != labels[row]
    ]
    datasets = " and ".join(sorted(set(one.strings("dataset")) | set(other.strings("dataset"))))
    return LabelPatch(
        title=f"labels that differ: {datasets}", source=source, changes=tuple(changes)
    )


def _key(name: str) -> str:
    return name.partition("/")[2]


def _space(space: LabelSpace, new: set[str], path: Path) -> LabelSpace:
    """Return a label space that has the new classes."""
    missing = sorted(new - set(space.names))
    if not missing:
        return space
    if unknown := [name for name in missing if name not in CANONICAL]:
        raise OptionError(
            f"--labels {path}: {unknown[0]!r} is no class here; expected {', '.join(space.names)} "
            "or another expression"
        )
    return _expressions([*space.names, *missing])


def _expressions(names: Sequence[str]) -> LabelSpace:
    wanted = set(names)
    for known in (BASIC7, BASIC8):
        if wanted == set(known.names):
            return known
    ordered = [name for name in CANONICAL if name in wanted]
    return LabelSpace("expressions", (*ordered, *sorted(wanted - set(ordered))))
