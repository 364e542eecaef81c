"""The dataset card of a build: `README.md` with YAML front matter, as Hugging Face reads it.

Everything in a card was recorded by the build; this module turns its `CardContent` into text. Text
from a dataset (names, citations, reasons) is escaped, so that it can't become markup.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import yaml

from ferdata.core.files import write_atomically
from ferdata.core.findings import FINDINGS, in_order
from ferdata.core.schema import SPLITS
from ferdata.core.tables import escape_markdown as escape
from ferdata.core.tables import markdown_table
from ferdata.formats.card_content import CardContent, count, unique
from ferdata.formats.datasheet import datasheet
from ferdata.formats.front_matter import front_matter


def write_card(path: Path, content: CardContent) -> None:
    """Write a card atomically.

    Args:
        path: `README.md` in the folder whose `data` contains the finished shards.
        content: The content of the card.

    Raises:
        BuildError: It can't be written.
    """
    if not content.num_bytes:
        content = replace(content, num_bytes=_file_sizes(path.parent / "data"))
    with write_atomically(path) as file:
        file.write(card_text(content).encode())


def card_text(content: CardContent) -> str:
    """Return the text of a card; equal content gives equal text."""
    sections = [
        _introduction(content),
        _loading(content),
        _rows(content),
        _columns(content),
        _recipe(content),
        _splits(content),
        _faces(content),
        _augmentation(content),
        _findings(content),
        _rejects(content),
        _sources(content),
        datasheet(content),
        _reproduction(content),
    ]
    front = yaml.safe_dump(
        front_matter(content), sort_keys=False, allow_unicode=True, default_flow_style=False
    )
    return f"---\n{front}---\n\n" + "\n\n".join(section for section in sections if section) + "\n"


def _introduction(content: CardContent) -> str:
    spec = content.spec
    kind = "gray" if spec.channels == 1 else "RGB"
    total = sum(count(content.counts, split) for split in content.counts)
    sources = " and ".join(unique(escape(source.title) for source in content.sources))
    copied = "a synthetic copy of " if content.synthetic else ""
    parts = [
        f"# {escape(content.title)}",
        f"{total:,} {kind} images of {spec.width}×{spec.height} pixels with "
        f"{len(spec.label_space)} facial expressions "
        f"({', '.join(map(escape, spec.label_space.names))}), built by "
        f"ferdata {escape(content.ferdata_version)} from {copied}{sources}.",
    ]
    if content.synthetic:
        parts.append(
            "**Synthetic:** these faces were drawn by ferdata, in the layout of the dataset named "
            "above. They show no real person, and no image of that dataset is included; results on "
            "them say nothing about real faces."
        )
    elif drawn := [escape(source.title) for source in content.sources if source.drawn]:
        parts.append(
            f"**Partly synthetic:** the faces of {' and '.join(drawn)} were drawn by ferdata; "
            "those of the other datasets are real."
        )
    if content.leaks:
        parts.append(f"**This build leaks:** {escape(content.leaks)}.")
    return "\n\n".join(parts)


def _loading(content: CardContent) -> str:
    name = re.sub(r"[^\w.+-]", "-", content.name)
    split = next((split for split in SPLITS if count(content.counts, split)), "train")
    code = f"""\
import datasets

data = datasets.load_dataset("out/{name}/hf")  # the folder of this card
data["{split}"].features["label"].names

# the same rows from the build's HDF5 shards, at memory speed
from ferdata.data import ShardDataset

