"""The dataset card of a build: `README.md` with YAML front matter, as Hugging Face reads it.

Everything in a card is a fact of the build, handed over as `CardFacts`; this module only words it.
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
class SourceFacts:
    """A dataset that a build was made from.

    Attributes:
        name: Its name in ferdata, for instance `"rafdb"`.
        title: Its full name.
        licence: Its licence in short.
        usage: What its authors allow and ask for.
        citation: BibTeX or text.
        homepage: Where to get it; empty if unknown.
    """

    name: str
    title: str
    licence: str
    usage: str
    citation: str
    homepage: str = ""


@dataclass(frozen=True)
class CardFacts:
    """All facts of a card.

    Attributes:
        name: Name of the build, for instance `"rafdb"`.
        spec: Any shard of the build: columns, image size, label space, landmark scheme.
        counts_before: Rows by split and class before augmentation.
        counts: Rows by split and class as stored.
        split_rule: The rule that made the splits, for instance `"official"`.
        validation: Share of train that became validation; 0 if none.
        seed: Seed of every random draw.
        alignment: The alignment in words, with its version.
        landmarks: Rows by where their landmarks come from: `dataset`, `mediapipe`, `none`.
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
    sources: Sequence[SourceFacts]
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


def write_card(path: Path, facts: CardFacts) -> None:
    """Write a card, whole or not at all.

    Args:
        path: `README.md` in the folder whose `data` holds the finished shards.
        facts: What the card says.

    Raises:
        BuildError: It can't be written.
    """
    if not facts.num_bytes:
        facts = replace(facts, num_bytes=_sizes(path.parent / "data"))
    with write_atomically(path) as file:
        file.write(card_text(facts).encode())


def card_text(facts: CardFacts) -> str:
    """Return the card; equal facts give equal text."""
    sections = [
        _introduction(facts),
        _loading(facts),
        _counts(facts),
        _columns(facts),
        _recipe(facts),
        _splits(facts),
        _faces(facts),
        _augmentation(facts),
        _rejects(facts),
        _sources(facts),
        _reproduction(facts),
    ]
    front = yaml.safe_dump(
        front_matter(facts), sort_keys=False, allow_unicode=True, default_flow_style=False
    )
    return f"---\n{front}---\n\n" + "\n\n".join(section for section in sections if section) + "\n"


def front_matter(facts: CardFacts) -> dict[str, Any]:
    """Return the card's metadata as Hugging Face defines it."""
    rows = {split: sum(facts.counts.get(split, {}).values()) for split in SPLITS}
    present = [split for split in SPLITS if rows[split]]
    total = sum(rows.values())
    licence = "; ".join(_unique(source.licence for source in facts.sources)) or "unknown"
    return {
        "pretty_name": f"{_title(facts)} (ferdata build)",
        "license": "other",
        "license_name": re.sub(r"[^a-z0-9.]+", "-", licence.lower()).strip("-") or "unknown",
        "task_categories": ["image-classification"],
        "size_categories": [next((name for top, name in _SIZES if total < top), "n>1M")],
        "tags": [
            "facial-expression-recognition",
            "ferdata",
            *(["synthetic"] if facts.synthetic else []),
            *_unique(source.name for source in facts.sources),
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
            "features": [_yaml_feature(name, f) for name, f in features(facts.spec).items()],
            # `datasets` passes over all the splits, and checks none, where one has no num_bytes.
            "splits": [
                {
                    "name": split,
                    "num_bytes": facts.num_bytes.get(split, 0),
                    "num_examples": rows[split],
                }
                for split in present
            ],
        },
    }


# -- sections ------------------------------------------------------------------------------------


def _introduction(facts: CardFacts) -> str:
    spec = facts.spec
    kind = "grey" if spec.channels == 1 else "RGB"
    total = sum(sum(counts.values()) for counts in facts.counts.values())
    lines = [
        f"# {escape(_title(facts))}",
        "",
        f"{total:,} {kind} images of {spec.width}×{spec.height} pixels with "
        f"{len(spec.label_space)} facial expressions "
        f"({', '.join(map(escape, spec.label_space.names))}), made by "
        f"ferdata {escape(facts.ferdata_version)} from {_source_names(facts)}.",
    ]
    if facts.synthetic:
        lines += [
            "",
            "**Synthetic:** the faces are drawn by ferdata in the layout of the dataset that is "
            "named. They show nobody, none of the dataset's images is among them, and results on "
            "them say nothing about people.",
        ]
    if facts.leaks:
        lines += ["", f"**This build leaks:** {escape(facts.leaks)}"]
    return "\n".join(lines)


