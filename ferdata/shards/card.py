"""The content of a build's dataset card, from what the build recorded."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow.compute as pc

from ferdata.core.manifest import Manifest
from ferdata.core.split_rules import FixedRule, parse_rules
from ferdata.formats.card_content import CardContent, CardSource, KnownValues
from ferdata.formats.content import ShardSpec
from ferdata.ingesters.declared.declaration import NOT_STATED
from ferdata.shards.dataset_infos import recorded_info
from ferdata.shards.options import BuildOptions
from ferdata.shards.paper_counts import describe_comparison
from ferdata.shards.record import BuildRecord

_ATTRIBUTES = ("gender", "race", "age_group")
_ANNOTATIONS = ("votes", "soft_label", "valence", "arousal", "action_units")


def card_content(record: BuildRecord, stored: Manifest) -> CardContent:
    """Collect a card's content; of a finished build it is the same as when it was built.

    Args:
        record: The build's record.
        stored: The manifest as stored.
    """
    record = record.as_read()  # so that a card written again later has the same bytes
    options = record.options
    return CardContent(
        name=record.name,
        spec=_spec(record),
        counts_before=record.summary.before,
        counts=record.summary.after,
        split_rule=options.split,
        validation=_held_out(options),
        seed=record.seed,
        alignment=_alignment(record),
        landmarks=record.summary.faces,
        augmentation=_augmentation(options),
        operations=_operations(record.summary.provenance.get("balance", {}).get("operations", [])),
        rejects=record.rejects.by_reason,
        sources=card_sources(record),
        plan_sha256=record.plan_sha256,
        split_digest=record.split_digest,
        ferdata_version=record.ferdata_version,
        versions=record.versions,
        synthetic=is_drawn(record),
        leaks="; ".join(record.leaks),
        findings=record.summary.quality,
        notes=record.notes,
        recipe=_recipe(record),
        known=_known(stored),
    )


def _spec(record: BuildRecord) -> ShardSpec:
    """Return the shape of the build as one shard."""
    return ShardSpec(
        rows=record.rows,
        height=record.image.height,
        width=record.image.width,
        channels=record.image.channels,
        encoding=record.image.encoding,
        label_space=record.space,
        landmark_scheme=record.landmarks.scheme,
        points=record.landmarks.points,
        split=next(iter(record.splits)),
    )


def card_sources(record: BuildRecord) -> list[CardSource]:
    """Return what is known about the datasets of a build."""
    return [_source(record, name) for name in sorted(record.datasets)]


def _source(record: BuildRecord, name: str) -> CardSource:
    info = recorded_info(record.summary.provenance, name)
    return CardSource(
        name=name,
        title=info.title,
        license=info.license,
        usage=info.usage,
        citation=info.citation.bibtex,
        homepage=_stated(info.access.url),
        description=info.description,
        publication=_stated(info.citation.text),
        access=[step for step in info.access.steps if _stated(step)],
        caveats=info.caveats,
        drawn=name in record.drawn_datasets,
    )


def is_drawn(record: BuildRecord) -> bool:
    """Say whether all images of a build are drawn, so that it shows no real person."""
    return bool(record.datasets) and record.drawn_datasets == record.datasets.keys()


def _stated(text: str) -> str:
    """Return a text of a dataset's info; empty where a declaration says nothing."""
    return "" if text == NOT_STATED else text


def _known(stored: Manifest) -> KnownValues:
    """Count what is known about the source images."""
    columns = ["dataset", "parent_id", "subject", *_ATTRIBUTES, *_ANNOTATIONS]
    table = stored.table.select(columns)
    table = table.filter(pc.is_null(table.column("parent_id")))
    attributes = {name: _value_counts(table.column(name)) for name in _ATTRIBUTES}
    rows = {name: len(table) - table.column(name).null_count for name in _ANNOTATIONS}
    people = table.select(["dataset", "subject"]).drop_null()
    return KnownValues(
        subjects=len(people.group_by(["dataset", "subject"]).aggregate([])),
        attributes={name: counts for name, counts in attributes.items() if counts},
        annotated={name: n for name, n in rows.items() if n},
    )


def _value_counts(column: Any) -> dict[str, int]:
    counts = column.drop_null().value_counts().to_pylist()
    return dict(sorted(((each["values"], each["counts"]) for each in counts), key=_by_number))


def _by_number(entry: tuple[str, int]) -> tuple[int, str]:
    """Return the sort key of a value, so that 4-19 comes before 20-39."""
    number = re.match(r"\d+", entry[0])
    return int(number[0]) if number else -1, entry[0]


def _alignment(record: BuildRecord) -> str:
    whole, five = record.versions["align none"], record.versions["align five"]
    alignment, equalize = record.alignment, record.options.equalize
    template = f"five points ({five}, margin {alignment.margin:g}, shift {alignment.shift:g})"
    parts = [
        {
            "none": f"images are scaled to fit ({whole})",
            "five": f"faces are aligned to a template by {template}",
            "auto": f"photographs are aligned by {template}; face crops are scaled to fit "
            f"({whole})",
        }[alignment.align],
        f"pixels outside the source: {alignment.border}",
        *(["the luminance histogram is equalized"] if equalize else []),
        *(
            f"{name}: "
            + (f"eyes {scale.eyes:.3f} of the side apart, " if scale.eyes else "")
            + f"{scale.outside:.1%} of an average image lies outside its source"
            for name, scale in record.summary.scales.items()
        ),
    ]
    return "; ".join(parts)


def _augmentation(options: BuildOptions) -> str:
    if options.augment == "none":
        return ""
    limit = f", at most {options.max_copies} per image" if options.max_copies else ""
    what = "Classes" if options.augment_before_split else "Classes of train"
    when = " before the split" if options.augment_before_split else ""
    target = options.balance_to.replace(",", ", ")
    return f"{what} are balanced to {target} with augmented copies{when}{limit}."


def _operations(described: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    """Describe the ranges of each operation; an operation may occur more than once."""
    return tuple(
        (
            operation["op"],
            ", ".join(
                f"{name.replace('_', ' ')} {_value(value)}"
                for name, value in operation.items()
                if name != "op"
            ),
        )
        for operation in described
    )


def _value(value: Any) -> str:
    """Describe a range, a switch, a mapping or a plain value."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return " ".join(f"{name} {_value(each)}" for name, each in value.items()) or "none"
    if isinstance(value, list) and len(value) == 2:
        return f"{_value(value[0])}–{_value(value[1])}"
    return str(value)


def _held_out(options: BuildOptions) -> float:
    """Return the fraction of train held out for validation; 0 where the rules assign all rows."""
    rules = parse_rules(options.split)
    every = [rules.common] if rules.common is not None else [rule for _, rule in rules.by_dataset]
    held_out = any(isinstance(rule, FixedRule) for rule in every)
    return options.validation if held_out else 0.0


def _recipe(record: BuildRecord) -> Sequence[str]:
    """Return the name of the recipe, and how the counts compare with the paper's."""
    if record.recipe is None:
        return ()
    how = " with --leak-free" if record.recipe.leak_free else ""
    return (f"{record.recipe.name}{how}", *map(describe_comparison, record.recipe.expected))
