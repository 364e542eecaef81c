"""The dataset card of a build: `README.md` with YAML front matter, as Hugging Face reads it.

Everything in a card was recorded by the build and comes as `CardContent`; this module words it.
Text that comes from a dataset (names, citations, reasons) is escaped, so that it can't become
markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from ferdata.core.files import write_atomically
from ferdata.core.schema import SPLITS
from ferdata.formats.content import ShardSpec
from ferdata.formats.huggingface import features

Counts = Mapping[str, Mapping[str, int]]
"""Rows by split and class: `{split: {label: rows}}`."""

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


@dataclass(frozen=True)
class CardSource:
    """A dataset that a build was made from.

    Attributes:
        name: Its name in ferdata, for instance `"rafdb"`.
        title: Its full name.
        license: Its license in short.
        usage: What its authors allow and ask for.
        citation: BibTeX or text.
        homepage: Where to get it; empty if unknown.
    """

    name: str
    title: str
    license: str
    usage: str
    citation: str
    homepage: str = ""


@dataclass(frozen=True)
class CardContent:
    """All content of a card.

    Attributes:
        name: Name of the build, for instance `"rafdb"`.
        spec: Any shard of the build: columns, image size, label space, landmark scheme.
        counts_before: Rows by split and class before augmentation.
        counts: Rows by split and class as stored.
        split_rule: The rule that made the splits, for instance `"official"`.
        validation: Share of train that became validation; 0 if none.
        seed: Seed of every random draw.
        alignment: The alignment in words, with its version.
        landmarks: Rows by the source of their landmarks: `dataset`, a detector's name, `none`.
        augmentation: What was done to train in words; empty if nothing.
        operations: Each operation of the augmentation and its range in words, in their order.
        rejects: Rows that were left out by stage and reason: `{stage: {reason: rows}}`.
        sources: The datasets that it was made from.
        plan_sha256: Hash of the plan.
        ferdata_version: Version of ferdata.
        versions: Versions that touch pixels.
        synthetic: True for a build from drawn faces, which shows nobody.
        leaks: Why rows of different splits are not independent; empty if they are.
        notes: What keeps results from being compared with others'.
        recipe: The recipe that was followed, then what is to be said of it; empty if there is none.
        num_bytes: Size of each split's files; where empty, `write_card` looks beside the card.
    """

    name: str
    spec: ShardSpec
    counts_before: Counts
    counts: Counts
    split_rule: str
    seed: int
    alignment: str
    landmarks: Mapping[str, int]
    rejects: Mapping[str, Mapping[str, int]]
    sources: Sequence[CardSource]
    plan_sha256: str
    ferdata_version: str
    validation: float = 0.0
    augmentation: str = ""
    operations: Sequence[tuple[str, str]] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    synthetic: bool = False
    leaks: str = ""
    notes: Sequence[str] = ()
    recipe: Sequence[str] = ()
    num_bytes: Mapping[str, int] = field(default_factory=dict)


def write_card(path: Path, content: CardContent) -> None:
    """Write a card, whole or not at all.

    Args:
        path: `README.md` in the folder whose `data` holds the finished shards.
        content: What the card says.

    Raises:
        BuildError: It can't be written.
    """
    if not content.num_bytes:
        content = replace(content, num_bytes=_sizes(path.parent / "data"))
    with write_atomically(path) as file:
        file.write(card_text(content).encode())


def card_text(content: CardContent) -> str:
    """Return the card; equal content give equal text."""
    sections = [
        _introduction(content),
        _loading(content),
        _counts(content),
        _columns(content),
        _recipe(content),
        _splits(content),
        _faces(content),
        _augmentation(content),
        _rejects(content),
        _sources(content),
        _reproduction(content),
    ]
    front = yaml.safe_dump(
        front_matter(content), sort_keys=False, allow_unicode=True, default_flow_style=False
    )
    return f"---\n{front}---\n\n" + "\n\n".join(section for section in sections if section) + "\n"


def front_matter(content: CardContent) -> dict[str, Any]:
    """Return the card's metadata as Hugging Face defines it."""
    rows = {split: sum(content.counts.get(split, {}).values()) for split in SPLITS}
    present = [split for split in SPLITS if rows[split]]
    total = sum(rows.values())
    license = "; ".join(_unique(source.license for source in content.sources)) or "unknown"
    return {
        "pretty_name": f"{_title(content)} (ferdata build)",
        "license": "other",
        "license_name": re.sub(r"[^a-z0-9.]+", "-", license.lower()).strip("-") or "unknown",
        "task_categories": ["image-classification"],
        "size_categories": [next((name for top, name in _SIZES if total < top), "n>1M")],
        "tags": [
            "facial-expression-recognition",
            "ferdata",
            *(["synthetic"] if content.synthetic else []),
            *_unique(source.name for source in content.sources),
        ],
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": split, "path": f"data/{split}-*.parquet"} for split in present
                ],
            }
        ],
        "dataset_info": {
            "features": [_yaml_feature(name, f) for name, f in features(content.spec).items()],
            # `datasets` passes over all the splits, and checks none, where one has no num_bytes.
            "splits": [
                {
                    "name": split,
                    "num_bytes": content.num_bytes.get(split, 0),
                    "num_examples": rows[split],
                }
                for split in present
            ],
        },
    }


