"""The facts of a build's dataset card, drawn from what the build recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ferdata.core.manifest import Manifest
from ferdata.core.split_rules import FixedRule, parse_rules
from ferdata.formats.card import CardContent, CardSource
from ferdata.formats.content import ShardSpec
from ferdata.ingesters import dataset_info
from ferdata.shards.paper_counts import describe_expected


def card_content(record: Mapping[str, Any], stored: Manifest, spec: ShardSpec) -> CardContent:
    """Collect a card's facts.

    Args:
        record: The content of `build.json`.
        stored: The manifest as stored.
        spec: Any shard of the build.
    """
    provenance, options = record["summary"]["provenance"], record["options"]
    return CardContent(
        name=record["name"],
        spec=spec,
        counts_before=record["summary"]["before"],
        counts=record["summary"]["after"],
        split_rule=options["split"],
        validation=_carved(options),
        seed=record["seed"],
        alignment=_alignment(options, record["versions"]),
        landmarks=record["summary"]["faces"],
        augmentation=_augmentation(options),
        operations=_operations(provenance.get("balance", {}).get("operations", [])),
        rejects=record["rejects"]["by_reason"],
        sources=[_source(name) for name in sorted(stored.roots)],
        plan_sha256=record["plan_sha256"],
        ferdata_version=record["ferdata_version"],
        versions=record["versions"],
        synthetic="synthetic_scale" in provenance.get("ingest", {}),
        leaks="; ".join(record["leaks"]),
        notes=record["notes"],
        recipe=_recipe(record),
    )


def _source(name: str) -> CardSource:
    known = dataset_info(name)
    return CardSource(
        name=name,
        title=known.title,
        license=known.license,
        usage=known.usage,
        citation=known.citation.bibtex,
        homepage=known.access.url,
    )


def _alignment(options: Mapping[str, Any], versions: Mapping[str, str]) -> str:
    whole, five = versions["align none"], versions["align five"]
    equalized = "; the histogram of luminance is equalized" if options["equalize"] else ""
    said = {
        "none": f"images are scaled to fit ({whole})",
        "five": f"five points are brought to a template ({five})",
        "auto": f"photographs by five points ({five}); face crops are scaled to fit ({whole})",
    }[options["align"]]
    return said + equalized


def _augmentation(options: Mapping[str, Any]) -> str:
    if options["augment"] == "none":
        return ""
    limit = f", at most {options['max_copies']} copies of an image" if options["max_copies"] else ""
    what = "classes" if options["augment_before_split"] else "classes of train"
    when = ", before the split" if options["augment_before_split"] else ""
    return f"{what} are raised to {options['balance_to']} with augmented copies{when}{limit}"


def _operations(described: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    """Turn each operation's declared values into words; an operation may come more than once."""
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
    """Word a range, a switch, a mapping or a plain value."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return " ".join(f"{name} {_value(each)}" for name, each in value.items()) or "none"
    if isinstance(value, list) and len(value) == 2:
        return f"{_value(value[0])}–{_value(value[1])}"
    return str(value)


def _carved(options: Mapping[str, Any]) -> float:
    """Return the share of train that became validation; 0 where the rules share all out."""
    rules = parse_rules(options["split"])
    every = [rules.common] if rules.common is not None else [rule for _, rule in rules.by_dataset]
    carve = any(isinstance(rule, FixedRule) for rule in every)
    return float(options["validation"]) if carve else 0.0


def _recipe(record: Mapping[str, Any]) -> Sequence[str]:
    """Say which recipe the options come from, and how the counts compare with the paper's."""
    recipe = record.get("recipe")
    if recipe is None:
        return ()
    how = ", with the split first (--leak-free)" if recipe["leak_free"] else ""
    return (f"{recipe['name']}{how}", *map(describe_expected, recipe["expected"]))
