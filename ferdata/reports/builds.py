"""What a report says about a build."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath

import pyarrow as pa
import pyarrow.compute as pc

from ferdata.core.config import CONFIG_FILE
from ferdata.core.errors import ManifestError
from ferdata.core.manifest import Manifest
from ferdata.core.rejects import Reject, load_rejects
from ferdata.core.schema import SCHEMA
from ferdata.data.build import Build
from ferdata.data.manifest_columns import read_manifest_columns
from ferdata.evaluation.groups import ATTRIBUTES, group_order
from ferdata.reports.duplicates import duplicates
from ferdata.reports.options import ReportOptions
from ferdata.reports.sheets import class_sheets, copy_sheets
from ferdata.reports.stages import stages
from ferdata.reports.stored import StoredImages
from ferdata.reports.unusual import unusual_sheets
from ferdata.reports.views import Attribute, BuildView, RejectedRow
from ferdata.shards.paper_counts import describe_comparison
from ferdata.shards.record import BuildRecord

_COLUMNS = (
    "sample_id",
    "dataset",
    "label",
    "split",
    "official_split",
    "parent_id",
    "pixel_sha256",
    "perceptual_hash",
    *ATTRIBUTES,
)
"""Columns of the manifest that are read; the landmarks are most of the file."""

_REJECTS_OF_A_KIND = 3
_LONGEST = 300  # characters of a reason


def describe_build(build: Build, options: ReportOptions) -> BuildView:
    """Return what a report says about a build; equal for equal builds, wherever they are.

    Args:
        build: The build.
        options: What is shown.

    Raises:
        BuildError: A shard can't be read.
        ManifestError: The manifest or the list of rejects can't be read.
    """
    record = build.record
    manifest = _manifest(build)
    images = StoredImages(build)
    why = images.missing if options.faces else "left out: --no-faces"
    paper = record.recipe.expected if record.recipe else ()
    return BuildView(
        record=record if options.faces else _shareable(record),
        title=_title(record),
        command=_command(record),
        split_digest=record.split_digest,
        splits=tuple(build.splits),
        images=record.rows,
        sources=sum(sum(counts.values()) for counts in record.summary.before.values()),
        stages=stages(record),
        rejected=_rejected_rows(build) if options.faces else (),
        duplicates=duplicates(record, manifest, images if options.faces else None),
        attributes=_attributes(manifest, record.space.names),
        paper_texts=tuple(describe_comparison(table) for table in paper),
        sheets=() if why else class_sheets(images, options.samples),
        copies=() if why else copy_sheets(images),
        unusual=() if why else unusual_sheets(manifest, images),
        without_images=why,
    )


def _shareable(record: BuildRecord) -> BuildRecord:
    """Leave out what may name files: how the rows came to be, and the path of a recipe."""
    recipe, scale = record.options.recipe, record.synthetic_scale
    options = record.options.model_copy(update={"recipe": recipe and PurePath(recipe).name})
    provenance = {} if scale is None else {"ingest": {"synthetic_scale": scale}}
    summary = record.summary.model_copy(update={"provenance": provenance})
    return record.model_copy(update={"options": options, "summary": summary})


def _title(record: BuildRecord) -> str:
    title = ", ".join(record.datasets.values()) or record.name
    return title if record.synthetic_scale is None else f"{title}, synthetic copy"


def _command(record: BuildRecord) -> str:
    """Return the command that repeats a build from the file beside its record."""
    data = "" if record.synthetic_scale is not None else " --data DIR"
    return f"ferdata build --config {CONFIG_FILE}{data} --out OUT"


def _manifest(build: Build) -> Manifest | None:
    """Read the columns of the manifest that a report needs; the others are empty."""
    table = read_manifest_columns(build.root, _COLUMNS)
    if table is None:
        return None
    try:
        quality = read_manifest_columns(build.root, ["quality"])
    except ManifestError:  # older versions lack it, and only it: the others were read
        quality = None
    if quality is not None:
        table = table.append_column("quality", quality.column("quality"))
    columns = [
        table.column(field.name)
        if field.name in table.column_names
        else pa.nulls(len(table), field.type)
        for field in SCHEMA
    ]
    return Manifest(pa.table(columns, schema=SCHEMA), build.label_space)


def _rejected_rows(build: Build) -> tuple[RejectedRow, ...]:
    """Return some of the rejected rows."""
    path = build.root / "rejects.parquet"
    rows = load_rejects(path) if build.record.rejects.total and path.is_file() else ()
    return tuple(
        RejectedRow(uri=each.uri, stage=each.stage, reason=each.reason[:_LONGEST])
        for each in _some(rows)
    )


def _some(rows: Sequence[Reject]) -> list[Reject]:
    """Return the first rejects of each kind."""
    seen: Counter[tuple[str, str]] = Counter()
    chosen = []
    for each in rows:
        kind = each.stage, each.reason.partition(":")[0]
        seen[kind] += 1
        if seen[kind] <= _REJECTS_OF_A_KIND:
            chosen.append(each)
    return chosen


def _attributes(manifest: Manifest | None, classes: Sequence[str]) -> tuple[Attribute, ...]:
    """Count the source images by attribute and class, where an attribute is known."""
    if manifest is None:
        return ()
    table = manifest.table.filter(pc.is_null(manifest.table.column("parent_id")))
    found = []
    for name in ATTRIBUTES:
        known = table.filter(pc.is_valid(table.column(name)))
        if not len(known):
            continue
        counts: dict[str, dict[str, int]] = {}
        grouped = known.group_by([name, "label"]).aggregate([([], "count_all")])
        for row in sorted(grouped.to_pylist(), key=lambda row: group_order(row[name])):
            by_class = counts.setdefault(row[name], dict.fromkeys(classes, 0))
            by_class[row["label"]] = row["count_all"]
        unknown = len(table) - len(known)
        found.append(Attribute(name=name, known=len(known), unknown=unknown, counts=counts))
    return tuple(found)