def _loading(facts: CardFacts) -> str:
    name = re.sub(r"[^\w.+-]", "-", facts.name)
    split = next((split for split in SPLITS if _count(facts.counts, split, None)), "train")
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


def _counts(facts: CardFacts) -> str:
    splits = [split for split in SPLITS if sum(facts.counts.get(split, {}).values())]
    rows = []
    for name in (*facts.spec.label_space.names, None):
        before, after = (
            [_count(counts, split, name) for split in splits]
            for counts in (facts.counts_before, facts.counts)
        )
        title = "**all**" if name is None else escape(name)
        rows.append([title, *(f"{n:,}" for n in before), *(f"{n:,}" for n in after)])
    head = ["class", *(f"{split} before" for split in splits), *(f"{s} stored" for s in splits)]
    note = "*before*: images of the source; *stored*: with augmented copies."
    return "\n".join(["## Rows", "", *_table(head, rows), "", note])


def _columns(facts: CardFacts) -> str:
    spec = facts.spec
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
    note = "Unknown numbers are NaN, unknown strings null. Whole coordinates are pixel centres."
    return "\n".join(["## Columns", "", *_table(["column", "content"], rows), "", note])


def _splits(facts: CardFacts) -> str:
    lines = ["## Splits", "", f"Rule `{_code(facts.split_rule)}`, seed {facts.seed}."]
    if facts.validation:
        lines.append(f"Validation is {facts.validation:.0%} of the source's train, stratified.")
    copies = sum(
        _count(facts.counts, s, None) - _count(facts.counts_before, s, None)
        for s in SPLITS
        if s != "train"
    )
    if not facts.leaks and copies <= 0:
        lines.append("Split before augmentation; validation and test hold no augmented image.")
    if copies > 0:
        lines.append(f"Validation and test hold {copies:,} augmented images.")
    lines += [f"\nNote: {escape(note)}." for note in facts.notes]
    return "\n".join(lines)


def _recipe(facts: CardFacts) -> str:
    if not facts.recipe:
        return ""
    name, *said = facts.recipe
    lines = [f"- {escape(line)}" for line in said]
    return "\n".join(["## Recipe", "", f"Made by the recipe {escape(name)}.", "", *lines]).rstrip()


def _faces(facts: CardFacts) -> str:
    rows = [[escape(source), f"{n:,}"] for source, n in sorted(facts.landmarks.items())]
    return "\n".join(
        [
            "## Landmarks and alignment",
            "",
            f"Alignment: {escape(facts.alignment)}.",
            "",
            *_table(["landmarks from", "images"], rows),
        ]
    )


def _augmentation(facts: CardFacts) -> str:
    if not facts.augmentation:
        return "## Augmentation\n\nNone."
    rows = [[escape(name), escape(text)] for name, text in facts.operations]
    lines = ["## Augmentation", "", f"{escape(facts.augmentation)}"]
    if rows:
        lines += ["", *_table(["operation", "range"], rows)]
    return "\n".join(lines)


def _rejects(facts: CardFacts) -> str:
    rows = [
        [escape(stage), escape(reason), f"{n:,}"]
        for stage, reasons in facts.rejects.items()
        for reason, n in sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    ]
    if not rows:
        return "## Rows left out\n\nNone."
    return "\n".join(["## Rows left out", "", *_table(["stage", "reason", "rows"], rows)])


def _sources(facts: CardFacts) -> str:
    lines = ["## Sources, licence, citation"]
    for source in facts.sources:
        lines += ["", f"### {escape(source.title)}", "", f"- Licence: {escape(source.licence)}"]
        lines += [f"- Use: {escape(source.usage)}"]
        if source.homepage:
            lines += [f"- Home: {escape(source.homepage)}"]
        lines += ["", *_fenced(source.citation)]
    note = (
        "A build is a copy of its sources: their licences hold for it, also when it is passed on."
    )
    return "\n".join([*lines, "", note])


def _reproduction(facts: CardFacts) -> str:
    rows = [["plan", f"`{_code(facts.plan_sha256)}`"], ["seed", str(facts.seed)]]
    rows += [[escape(name), escape(version)] for name, version in sorted(facts.versions.items())]
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


def _title(facts: CardFacts) -> str:
    title = " + ".join(_unique(source.title for source in facts.sources)) or facts.name
    return f"{title}, synthetic copy" if facts.synthetic else title


def _source_names(facts: CardFacts) -> str:
    names = " and ".join(_unique(escape(source.title) for source in facts.sources))
    return f"a synthetic copy of {names}" if facts.synthetic else names


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
