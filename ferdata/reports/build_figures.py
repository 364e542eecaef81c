"""The charts and tables of a build."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ferdata.core.findings import FINDINGS
from ferdata.reports.charts import BarChart, Table, bar_chart
from ferdata.reports.views import Attribute, BuildView


def way_chart(build: BuildView) -> BarChart:
    """Draw the rows at each stage."""
    rows, copies = [], 0
    for stage in build.stages:
        copies = min(copies + stage.added, stage.rows)
        added = f" (+{stage.added:,})" if stage.added else ""
        removed = f" (−{stage.removed:,})" if stage.removed else ""
        parts = (stage.rows - copies, copies, stage.removed)
        rows.append((stage.name, f"{stage.rows:,}{added}{removed}", parts))
    first, last = build.stages[0], build.stages[-1]
    return bar_chart(
        "Rows at every stage",
        f"{first.rows:,} rows were read, {build.record.rejects.total:,} rejected on the way, "
        f"{sum(stage.added for stage in build.stages):,} copies added; {last.rows:,} are stored.",
        ("originals", "copies", "rejected"),
        rows,
    )


def way_table(build: BuildView) -> Table:
    """List the rows at each stage."""
    return Table(
        "Rows at every stage",
        ("stage", "rows", "rejected", "added", "what happened"),
        [
            (stage.name, f"{stage.rows:,}", f"{stage.removed:,}", f"{stage.added:,}", stage.text)
            for stage in build.stages
        ],
        frozenset({4}),
    )


def class_chart(build: BuildView, split: str) -> BarChart:
    """Draw a split's images per class: originals and copies."""
    before, after = build.record.summary.before.get(split, {}), build.stored(split)
    rows = []
    for name in build.record.space.names:
        stored = after.get(name, 0)
        originals = min(before.get(name, 0), stored)
        copies = stored - originals
        text = f"{stored:,}" if not copies else f"{originals:,} + {copies:,} = {stored:,}"
        rows.append((name, text, (originals, copies)))
    counts = ", ".join(f"{name} {text}" for name, text, _ in rows)
    return bar_chart(
        f"Images per class in {split}",
        f"Originals and augmented copies per class in {split}: {counts}.",
        ("originals", "copies"),
        rows,
    )


def class_table(build: BuildView) -> Table:
    """List classes by splits, before and after augmentation."""
    heads, columns = ["class"], []
    for split in build.splits:
        before, after = build.record.summary.before.get(split, {}), build.stored(split)
        heads.append(f"{split}, originals")
        columns.append(before)
        if before != after:
            heads.append(f"{split}, stored")
            columns.append(after)
    return Table("Images per class and split", heads, _with_sums(build, columns))


def source_chart(build: BuildView) -> BarChart:
    """Draw the source images per class by dataset."""
    datasets = list(build.record.summary.by_dataset)
    rows = []
    for name in build.record.space.names:
        parts = [_of(build.record.summary.by_dataset[each], name) for each in datasets]
        rows.append((name, f"{sum(parts):,}", parts))
    return bar_chart(
        "Source images per class and dataset",
        f"Source images per class from {', '.join(datasets)}.",
        datasets,
        rows,
    )


def source_table(build: BuildView) -> Table:
    """List classes by datasets and splits, before augmentation."""
    heads, columns = ["class"], []
    for dataset, by_split in build.record.summary.by_dataset.items():
        for split in build.splits:
            if any(by_split.get(split, {}).values()):
                heads.append(f"{dataset}, {split}")
                columns.append(by_split[split])
    return Table("Source images per class, dataset and split", heads, _with_sums(build, columns))


def attribute_chart(attribute: Attribute) -> BarChart:
    """Draw an attribute's values with their classes as parts."""
    classes = list(next(iter(attribute.counts.values()), {}))
    rows = [
        (value, f"{sum(counts.values()):,}", [counts[name] for name in classes])
        for value, counts in attribute.counts.items()
    ]
    title = f"Source images by {attribute.name.replace('_', ' ')} and class"
    listed = ", ".join(f"{value} {text}" for value, text, _ in rows)
    return bar_chart(title, f"{title}: {listed}; {attribute.unknown:,} unknown.", classes, rows)


def attribute_table(attribute: Attribute) -> Table:
    """List the classes by an attribute's values."""
    values = list(attribute.counts)
    classes = list(next(iter(attribute.counts.values()), {}))
    rows = [[name, *(f"{attribute.counts[each][name]:,}" for each in values)] for name in classes]
    rows.append(["all", *(f"{sum(attribute.counts[each].values()):,}" for each in values)])
    title = f"Source images by {attribute.name.replace('_', ' ')} and class"
    return Table(title, ["class", *values], rows)


def reject_table(build: BuildView) -> Table:
    """List the rejects by stage and reason."""
    rows = [
        (reason, stage, f"{count:,}")
        for stage, reasons in build.record.rejects.by_reason.items()
        for reason, count in reasons.items()
    ]
    return Table("Rejected rows by reason", ("reason", "stage", "rows"), rows, frozenset({1}))


def ignored_table(build: BuildView) -> Table:
    """List the ignored files by rule."""
    rows = [(rule, f"{count:,}") for rule, count in build.record.rejects.ignored.items()]
    return Table("Ignored files", ("files", "number"), rows)


def quality_table(build: BuildView) -> Table:
    """List the findings about images that are kept."""
    rows = [
        (name, f"{count:,}", *_meaning(name))
        for name, count in build.record.summary.quality.items()
    ]
    heads = ("finding", "images", "what it means", "its measure in the manifest")
    return Table("Unusual images that are kept", heads, rows, frozenset({2, 3}))


def face_table(build: BuildView) -> Table:
    """List the faces found by class."""
    rows = []
    for name, counts in build.record.summary.faces_by_class.items():
        found, images = counts.get("found", 0), sum(counts.values())
        share = f"{found / images:.1%}" if images else "–"
        rows.append((name, f"{found:,}", f"{images:,}", share))
    return Table("Faces found", ("class", "found", "images", "share"), rows)


def _meaning(name: str) -> tuple[str, str]:
    meaning, _, measure = FINDINGS.get(name, "").partition(";")
    return meaning.strip(), measure.strip()


def _of(by_split: Mapping[str, Mapping[str, int]], name: str) -> int:
    return sum(counts.get(name, 0) for counts in by_split.values())


def _with_sums(build: BuildView, columns: Sequence[Mapping[str, int]]) -> list[list[str]]:
    rows = [
        [name, *(f"{each.get(name, 0):,}" for each in columns)] for name in build.record.space.names
    ]
    return [*rows, ["all", *(f"{sum(each.values()):,}" for each in columns)]]
