"""A comparison as text, Markdown, CSV, JSON and PNG."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ferdata.core.errors import OptionError
from ferdata.core.files import write_atomically, write_csv, write_json
from ferdata.core.tables import escape_markdown as escape
from ferdata.evaluation.comparison import ComparedRun, Comparison
from ferdata.evaluation.figures import cost_figure, save_png
from ferdata.evaluation.tables import paragraph
from ferdata.recipes import Claim

_LONGEST_NAME = 34  # with it, every block stays within 110 columns
_LEFT = ("run", "model", "build", "dataset", "split")  # columns of words


@dataclass(frozen=True)
class Block:
    """One table.

    Attributes:
        title: What it shows, and of which split.
        header: Names of its columns.
        rows: Its cells.
        notes: Lines below it.
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()


def comparison_text(comparison: Comparison) -> str:
    """Lay a comparison out for a terminal, in blocks one above the other."""
    parts = [paragraph(note) for note in comparison.notes]
    for block in _blocks(comparison):
        lines = [block.title, *_aligned(block.header, block.rows), *map(paragraph, block.notes)]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def comparison_markdown(comparison: Comparison) -> str:
    """Lay a comparison out as Markdown."""
    parts = [f"> {escape(note)}" for note in comparison.notes]
    for block in _blocks(comparison):
        rows = [block.header, ["---"] * len(block.header), *block.rows]
        table = "\n".join(f"| {' | '.join(map(escape, row))} |" for row in rows)
        notes = (f"- {escape(note)}" for note in block.notes)
        parts += [f"## {escape(block.title)}", table, *notes]
    return "\n\n".join(parts) + "\n"


def writer_for(path: Path) -> Callable[[Comparison, Path], None]:
    """Return the function that writes a comparison to a file, by the file's ending.

    Raises:
        OptionError: There is none for this ending.
    """
    writer = _WRITERS.get(path.suffix.lower())
    if writer is None:
        raise OptionError(f"--out {path}: its ending must be one of {', '.join(_WRITERS)}.")
    return writer


def _blocks(comparison: Comparison) -> list[Block]:
    """Make the tables; measured and claimed numbers never stand in one."""
    blocks = [_score_block(comparison), _size_block(comparison)]
    if any(run.speed for run in comparison.runs):
        blocks.append(_speed_block(comparison))
    if any(run.claimed for run in comparison.runs):
        blocks.append(_claim_block(comparison))
    return blocks


def _score_block(comparison: Comparison) -> Block:
    rows = []
    for run in comparison.runs:
        scores = run.report.scores
        rows.append([
            _short(run.name), run.report.build, str(scores.n), f"{scores.accuracy:.2%}",
            f"{scores.accuracy_low:.1%}–{scores.accuracy_high:.1%}",
            f"{scores.macro_precision:.3f}", f"{scores.macro_recall:.3f}",
            f"{scores.macro_f1:.3f}",
        ])  # fmt: skip
    header = ["run", "build", "images", "accuracy", "95 % interval", "precision", "recall", "F1"]
    return Block(f"{comparison.split} split, macro means over classes", header, rows)


def _size_block(comparison: Comparison) -> Block:
    rows = []
    for run in comparison.runs:
        cost = run.complexity
        height, width = cost.input_size
        rows.append([
            _short(run.name), run.report.model, f"{cost.parameters:,}", f"{cost.megabytes:.2f}",
            f"{cost.macs / 1e6:,.1f}", f"{cost.flops / 1e6:,.1f}", f"{width}×{height}",
        ])  # fmt: skip
    return Block(
        "size, and arithmetic for one image (MB = 10⁶ bytes of float32 weights with buffers)",
        ["run", "model", "parameters", "MB", "MACs (M)", "FLOPs (M)", "input"],
        rows,
        ["MACs are multiply-adds, in millions; FLOPs are twice as many."],
    )


def _speed_block(comparison: Comparison) -> Block:
    rows = [
        [
            _short(run.name), str(speed.batch_size), f"{speed.p50:.2f}", f"{speed.p90:.2f}",
            f"{speed.p95:.2f}", f"{speed.images_per_second:,.0f}",
        ]
        for run in comparison.runs
        for speed in run.speed
    ]  # fmt: skip
    machines = sorted(
        {
            f"{speed.device}, CPU threads: {speed.threads}, {speed.repeats} passes after warm-up"
            for run in comparison.runs
            for speed in run.speed
        }
    )
    return Block(
        f"time of a forward pass on this machine ({'; '.join(machines)})",
        ["run", "batch", "p50 ms", "p90 ms", "p95 ms", "images/s"],
        rows,
        ["From uint8 images to logits, both in the device's memory; reading is not in it."],
    )


