"""The text at the end of a build, for a person."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from ferdata.core.findings import FINDINGS
from ferdata.formats.contract import ShardFormat
from ferdata.formats.registry import FORMATS
from ferdata.shards.paper_counts import describe_comparison
from ferdata.shards.record import BuildRecord

_SPLIT_HEADS = {"train": "train", "validation": "valid", "test": "test"}


def summary(
    record: BuildRecord, out: Path, *, already_done: bool = False, recipe: str | None = None
) -> str:
    """Describe a finished build: counts before and after, rejects, where it is, what to do next.

    Args:
        record: What the build holds.
        out: The build directory.
        already_done: Whether the build was finished before and nothing was rendered.
        recipe: The recipe as it was given, by name or path; None where none was.
    """
    parts = [
        _headline(record, out, already_done=already_done),
        "\n".join(f"THIS BUILD LEAKS: {text}." for text in record.leaks),
        _counts_table(record),
        _by_source(record),
        _properties(record),
        _recipe(record),
        "\n".join(f"note       {note}" for note in record.notes),
        _findings(record),
        _rejects(record, out),
        _places(record, out),
        _next_steps(record, out, recipe or (record.recipe.name if record.recipe else None)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _headline(record: BuildRecord, out: Path, *, already_done: bool) -> str:
    title = ", ".join(record.datasets.values())
    if record.synthetic_scale is not None:
        title += ", synthetic copy"
    what = "was already complete; nothing was rendered" if already_done else "is complete"
    return f"{title}: the build in {out} {what}: {record.rows:,} images."


def _recipe(record: BuildRecord) -> str:
    if record.recipe is None:
        return ""
    how = ", with the split first" if record.recipe.leak_free else ""
    lines = [f"recipe     {record.recipe.name}{how}"]
    lines += [f"  {describe_comparison(table)}" for table in record.recipe.expected]
    return "\n".join(lines)


def _counts_table(record: BuildRecord) -> str:
    """Lay out counts per class and split, before and after augmentation."""
    if record.options.augments_first:
        return _counts_of_all(record)
    before, after = record.summary.before, record.summary.after
    splits = [split for split in _SPLIT_HEADS if split in record.splits]
    heads = ["class"] + [_SPLIT_HEADS[split] for split in splits] + ["train augmented", "share"]
    total_after = sum(after["train"].values()) or 1
    rows = [
        [name]
        + [f"{before[split][name]:,}" for split in splits]
        + [
            f"{after['train'][name]:,} (+{after['train'][name] - before['train'][name]:,})",
            f"{after['train'][name] / total_after:.1%}",
        ]
        for name in record.space.names
    ]
    totals = ["all"] + [f"{sum(before[split].values()):,}" for split in splits]
    added = total_after - sum(before["train"].values())
    rows.append([*totals, f"{sum(after['train'].values()):,} (+{added:,})", ""])
    return _table(heads, rows)


def _counts_of_all(record: BuildRecord) -> str:
    """Lay out counts where every split was augmented: images, then rows of each split."""
    before, after = record.summary.before, record.summary.after
    splits = [split for split in _SPLIT_HEADS if split in record.splits]
    names = record.space.names
    rows = []
    for name in [*names, "all"]:
        classes = names if name == "all" else [name]
        images = sum(_sum(by_class, classes) for by_class in before.values())
        each = [_sum(after[split], classes) for split in splits]
        cells = [f"{images:,}", f"{sum(each):,} (+{sum(each) - images:,})"]
        rows.append([name, *cells, *(f"{number:,}" for number in each)])
    return _table(["class", "images", "augmented", *map(_SPLIT_HEADS.__getitem__, splits)], rows)


def _by_source(record: BuildRecord) -> str:
    """Show where the images come from, before augmentation, in a build of several datasets."""
    counts = record.summary.by_dataset
    if len(counts) < 2:
        return ""
    table = sources_table(counts, record.space.names)
    return f"images by source, before augmentation\n{table}"


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


def _properties(record: BuildRecord) -> str:
    image, options = record.image, record.options
    color = "gray" if image.channels == 1 else "RGB"
    faces = ", ".join(
        f"{count:,} {'without' if source == 'none' else 'from ' + source}"
        for source, count in record.summary.faces.items()
    )
    return "\n".join(
        [
            f"images     {image.width}×{image.height} {color}, {image.encoding}; "
            f"alignment {options.align}{', equalized' if options.equalize else ''}",
            f"landmarks  {record.landmarks.scheme}: {faces}",
            f"split      {options.split.replace(',', ', ')}, seed {record.seed}; "
            f"{'augmented before it' if options.augments_first else 'only train is augmented'}",
            f"plan       {record.plan_sha256}",
        ]
    )


def _findings(record: BuildRecord) -> str:
    """List what is unusual about images that are kept."""
    counts = record.summary.quality
    if not counts:
        return ""
    lines = ["findings   images that are unusual and kept; `quality` in the manifest has measures:"]
    lines += [
        f"  {count:>6,} × {name}: {FINDINGS.get(name, '').partition(';')[0]}"
        for name, count in counts.items()
    ]
    return "\n".join(lines)


def _rejects(record: BuildRecord, out: Path) -> str:
    rejects = record.rejects
    if not rejects.total:
        return "rejects    none"
    lines = [f"rejects    {rejects.total:,}, listed in {out / 'rejects.parquet'}:"]
    lines += [
        f"  {count:>6,} × {stage}: {reason}"
        for stage, reasons in rejects.by_reason.items()
        for reason, count in reasons.items()
    ]
    return "\n".join(lines)


def _places(record: BuildRecord, out: Path) -> str:
    places = [("manifest", out / "manifest.parquet")]
    for form in _formats(record):
        places.append((form.title, out / form.folder.partition("/")[0]))
    return "\n".join(f"{what:<13}{path}" for what, path in places)


def _next_steps(record: BuildRecord, out: Path, recipe: str | None) -> str:
    # What was given, not the recipe's name: a file may have the name of a recipe that ships.
    how = "--epochs 3" if recipe is None else f"--recipe {shlex.quote(recipe)}"
    command, python = _commands()
    steps = [f"  {command} verify {out}"]
    if find_spec("lightning") is not None:
        steps.append(f"  {command} train {out} {how}")
    for form in _formats(record):
        if form.example:
            steps.append(f'  {python} -c "{form.example.format(out=out)}"')
    return "\n".join(["What to do next:", *steps])


def _formats(record: BuildRecord) -> list[ShardFormat]:
    return [FORMATS.get(name) for name in FORMATS if name in record.options.formats]


def _commands() -> tuple[str, str]:
    """Return `ferdata` and `python` such that they run here: with a path unless on the PATH."""
    called = Path(sys.argv[0])
    found = shutil.which("ferdata")
    if called.stem != "ferdata" or (found and called.resolve() == Path(found).resolve()):
        return "ferdata", "python"
    return shlex.quote(str(called)), shlex.quote(str(called.with_name("python")))


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
