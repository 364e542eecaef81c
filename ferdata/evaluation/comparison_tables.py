"""A comparison as text, Markdown, CSV, JSON and PNG."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ferdata.core.errors import OptionError
from ferdata.core.files import write_atomically, write_csv, write_json
from ferdata.core.tables import escape_markdown, markdown_table, text_table
from ferdata.evaluation.columns import MISSING, cells, csv_cells, csv_heads, heads
from ferdata.evaluation.comparison import ComparedRun, Comparison
from ferdata.evaluation.complexity import Complexity, Speed
from ferdata.evaluation.figures import cost_figure, save_png
from ferdata.evaluation.metrics import Scores
from ferdata.evaluation.report_text import paragraph
from ferdata.recipes import Claim

_LONGEST_NAME = 34  # so that every block fits into 110 columns


@dataclass(frozen=True)
class Block:
    """One table, or a list of notes.

    Attributes:
        title: What it shows, and of which split.
        heads: Heads of its columns.
        rows: Its cells.
        notes: Lines below it.
        align: As for `text_table`.
    """

    title: str
    heads: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    notes: Sequence[str] = ()
    align: str = "lr"

    def text(self) -> str:
        """Return the block for a terminal."""
        table = [text_table(self.heads, self.rows, align=self.align)] if self.heads else []
        return "\n".join([self.title, *table, *map(paragraph, self.notes)])

    def markdown(self) -> str:
        """Return the block as a section of Markdown."""
        table = [markdown_table(self.heads, self.rows)] if self.heads else []
        notes = [f"- {escape_markdown(note)}" for note in self.notes]
        return "\n\n".join([f"## {escape_markdown(self.title)}", *table, *notes])


def comparison_text(comparison: Comparison) -> str:
    """Return a comparison for a terminal."""
    notes = [paragraph(note) for note in comparison.notes]
    return "\n\n".join([*notes, *(block.text() for block in comparison_blocks(comparison))])


def comparison_markdown(comparison: Comparison) -> str:
    """Return a comparison as Markdown."""
    notes = [f"> {escape_markdown(note)}" for note in comparison.notes]
    return (
        "\n\n".join([*notes, *(block.markdown() for block in comparison_blocks(comparison))]) + "\n"
    )


def writer_for(path: Path) -> Callable[[Comparison, Path], None]:
    """Return the function that writes a comparison to a file, by the file's suffix.

    Raises:
        OptionError: There is none for this suffix.
    """
    writer = _WRITERS.get(path.suffix.lower())
    if writer is None:
        raise OptionError(f"--out {path}: the suffix must be one of {', '.join(_WRITERS)}.")
    return writer


def comparison_blocks(comparison: Comparison) -> list[Block]:
    """Make the tables; measured and claimed numbers are never in the same one."""
    blocks = [_score_block(comparison), _size_block(comparison)]
    if any(run.speed for run in comparison.runs):
        blocks.append(_speed_block(comparison))
    if any(run.claimed for run in comparison.runs):
        blocks.append(_claim_block(comparison))
    if comparison.skipped:
        notes = [f"{name}: {reason}" for name, reason in comparison.skipped.items()]
        blocks.append(Block("skipped runs", notes=notes))
    return blocks


def _score_block(comparison: Comparison) -> Block:
    rows = [
        [_short(run.name), run.report.build, *cells(run.report.scores)] for run in comparison.runs
    ]
    title = f"{comparison.split} split, macro means over classes"
    return Block(title, ["run", "build", *heads(Scores)], rows, align="llr")


def _size_block(comparison: Comparison) -> Block:
    rows = []
    for run in comparison.runs:
        height, width = run.complexity.input_size
        size = f"{width}×{height}"
        rows.append([_short(run.name), run.report.model, *cells(run.complexity), size])
    return Block(
        "size, and arithmetic for one image (MB = 10⁶ bytes of float32 weights with buffers)",
        ["run", "model", *heads(Complexity), "input"],
        rows,
        ["MACs are multiply-adds, in millions; FLOPs are twice as many."],
        align="llr",
    )


def _speed_block(comparison: Comparison) -> Block:
    timed = [(run, speed) for run in comparison.runs for speed in run.speed]
    machines = {
        f"{speed.device}, CPU threads: {speed.threads}, {speed.repeats} passes after warm-up"
        for _, speed in timed
    }
    return Block(
        f"time of a forward pass on this machine ({'; '.join(sorted(machines))})",
        ["run", "batch", *heads(Speed)],
        [[_short(run.name), str(speed.batch_size), *cells(speed)] for run, speed in timed],
        ["From uint8 images to logits, both in the device's memory; reading is not included."],
    )


def _claim_block(comparison: Comparison) -> Block:
    rows, notes = [], []
    for recipe, claims in _claims_by_recipe(comparison).items():
        for claim in claims:
            rows.append([
                recipe,
                claim.dataset or "any",
                claim.split or MISSING,
                MISSING if claim.images is None else str(claim.images),
                MISSING if claim.accuracy is None else f"{claim.accuracy:.2f} %",
                MISSING if claim.parameters is None else f"{claim.parameters:g} M",
            ])  # fmt: skip
            about = f"{recipe}, {claim.dataset}" if claim.dataset else recipe
            problem = f" Known problem: {claim.problem}" if claim.problem else ""
            notes.append(f"{about}: {claim.where}.{problem}")
    return Block(
        "claimed in the paper, not measured here",
        ["model", "dataset", "split", "images", "claimed accuracy", "claimed parameters"],
        rows,
        notes,
        align="lllr",
    )


def _claims_by_recipe(comparison: Comparison) -> Mapping[str, list[Claim]]:
    """Return each recipe's claims once, in the order of the runs."""
    found: dict[str, list[Claim]] = {}
    for run in comparison.runs:
        if run.recipe is not None:
            listed = found.setdefault(run.recipe, [])
            listed += [claim for claim in run.claimed if claim not in listed]
    return found


def _csv_row(run: ComparedRun) -> dict[str, str]:
    """Flatten a run: measured numbers in columns, claims as text in the last one."""
    report = run.report
    row = {
        "run": run.name,
        "model": report.model,
        "checkpoint": report.checkpoint,
        "build": report.build,
        "plan_sha256": report.plan_sha256,
        "split": report.split,
    }
    for entry in (report.scores, run.complexity):
        row |= zip(csv_heads(type(entry)), csv_cells(entry), strict=True)
    for speed in run.speed:
        names = [f"batch{speed.batch_size}_{name}" for name in csv_heads(Speed)]
        row |= zip(names, csv_cells(speed), strict=True)
    row["claimed_in_the_paper"] = "; ".join(map(_claim_text, run.claimed))
    return row


def _claim_text(claim: Claim) -> str:
    """Return a claim in one line."""
    parts = [claim.dataset, claim.split and f"{claim.split} split"]
    parts.append("" if claim.accuracy is None else f"{claim.accuracy:.2f} %")
    parts.append("" if claim.parameters is None else f"{claim.parameters:g} M parameters")
    problem = f" [{claim.problem}]" if claim.problem else ""
    return " ".join(part for part in parts if part) + f" ({claim.where}){problem}"


def _short(name: str) -> str:
    """Keep the end of a long name, where paths differ."""
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