def _claim_block(comparison: Comparison) -> Block:
    rows, notes = [], []
    for recipe, claims in _claims_by_recipe(comparison).items():
        for claim in claims:
            rows.append([
                recipe,
                claim.dataset or "any",
                claim.split or "–",
                "–" if claim.images is None else str(claim.images),
                "–" if claim.accuracy is None else f"{claim.accuracy:.2f} %",
                "–" if claim.parameters is None else f"{claim.parameters:g} M",
            ])  # fmt: skip
            about = f"{recipe}, {claim.dataset}" if claim.dataset else recipe
            problem = f" Known problem: {claim.problem}" if claim.problem else ""
            notes.append(f"{about}: {claim.where}.{problem}")
    return Block(
        "claimed in the paper, not measured here",
        ["model", "dataset", "split", "images", "claimed accuracy", "claimed parameters"],
        rows,
        notes,
    )


def _claims_by_recipe(comparison: Comparison) -> Mapping[str, list[Claim]]:
    """Collect each recipe's claims once, in the order of the runs."""
    found: dict[str, list[Claim]] = {}
    for run in comparison.runs:
        if run.recipe is not None:
            listed = found.setdefault(run.recipe, [])
            listed += [claim for claim in run.claimed if claim not in listed]
    return found


def _csv_row(run: ComparedRun) -> dict[str, Any]:
    """Flatten a run: what is measured in columns, what is claimed as words in the last one."""
    scores, cost = run.report.scores, run.complexity
    row: dict[str, Any] = {
        "run": run.name,
        "model": run.report.model,
        "checkpoint": run.report.checkpoint,
        "build": run.report.build,
        "plan_sha256": run.report.plan_sha256,
        "split": run.report.split,
        "n": scores.n,
        "accuracy": f"{scores.accuracy:.6f}",
        "accuracy_low": f"{scores.accuracy_low:.6f}",
        "accuracy_high": f"{scores.accuracy_high:.6f}",
        "macro_precision": f"{scores.macro_precision:.6f}",
        "macro_recall": f"{scores.macro_recall:.6f}",
        "macro_f1": f"{scores.macro_f1:.6f}",
        "parameters": cost.parameters,
        "megabytes_float32": f"{cost.megabytes:.6f}",
        "macs": cost.macs,
        "flops": cost.flops,
    }
    for speed in run.speed:
        batch = f"batch{speed.batch_size}"
        row |= {
            f"{batch}_p50_ms": f"{speed.p50:.4f}",
            f"{batch}_p90_ms": f"{speed.p90:.4f}",
            f"{batch}_p95_ms": f"{speed.p95:.4f}",
            f"{batch}_images_per_second": f"{speed.images_per_second:.2f}",
        }
    row["claimed_in_the_paper"] = "; ".join(_claim_words(claim) for claim in run.claimed)
    return row


def _claim_words(claim: Claim) -> str:
    """Tell a claim in one line."""
    parts = [claim.dataset, claim.split and f"{claim.split} split"]
    parts.append("" if claim.accuracy is None else f"{claim.accuracy:.2f} %")
    parts.append("" if claim.parameters is None else f"{claim.parameters:g} M parameters")
    problem = f" [{claim.problem}]" if claim.problem else ""
    return " ".join(part for part in parts if part) + f" ({claim.where}){problem}"


def _aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Set words left, numbers right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    return [
        "  ".join(
            f"{cell:<{width}}" if name in _LEFT else f"{cell:>{width}}"
            for cell, width, name in zip(row, widths, header, strict=True)
        ).rstrip()
        for row in (header, *rows)
    ]


def _short(name: str) -> str:
    """Keep the end of a long name: that is where paths differ."""
    return name if len(name) <= _LONGEST_NAME else f"…{name[-(_LONGEST_NAME - 1) :]}"


def _write_markdown(comparison: Comparison, path: Path) -> None:
    with write_atomically(path) as file:
        file.write(comparison_markdown(comparison).encode())


def _write_csv(comparison: Comparison, path: Path) -> None:
    rows = [_csv_row(run) for run in comparison.runs]
    write_csv(path, list(rows[0]), [list(row.values()) for row in rows])


def _write_json(comparison: Comparison, path: Path) -> None:
    write_json(path, comparison.model_dump(mode="json"))


def _write_png(comparison: Comparison, path: Path) -> None:
    scores = [run.report.scores for run in comparison.runs]
    builds = ", ".join(sorted({run.report.build for run in comparison.runs}))
    figure = cost_figure(
        [_short(run.name) for run in comparison.runs],
        [run.complexity.parameters for run in comparison.runs],
        [(each.accuracy, each.accuracy_low, each.accuracy_high) for each in scores],
        title=f"{comparison.split} split of {builds}",
    )
    save_png(figure, path)


_WRITERS: Mapping[str, Callable[[Comparison, Path], None]] = {
    ".md": _write_markdown,
    ".csv": _write_csv,
    ".json": _write_json,
    ".png": _write_png,
}
