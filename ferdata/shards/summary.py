"""The text at the end of a build, for a person."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ferdata.formats.contract import ShardFormat
from ferdata.formats.registry import FORMATS
from ferdata.shards.paper_counts import describe_expected
from ferdata.shards.pipeline import BuildReport

_SPLIT_HEADS = {"train": "train", "validation": "valid", "test": "test"}


def summary(report: BuildReport) -> str:
    """Describe a finished build: counts before and after, rejects, where it is, what to do next."""
    record = report.record
    parts = [
        _headline(report),
        _leaks(record),
        _counts_table(record),
        _by_source(record),
        _facts(record),
        _recipe(record),
        _notes(record),
        _rejects(report),
        _places(report),
        _next_steps(report),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _headline(report: BuildReport) -> str:
    record = report.record
    rows = sum(split["rows"] for split in record["splits"].values())
    title = ", ".join(record["datasets"].values())
    if "synthetic_scale" in record["summary"]["provenance"].get("ingest", {}):
        title += ", synthetic copy"
    what = "was already complete; nothing was rendered" if report.already_done else "is complete"
    return f"{title}: the build in {report.out} {what}: {rows:,} images."


def _leaks(record: Any) -> str:
    return "\n".join(f"THIS BUILD LEAKS: {text}." for text in record.get("leaks", []))


def _recipe(record: Any) -> str:
    recipe = record.get("recipe")
    if recipe is None:
        return ""
    how = ", with the split first" if recipe["leak_free"] else ""
    lines = [f"recipe     {recipe['name']}{how}"]
    lines += [f"  {describe_expected(found)}" for found in recipe["expected"]]
    return "\n".join(lines)


def _notes(record: Any) -> str:
    return "\n".join(f"note       {note}" for note in record.get("notes", []))


def _counts_table(record: Any) -> str:
    """Lay out counts per class and split, before and after augmentation."""
    if _augmented_first(record):
        return _counts_of_all(record)
    before, after = record["summary"]["before"], record["summary"]["after"]
    splits = [split for split in _SPLIT_HEADS if split in record["splits"]]
    heads = ["class"] + [_SPLIT_HEADS[split] for split in splits] + ["train augmented", "share"]
    names = record["label_space"]["names"]
    total_after = sum(after["train"].values()) or 1
    rows = [
        [name]
        + [f"{before[split][name]:,}" for split in splits]
        + [
            f"{after['train'][name]:,} (+{after['train'][name] - before['train'][name]:,})",
            f"{after['train'][name] / total_after:.1%}",
        ]
        for name in names
    ]
    totals = ["all"] + [f"{sum(before[split].values()):,}" for split in splits]
    added = total_after - sum(before["train"].values())
    rows.append([*totals, f"{sum(after['train'].values()):,} (+{added:,})", ""])
    return _table(heads, rows)


def _augmented_first(record: Any) -> bool:
    options = record["options"]
    return bool(options.get("augment_before_split")) and options["augment"] != "none"


def _counts_of_all(record: Any) -> str:
    """Lay out counts where every split was augmented: images, then rows of each split."""
    before, after = record["summary"]["before"], record["summary"]["after"]
    splits = [split for split in _SPLIT_HEADS if split in record["splits"]]
    names = record["label_space"]["names"]
    rows = []
    for name in [*names, "all"]:
        classes = names if name == "all" else [name]
        images = sum(_sum(by_class, classes) for by_class in before.values())
        each = [_sum(after[split], classes) for split in splits]
        cells = [f"{images:,}", f"{sum(each):,} (+{sum(each) - images:,})"]
        rows.append([name, *cells, *(f"{number:,}" for number in each)])
    return _table(["class", "images", "augmented", *map(_SPLIT_HEADS.__getitem__, splits)], rows)


def _by_source(record: Any) -> str:
    """Show where the images come from, before augmentation, in a build of several datasets."""
    counts = record["summary"]["by_dataset"]
    if len(counts) < 2:
        return ""
    return "images by source, before augmentation\n" + sources_table(
        counts, record["label_space"]["names"]
    )


def sources_table(
    counts: Mapping[str, Mapping[str, Mapping[str, int]]], classes: Sequence[str]
) -> str:
    """Lay out classes × sources × splits.

    Args:
        counts: Rows by dataset, split and class, as `curation.merge.counts_by_dataset` does.
        classes: Names of the classes, in the order of the lines.
    """
    splits = [s for s in _SPLIT_HEADS if any(s in by_split for by_split in counts.values())]
    heads = [" / ".join(_SPLIT_HEADS[split] for split in splits), *counts, "all"]
    rows = []
    for name in [*classes, "all"]:
        wanted = classes if name == "all" else [name]
        cells = {
            dataset: [
                sum(by_split.get(split, {}).get(each, 0) for each in wanted) for split in splits
            ]
            for dataset, by_split in counts.items()
        }
        parts = [" / ".join(f"{number:,}" for number in cell) for cell in cells.values()]
        sums = [sum(numbers) for numbers in zip(*cells.values(), strict=True)]
        rows.append([name, *parts, " / ".join(f"{number:,}" for number in sums)])
    return _table(heads, rows)


def _sum(by_class: Mapping[str, int], classes: Sequence[str]) -> int:
    return sum(by_class.get(name, 0) for name in classes)


def _facts(record: Any) -> str:
    image, options = record["image"], record["options"]
    color = "gray" if image["channels"] == 1 else "RGB"
    faces = ", ".join(
        f"{count:,} {'without' if source == 'none' else 'from ' + source}"
        for source, count in record["summary"]["faces"].items()
    )
    return "\n".join(
        [
            f"images     {image['width']}×{image['height']} {color}, {image['encoding']}; "
            f"alignment {options['align']}{', equalized' if options.get('equalize') else ''}",
            f"landmarks  {record['landmarks']['scheme']}: {faces}",
            f"split      {options['split'].replace(',', ', ')}, seed {record['seed']}; "
            f"{'augmented before it' if _augmented_first(record) else 'only train is augmented'}",
            f"plan       {record['plan_sha256']}",
        ]
    )


def _rejects(report: BuildReport) -> str:
    rejects = report.record["rejects"]
    if not rejects["total"]:
        return "rejects    none"
    lines = [f"rejects    {rejects['total']:,}, listed in {report.out / 'rejects.parquet'}:"]
    lines += [
        f"  {count:>6,} × {stage}: {reason}"
        for stage, reasons in rejects["by_reason"].items()
        for reason, count in reasons.items()
    ]
    return "\n".join(lines)


def _places(report: BuildReport) -> str:
    places = [("manifest", report.out / "manifest.parquet")]
    for form in _formats(report):
        places.append((form.title, report.out / form.folder.partition("/")[0]))
    return "\n".join(f"{what:<13}{path}" for what, path in places)


def _next_steps(report: BuildReport) -> str:
    out = report.out
    # What was given, not the recipe's name: a file may have the name of a recipe that ships.
    how = "--epochs 3" if report.recipe is None else f"--recipe {shlex.quote(report.recipe)}"
    steps = [f"  ferdata verify {out}", f"  ferdata train {out} {how}"]
    for form in _formats(report):
        if form.example:
            steps.append(f'  python -c "{form.example.format(out=out)}"')
    return "\n".join(["What to do next:", *steps])


def _formats(report: BuildReport) -> list[ShardFormat]:
    written = report.record["options"]["formats"]
    return [FORMATS.get(name) for name in FORMATS if name in written]


def _table(heads: list[str], rows: Iterable[list[str]]) -> str:
    """Align a table: the first column to the left, numbers to the right."""
    lines = [heads, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
