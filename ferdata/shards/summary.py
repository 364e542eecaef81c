"""The text that `ferdata build` prints at the end."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from ferdata.core.findings import FINDINGS
from ferdata.faces.class_counts import FOUND
from ferdata.formats.contract import ShardFormat
from ferdata.formats.names import AUDIT_FILE, REPORT_FILE
from ferdata.formats.registry import FORMATS
from ferdata.shards.options import BuildOptions
from ferdata.shards.paper_counts import describe_comparison
from ferdata.shards.record import BuildRecord

_SPLIT_HEADS = {"train": "train", "validation": "valid", "test": "test"}


def summary(
    record: BuildRecord, out: Path, *, already_done: bool = False, recipe: str | None = None
) -> str:
    """Describe a finished build: counts before and after, rejects, files, next steps.

    Args:
        record: The build's record.
        out: The build directory.
        already_done: Whether the build was finished before, so that nothing was rendered.
        recipe: The recipe as it was given, by name or path; None without one.
    """
    parts = [
        _headline(record, out, already_done=already_done),
        "\n".join(f"THIS BUILD LEAKS: {text}." for text in record.leaks),
        _counts_table(record),
        _by_source(record),
        _properties(record),
        _faces(record),
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
    state = "was already complete, nothing was rendered" if already_done else "is complete"
    return f"{title}: the build in {out} {state}. {record.rows:,} images."


def _recipe(record: BuildRecord) -> str:
    if record.recipe is None:
        return ""
    how = " with --leak-free" if record.recipe.leak_free else ""
    lines = [f"recipe     {record.recipe.name}{how}"]
    lines += [f"  {describe_comparison(table)}" for table in record.recipe.expected]
    return "\n".join(lines)


def _counts_table(record: BuildRecord) -> str:
    """Return the table of counts per class and split, before and after augmentation."""
    if record.options.augments_first:
        return _counts_of_all(record)
    before, after = record.summary.before, record.summary.after
    splits = [split for split in _SPLIT_HEADS if split in record.splits]
    heads = ["class", *map(_SPLIT_HEADS.__getitem__, splits), "train augmented", "% of train"]
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
    """Return the table of a build in which every split was augmented: images, rows per split."""
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
    """Return the counts of each dataset before augmentation; empty for a single dataset."""
    counts = record.summary.by_dataset
    if len(counts) < 2:
        return ""
    table = sources_table(counts, record.space.names)
    return f"images by source, before augmentation\n{table}"


def sources_table(
    counts: Mapping[str, Mapping[str, Mapping[str, int]]], classes: Sequence[str]
) -> str:
    """Return a table of classes (lines), datasets (columns) and splits (in each cell).

    Args:
        counts: Rows by dataset, split and class, from `curation.merge.counts_by_dataset`.
        classes: Names of the classes, in order.
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
        f"{count:,} {'without landmarks' if source == 'none' else 'from ' + source}"
        for source, count in record.summary.faces.items()
    )
    return "\n".join(
        [
            f"images     {image.width}×{image.height} {color}, {image.encoding}; "
            f"alignment {_alignment(record)}{', equalized' if options.equalize else ''}",
            f"landmarks  {record.landmarks.scheme}: {faces}",
            f"split      {options.split.replace(',', ', ')}, seed {record.seed}; "
            f"{_what_is_augmented(options)}",
            *([f"           {record.split_digest}"] if record.split_digest else []),
            f"plan       {record.plan_sha256}",
        ]
    )


def _what_is_augmented(options: BuildOptions) -> str:
    if options.augments_first:
        return "all images were augmented before it"
    return "not augmented" if options.augment == "none" else "only train is augmented"


def _alignment(record: BuildRecord) -> str:
    alignment = record.alignment
    if alignment.align == "none":
        return "none"
    template = f"margin {alignment.margin:g}, shift {alignment.shift:g}"
    return f"{alignment.align} ({template}, border {alignment.border})"


def _faces(record: BuildRecord) -> str:
    """Show faces found per class, and the scale of the faces of each dataset."""
    parts = []
    if record.options.landmarks != "none" and (by_class := record.summary.faces_by_class):
        rows = []
        for name, counts in by_class.items():
            found, images = counts[FOUND], sum(counts.values())
            share = f"{found / images:.1%}" if images else ""
            rows.append([name, f"{images:,}", f"{found:,}", share])
        parts.append(_table(["class", "images", "with a face found", "share"], rows))
    scales = [
        [name, "unknown" if each.eyes is None else f"{each.eyes:.2f}", f"{each.outside:.1%}"]
        for name, each in record.summary.scales.items()
    ]
    heads = ["dataset", "median eye distance / side", "mean outside the source"]
    measured = any(each.eyes or each.outside for each in record.summary.scales.values())
    parts.append(_table(heads, scales) if measured else "")
    return "\n\n".join(part for part in parts if part)


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
    lines = ["rejects    none"]
    if rejects.total:
        lines = [f"rejects    {rejects.total:,}, see {out / 'rejects.parquet'}:"]
    lines += [
        f"  {count:>6,} × {stage}: {reason}"
        for stage, reasons in rejects.by_reason.items()
        for reason, count in reasons.items()
    ]
    if rejects.ignored:
        listed = ", ".join(f"{count:,} {rule}" for rule, count in rejects.ignored.items())
        lines.append(f"ignored    {listed}")
    return "\n".join(lines)


def _places(record: BuildRecord, out: Path) -> str:
    places = [("manifest", out / "manifest.parquet")]
    for form in _formats(record):
        places.append((form.title, out / form.folder.partition("/")[0]))
    if (out / AUDIT_FILE).is_file():
        places.append(("audit", out / AUDIT_FILE))
    if (out / REPORT_FILE).is_file():
        places.append(("report", out / REPORT_FILE))
    return "\n".join(f"{what:<13}{path}" for what, path in places)


def _next_steps(record: BuildRecord, out: Path, recipe: str | None) -> str:
    # As it was given, not the recipe's name: a user's file may have the name of a shipped recipe.
    how = "--epochs 3" if recipe is None else f"--recipe {shlex.quote(recipe)}"
    command, python = _commands()
    steps = [f"  {command} verify {out}"]
    if find_spec("lightning") is not None:
        steps.append(f"  {command} train {out} {how}")
    for form in _formats(record):
        if form.example and not (form.library and find_spec(form.library) is None):
            steps.append(f'  {python} -c "{form.example.format(out=out)}"')
    return "\n".join(["Next steps:", *steps])


def _formats(record: BuildRecord) -> list[ShardFormat]:
    return [FORMATS.get(name) for name in FORMATS if name in record.options.formats]


def _commands() -> tuple[str, str]:
    """Return `ferdata` and `python`, with their path unless they are on the PATH."""
    called = Path(sys.argv[0])
    found = shutil.which("ferdata")
    if called.stem != "ferdata" or (found and called.resolve() == Path(found).resolve()):
        return "ferdata", "python"
    return shlex.quote(str(called)), shlex.quote(str(called.with_name("python")))


def _table(heads: list[str], rows: Iterable[list[str]]) -> str:
    """Align a table: the first column left, the others right."""
    lines = [heads, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