# -- sections ------------------------------------------------------------------------------------


def _introduction(content: CardContent) -> str:
    spec = content.spec
    kind = "gray" if spec.channels == 1 else "RGB"
    total = sum(sum(counts.values()) for counts in content.counts.values())
    lines = [
        f"# {escape(_title(content))}",
        "",
        f"{total:,} {kind} images of {spec.width}×{spec.height} pixels with "
        f"{len(spec.label_space)} facial expressions "
        f"({', '.join(map(escape, spec.label_space.names))}), made by "
        f"ferdata {escape(content.ferdata_version)} from {_source_names(content)}.",
    ]
    if content.synthetic:
        lines += [
            "",
            "**Synthetic:** the faces are drawn by ferdata in the layout of the dataset that is "
            "named. They show nobody, none of the dataset's images is among them, and results on "
            "them say nothing about people.",
        ]
    if content.leaks:
        lines += ["", f"**This build leaks:** {escape(content.leaks)}"]
    return "\n".join(lines)


def _loading(content: CardContent) -> str:
    name = re.sub(r"[^\w.+-]", "-", content.name)
    split = next((split for split in SPLITS if _count(content.counts, split, None)), "train")
    code = [
        "import datasets",
        "",
        f'data = datasets.load_dataset("out/{name}/hf")  # the folder of this card',
        f'data["{split}"].features["label"].names',
        "",
        "# the same rows from the HDF5 shards of the build, at memory speed",
        "from ferdata.data import ShardDataset",
        "",
        f'{split} = ShardDataset("out/{name}", "{split}")',
    ]
    return "\n".join(["## Loading", "", *_fenced("\n".join(code), "python")])


def _counts(content: CardContent) -> str:
    splits = [split for split in SPLITS if sum(content.counts.get(split, {}).values())]
    rows = []
    for name in (*content.spec.label_space.names, None):
        before, after = (
            [_count(counts, split, name) for split in splits]
            for counts in (content.counts_before, content.counts)
        )
        title = "**all**" if name is None else escape(name)
        rows.append([title, *(f"{n:,}" for n in before), *(f"{n:,}" for n in after)])
    head = ["class", *(f"{split} before" for split in splits), *(f"{s} stored" for s in splits)]
    note = "*before*: images of the source; *stored*: with augmented copies."
    return "\n".join(["## Rows", "", *_table(head, rows), "", note])


def _columns(content: CardContent) -> str:
    spec = content.spec
    rows = [
        ["`image`", f"PNG without loss, {spec.height}×{spec.width}×{spec.channels}, uint8"],
        ["`label`", f"class of {escape(spec.label_space.name)}, int64"],
        ["`soft_label`", f"{len(spec.label_space)} float32, one per class, adding up to 1"],
        ["`sample_id`, `dataset`, `subject`", "where the image comes from and who is shown"],
        ["`parent_id`, `operations`", "of an augmented copy: its source and every drawn value"],
        ["`box`", "face, x1 y1 x2 y2 in output pixels"],
        ["`valence`, `arousal`", "float32"],
    ]
    if spec.points:
        scheme = escape(spec.landmark_scheme or "")
        rows.insert(
            5, ["`landmarks`", f"{spec.points} points of {scheme}, x y in output pixels, float32"]
        )
    note = "Unknown numbers are NaN, unknown strings null. Whole coordinates are pixel centers."
    return "\n".join(["## Columns", "", *_table(["column", "content"], rows), "", note])


def _splits(content: CardContent) -> str:
    lines = ["## Splits", "", f"Rule `{_code(content.split_rule)}`, seed {content.seed}."]
    if content.validation:
        lines.append(f"Validation is {content.validation:.0%} of the source's train, stratified.")
    copies = sum(
        _count(content.counts, s, None) - _count(content.counts_before, s, None)
        for s in SPLITS
        if s != "train"
    )
    if not content.leaks and copies <= 0:
        lines.append("Split before augmentation; validation and test hold no augmented image.")
    if copies > 0:
        lines.append(f"Validation and test hold {copies:,} augmented images.")
    lines += [f"\nNote: {escape(note)}." for note in content.notes]
    return "\n".join(lines)


