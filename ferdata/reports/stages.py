"""The way of the data: rows at every stage of a build."""

from __future__ import annotations

from ferdata.core.split_rules import SPLITS
from ferdata.reports.views import Stage
from ferdata.shards.record import BuildRecord


def stages(record: BuildRecord) -> tuple[Stage, ...]:
    """Return the rows that left each stage, and those that it removed or added.

    Everything is counted back from the stored images, so that the numbers add up.
    """
    removed = record.rejects.by_stage
    failed = removed.get("build", 0)
    kept = sum(sum(counts.values()) for counts in record.summary.before.values())
    split = _after_split(record, kept)
    located = split + removed.get("curate", 0)
    ingested = located + removed.get("faces", 0)
    found = ingested + removed.get("ingest", 0)
    copies = record.rows + failed - split
    way = [
        Stage(name="read", rows=found, text=_read(record)),
        Stage(
            name="ingest",
            rows=ingested,
            removed=removed.get("ingest", 0),
            text="labels, subjects, official splits",
        ),
        Stage(name="faces", rows=located, removed=removed.get("faces", 0), text=_faces(record)),
        Stage(name="curate", rows=split, removed=removed.get("curate", 0), text=_curate(record)),
        Stage(name="split", rows=split, text=_splits(record)),
        Stage(name="augment", rows=split + copies, added=copies, text=_augment(record)),
        Stage(name="render", rows=record.rows, removed=failed, text=_render(record)),
    ]
    if record.options.augments_first:
        way[-3], way[-2] = (
            way[-2],
            way[-3].model_copy(update={"rows": split + copies, "text": "originals and copies"}),
        )
    return tuple(way)


def _after_split(record: BuildRecord, kept: int) -> int:
    """Return the source images in a split; some of them may have failed to be rendered."""
    counts = record.summary.provenance.get("split", {}).get("counts", {})
    if record.options.augments_first or not counts:
        return kept
    return max(kept, sum(sum(by_class.values()) for by_class in counts.values()))


def _read(record: BuildRecord) -> str:
    ignored = sum(record.rejects.ignored.values())
    aside = f"; {ignored:,} other files ignored" if ignored else ""
    return f"rows of {', '.join(record.datasets) or record.name}{aside}"


def _faces(record: BuildRecord) -> str:
    faces = record.summary.faces
    parts = [
        f"{count:,} {'without landmarks' if source == 'none' else f'with landmarks from {source}'}"
        for source, count in faces.items()
    ]
    return ", ".join(parts) or "not looked for"


def _curate(record: BuildRecord) -> str:
    found = record.summary.provenance.get("duplicates", {})
    groups = found.get("clusters", 0)
    return f"{groups:,} groups of duplicates found, action: {found.get('action', 'none')}"


def _splits(record: BuildRecord) -> str:
    before = record.summary.before
    counts = [f"{name} {sum(before[name].values()):,}" for name in SPLITS if before.get(name)]
    return f"{record.options.split}: {', '.join(counts)}"


def _augment(record: BuildRecord) -> str:
    options = record.options
    if options.augment == "none":
        return "no augmentation"
    where = "all images, before the split" if options.augments_first else "only train"
    return f"{options.augment} to {options.balance_to}: {where}"


def _render(record: BuildRecord) -> str:
    image = record.image
    color = "gray" if image.channels == 1 else "RGB"
    return f"{image.width}×{image.height} {color}, {image.encoding}"