{split} = ShardDataset("out/{name}", "{split}")"""
    return f"## Loading\n\n{_fenced(code, 'python')}"


def _rows(content: CardContent) -> str:
    splits = [split for split in SPLITS if count(content.counts, split)]
    heads = ["class", *(f"{split} before" for split in splits), *(f"{s} stored" for s in splits)]
    rows = [
        [
            "**all**" if name is None else escape(name),
            *(f"{count(content.counts_before, split, name):,}" for split in splits),
            *(f"{count(content.counts, split, name):,}" for split in splits),
        ]
        for name in (*content.spec.label_space.names, None)
    ]
    note = "*before*: source images; *stored*: source images and augmented copies."
    return f"## Rows\n\n{markdown_table(heads, rows, escaped=True)}\n\n{note}"


def _columns(content: CardContent) -> str:
    spec = content.spec
    rows = [
        ["`image`", f"lossless PNG, {spec.height}×{spec.width}×{spec.channels}, uint8"],
        ["`label`", f"class index in {escape(spec.label_space.name)}, int64"],
        ["`soft_label`", f"{len(spec.label_space)} float32, one per class, summing to 1"],
        ["`sample_id`, `dataset`, `subject`", "identifier of the image, its dataset, its subject"],
        ["`parent_id`, `operations`", "for an augmented copy: its source row, every drawn value"],
        ["`box`", "face box, x1 y1 x2 y2 in output pixels"],
        ["`valence`, `arousal`", "float32"],
    ]
    if spec.points:
        scheme = escape(spec.landmark_scheme or "")
        what = f"{spec.points} points of {scheme}, x y in output pixels, float32"
        rows.insert(5, ["`landmarks`", what])
    note = "Unknown numbers are NaN, unknown strings empty. Integer coordinates are pixel centers."
    table = markdown_table(["column", "content"], rows, escaped=True)
    return f"## Columns\n\n{table}\n\n{note}"


def _recipe(content: CardContent) -> str:
    if not content.recipe:
        return ""
    name, *remarks = content.recipe
    lines = "\n".join(f"- {escape(remark)}" for remark in remarks)
    return f"## Recipe\n\nBuilt with the recipe {escape(name)}.\n\n{lines}".rstrip()


def _splits(content: CardContent) -> str:
    lines = ["## Splits", "", f"Rule `{_code(content.split_rule)}`, seed {content.seed}."]
    if content.validation:
        held_out = f"{content.validation:.0%} of the source's train split, stratified"
        lines.append(f"Validation is {held_out}.")
    copies = sum(
        count(content.counts, split) - count(content.counts_before, split)
        for split in SPLITS
        if split != "train"
    )
    if copies > 0:
        lines.append(f"Validation and test contain {copies:,} augmented images.")
    elif not content.leaks:
        lines.append(
            "The split precedes augmentation: validation and test contain no augmented images."
        )
    lines += [f"\nNote: {escape(note)}." for note in content.notes]
    return "\n".join(lines)


def _faces(content: CardContent) -> str:
    rows = [[source, f"{n:,}"] for source, n in sorted(content.landmarks.items())]
    table = markdown_table(["source of landmarks", "images"], rows)
    alignment = escape(content.alignment)
    return f"## Landmarks and alignment\n\nAlignment: {alignment}.\n\n{table}"


def _augmentation(content: CardContent) -> str:
    if not content.augmentation:
        return "## Augmentation\n\nNone."
    text = f"## Augmentation\n\n{escape(content.augmentation)}"
    if content.operations:
        text += "\n\n" + markdown_table(["operation", "range"], content.operations)
    return text


def _findings(content: CardContent) -> str:
    if not content.findings:
        return ""
    rows = [
        [name, FINDINGS.get(name, "").partition(";")[0], f"{n:,}"]
        for name, n in in_order(content.findings)
    ]
    note = "These images are kept; the column `quality` of the build's manifest has the measures."
    table = markdown_table(["finding", "meaning", "images"], rows)
    return f"## Unusual images\n\n{table}\n\n{note}"


def _rejects(content: CardContent) -> str:
    rows = [
        [stage, reason, f"{n:,}"]
        for stage, reasons in content.rejects.items()
        for reason, n in sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    ]
    table = markdown_table(["stage", "reason", "rows"], rows) if rows else "None."
    return f"## Rejected rows\n\n{table}"


def _sources(content: CardContent) -> str:
    parts = ["## Sources, license, citation"]
    for source in content.sources:
        lines = [f"- License: {escape(source.license)}", f"- Terms of use: {escape(source.usage)}"]
        if source.homepage:
            lines.append(f"- Homepage: {escape(source.homepage)}")
        parts += [f"### {escape(source.title)}", "\n".join(lines), _fenced(source.citation)]
    parts.append(
        "This build contains no image of its sources; these are the terms of the real images."
        if content.synthetic
        else "A build contains images of its sources: their licenses apply to it and to its copies."
    )
    return "\n\n".join(parts)


def _reproduction(content: CardContent) -> str:
    rows = [["plan", f"`{_code(content.plan_sha256)}`"], ["seed", str(content.seed)]]
    if content.split_digest:
        rows.insert(1, ["split", f"`{_code(content.split_digest)}`"])
    rows += [[escape(name), escape(version)] for name, version in sorted(content.versions.items())]
    note = (
        "The same data, options, seed and versions produce the same bytes. Check a build with "
        "`ferdata verify`."
    )
    table = markdown_table(["item", "value"], rows, escaped=True)
    return f"## Reproduction\n\n{table}\n\n{note}"


def _code(text: str) -> str:
    """Make text safe inside backticks."""
    return " ".join(text.replace("`", "'").split())


def _fenced(text: str, language: str = "") -> str:
    """Return a code block whose fence is longer than any run of backticks in the text."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([fence + language, text.strip("\n"), fence])


def _file_sizes(folder: Path) -> dict[str, int]:
    """Return the bytes of each split's Parquet files."""
    return {
        split: sum(path.stat().st_size for path in folder.glob(f"{split}-*.parquet"))
        for split in SPLITS
    }