def _recipe(content: CardContent) -> str:
    if not content.recipe:
        return ""
    name, *said = content.recipe
    lines = [f"- {escape(line)}" for line in said]
    return "\n".join(["## Recipe", "", f"Made by the recipe {escape(name)}.", "", *lines]).rstrip()


def _faces(content: CardContent) -> str:
    rows = [[escape(source), f"{n:,}"] for source, n in sorted(content.landmarks.items())]
    return "\n".join(
        [
            "## Landmarks and alignment",
            "",
            f"Alignment: {escape(content.alignment)}.",
            "",
            *_table(["landmarks from", "images"], rows),
        ]
    )


def _augmentation(content: CardContent) -> str:
    if not content.augmentation:
        return "## Augmentation\n\nNone."
    rows = [[escape(name), escape(text)] for name, text in content.operations]
    lines = ["## Augmentation", "", f"{escape(content.augmentation)}"]
    if rows:
        lines += ["", *_table(["operation", "range"], rows)]
    return "\n".join(lines)


def _rejects(content: CardContent) -> str:
    rows = [
        [escape(stage), escape(reason), f"{n:,}"]
        for stage, reasons in content.rejects.items()
        for reason, n in sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    ]
    if not rows:
        return "## Rows left out\n\nNone."
    return "\n".join(["## Rows left out", "", *_table(["stage", "reason", "rows"], rows)])


def _sources(content: CardContent) -> str:
    lines = ["## Sources, license, citation"]
    for source in content.sources:
        lines += ["", f"### {escape(source.title)}", "", f"- License: {escape(source.license)}"]
        lines += [f"- Use: {escape(source.usage)}"]
        if source.homepage:
            lines += [f"- Home: {escape(source.homepage)}"]
        lines += ["", *_fenced(source.citation)]
    note = (
        "A build is a copy of its sources: their licenses hold for it, also when it is passed on."
    )
    return "\n".join([*lines, "", note])


def _reproduction(content: CardContent) -> str:
    rows = [["plan", f"`{_code(content.plan_sha256)}`"], ["seed", str(content.seed)]]
    rows += [[escape(name), escape(version)] for name, version in sorted(content.versions.items())]
    note = "The same data, options, seed and versions give the same bytes. Check: `ferdata verify`."
    return "\n".join(["## Reproduction", "", *_table(["what", "value"], rows), "", note])


# -- words ---------------------------------------------------------------------------------------


def escape(text: str) -> str:
    """Make text safe inside a line or a table cell of Markdown: no markup, no HTML, one line."""
    flat = " ".join(text.split())
    flat = re.sub(r"([\\`*_\[\]|#~])", r"\\\1", flat)
    return flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _code(text: str) -> str:
    """Make text safe inside backticks."""
    return " ".join(text.replace("`", "'").split())


def _fenced(text: str, language: str = "") -> list[str]:
    """Return a code block whose fence is longer than any run of backticks in the text."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", text.strip("\n"), fence]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [list(head), ["---"] * len(head), *map(list, rows)]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def _count(counts: Counts, split: str, name: str | None) -> int:
    """Return the rows of a class in a split; of all classes for None."""
    labels = counts.get(split, {})
    return sum(labels.values()) if name is None else labels.get(name, 0)


def _title(content: CardContent) -> str:
    title = " + ".join(_unique(source.title for source in content.sources)) or content.name
    return f"{title}, synthetic copy" if content.synthetic else title


def _source_names(content: CardContent) -> str:
    names = " and ".join(_unique(escape(source.title) for source in content.sources))
    return f"a synthetic copy of {names}" if content.synthetic else names


def _sizes(folder: Path) -> dict[str, int]:
    """Return the bytes of each split's Parquet files."""
    return {
        split: sum(path.stat().st_size for path in folder.glob(f"{split}-*.parquet"))
        for split in SPLITS
    }


def _unique(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))


def _yaml_feature(name: str, feature: Mapping[str, Any]) -> dict[str, Any]:
    """Return a feature in the notation of cards."""
    return {"name": name, **_yaml_type(feature)}


def _yaml_type(feature: Mapping[str, Any]) -> dict[str, Any]:
    kind = feature["_type"]
    if kind == "Image":
        return {"dtype": "image"}
    if kind == "ClassLabel":
        names = {str(index): name for index, name in enumerate(feature["names"])}
        return {"dtype": {"class_label": {"names": names}}}
    if kind == "List":
        inner = _yaml_type(feature["feature"])
        return {"list": inner.get("dtype", inner), "length": feature["length"]}
    return {"dtype": feature["dtype"]}
