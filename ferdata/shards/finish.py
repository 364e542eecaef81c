"""Finishing a build: stored manifest, rejects, cards, and `build.json` last."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Sequence
from pathlib import Path

from ferdata.core.files import sha256_file
from ferdata.core.findings import count_findings
from ferdata.core.manifest import Manifest
from ferdata.core.rejects import Reject, save_rejects
from ferdata.core.split_rules import OfficialRule, parse_rules
from ferdata.core.version import __version__
from ferdata.curation.leakage import declare_leak, leak_texts
from ferdata.curation.merge import counts_by_dataset
from ferdata.faces.schemes import scheme
from ferdata.formats.names import READ_FORMAT
from ferdata.formats.registry import FORMATS
from ferdata.recipes import Recipe
from ferdata.shards.card import card_content
from ferdata.shards.cards import with_cards
from ferdata.shards.dataset_infos import info_of
from ferdata.shards.fallbacks import fallback_notes
from ferdata.shards.options import BuildOptions
from ferdata.shards.paper_counts import recipe_record
from ferdata.shards.plan import Plan
from ferdata.shards.record import (
    BuildRecord,
    FileRecord,
    ImageRecord,
    LabelSpaceRecord,
    LandmarkRecord,
    RejectRecord,
    SplitRecord,
    SummaryRecord,
)
from ferdata.shards.scale import scale_notes, set_scales
from ferdata.shards.shard import ShardReport


def finish(
    name: str,
    source: Manifest,
    planned: Manifest,
    plan: Plan,
    out: Path,
    reports: Sequence[ShardReport],
    recipe: Recipe | None = None,
) -> BuildRecord:
    """Write the files beside the shards; `build.json` is last and marks the build as finished.

    Args:
        name: The build's name.
        source: The manifest before augmentation.
        planned: The plan's rows in the plan's order.
        plan: The plan.
        out: The build directory.
        reports: The report of every shard, in the plan's order.
        recipe: The recipe that the options come from.

    Returns:
        The content of `build.json`. Equal builds have equal records: no times, no absolute paths.
    """
    failed = [reject for report in reports for reject in report.rejects]
    source, stored = without_failed(source, planned, plan.options, reports)
    if failed:  # otherwise `manifest.parquet` already contains exactly these rows
        stored.save(out / "manifest.parquet", row_group_sizes=[report.rows for report in reports])
    rejects = [*source.rejects, *failed]
    save_rejects(rejects, out / "rejects.parquet")
    record = _build_record(name, source, stored, plan, reports, rejects)
    if recipe is not None:
        compared = recipe_record(recipe, name, source, stored, plan.options)
        record = record.model_copy(update={"recipe": compared})
    content = card_content(record, stored)
    files = record.files | _files_beside_shards(out)
    record = with_cards(record.model_copy(update={"files": files}), content, out)
    record.save(out)
    return record


def without_failed(
    source: Manifest, planned: Manifest, options: BuildOptions, reports: Iterable[ShardReport]
) -> tuple[Manifest, Manifest]:
    """Drop the rows that could not be rendered, and count leaks again.

    An image and its augmented copies are separate rows: one may fail without the other.

    Args:
        source: The manifest before augmentation.
        planned: The plan's rows.
        options: The plan's options, with resolved split rules.
        reports: The report of every shard.

    Returns:
        The source images and all rows as stored.
    """
    gone = {reject.sample_id for report in reports for reject in report.rejects}
    if not gone:
        return source, planned
    stored = _without(planned, gone)
    if "leak" in stored.provenance:
        stored = declare_leak(
            stored, parse_rules(options.split), augmented_before_split=options.augments_first
        )
    return _without(source, gone), stored


def _build_record(
    name: str,
    source: Manifest,
    stored: Manifest,
    plan: Plan,
    reports: Sequence[ShardReport],
    rejects: Sequence[Reject],
) -> BuildRecord:
    options, space = plan.options, stored.label_space
    scales = set_scales(stored, plan.alignment, options.size)
    return BuildRecord(
        name=name,
        ferdata_version=__version__,
        plan_sha256=plan.sha256,
        seed=options.seed,
        label_space=LabelSpaceRecord(name=space.name, names=space.names),
        image=ImageRecord(
            height=options.size,
            width=options.size,
            channels=options.channels,
            encoding=options.encoding,
        ),
        landmarks=LandmarkRecord(
            scheme=plan.landmark_scheme, points=scheme(plan.landmark_scheme).size
        ),
        splits=_splits(stored, plan, reports),
        files={
            path: FileRecord(sha256=file["sha256"], rows=file["rows"])
            for report in reports
            for path, file in report.files.items()
        },
        options=options,
        alignment=plan.alignment,
        versions=plan.versions,
        leaks=tuple(leak_texts(stored.provenance)),
        notes=(
            *notes(source, options.split),
            *fallback_notes(stored, plan.alignment),
            *scale_notes(scales, options.border),
        ),
        datasets={dataset: info_of(stored, dataset).title for dataset in sorted(stored.roots)},
        rejects=RejectRecord(
            total=len(rejects),
            by_stage=dict(sorted(Counter(reject.stage for reject in rejects).items())),
            by_reason=_by_reason(rejects),
            ignored=stored.provenance.get("ingest", {}).get("ignored", {}),
        ),
        summary=SummaryRecord(
            before=source.counts(),
            after=stored.counts(),
            by_dataset=counts_by_dataset(source),
            faces=_face_counts(source),
            faces_by_class=stored.provenance.get("faces", {}).get("by_class", {}),
            scales=scales,
            quality=count_findings(source.column("quality")),
            provenance=dict(stored.provenance),
        ),
    )


def _splits(stored: Manifest, plan: Plan, reports: Sequence[ShardReport]) -> dict[str, SplitRecord]:
    """Return the splits that have rows."""
    return {
        split: SplitRecord(
            rows=sum(counts.values()), counts=counts, shards=_shard_files(split, plan, reports)
        )
        for split, counts in stored.counts().items()
        if any(counts.values())
    }


def notes(source: Manifest, split: str) -> list[str]:
    """Return why results on a build can't be compared with others'.

    Args:
        source: The source images with their splits.
        split: The split rules, as text.
    """
    rules = parse_rules(split)
    frame = source.table.select(["dataset", "official_split", "split"]).to_pandas()
    lines = []
    for dataset, rows in frame[frame["official_split"].notna()].groupby("dataset"):
        if isinstance(rules.of(dataset), OfficialRule):
            continue
        held_out = rows[rows["official_split"] == "test"]
        if held_out.empty:
            continue  # without an official test split there are no results to compare with
        tested = rows[rows["split"] == "test"]
        if (held_out["split"] == "test").all() and len(tested) == len(held_out):
            continue  # a split file says what the authors say
        moved = int((held_out["split"] == "train").sum())
        lines.append(
            f"the official split of {dataset} is not used: {moved:,} of its {len(held_out):,} test "
            "images are in train, so results can't be compared with results on the official split"
        )
    return lines


def _shard_files(split: str, plan: Plan, reports: Sequence[ShardReport]) -> tuple[str, ...]:
    """Return a split's shards in the format that `ferdata.data` reads, else in the first one."""
    formats = plan.options.formats
    wanted = FORMATS.get(READ_FORMAT if READ_FORMAT in formats else formats[0]).folder + "/"
    return tuple(
        path
        for report in reports
        for path, file in report.files.items()
        if file["split"] == split and path.startswith(wanted)
    )


def _by_reason(rejects: Sequence[Reject]) -> dict[str, dict[str, int]]:
    """Count rejects by stage and reason."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for reject in rejects:
        counts[reject.stage][_kind(reject.reason)] += 1
    return {stage: dict(sorted(reasons.items())) for stage, reasons in sorted(counts.items())}


def _kind(reason: str) -> str:
    """Return the kind of a reason: what comes before the colon; details come after it."""
    return reason.partition(":")[0]


def _face_counts(source: Manifest) -> dict[str, int]:
    sources = Counter(value or "none" for value in source.column("landmark_source"))
    return dict(sorted(sources.items()))


def _files_beside_shards(out: Path) -> dict[str, FileRecord]:
    names = ("manifest.parquet", "rejects.parquet", "plan.json")
    there = [name for name in names if (out / name).exists()]
    return {name: FileRecord(sha256=sha256_file(out / name)) for name in there}


def _without(manifest: Manifest, gone: Container[str]) -> Manifest:
    ids = manifest.column("sample_id")
    return manifest.take([index for index, name in enumerate(ids) if name not in gone])
