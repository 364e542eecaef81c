"""`ferdata datasets`: what is known about each dataset."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

from ferdata.cli.completion import complete_listed
from ferdata.cli.flags import Json
from ferdata.cli.output import echo_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ferdata.ingesters import DatasetInfo

_WIDTH = 96


def datasets(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A dataset. [default: list all]",
            autocompletion=complete_listed("ferdata.ingesters.lookup:dataset_names"),
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the datasets and mixes, or show one dataset: access, license, layouts, counts, caveats.

    \b
    Examples:
      ferdata datasets
      ferdata datasets rafdb
      ferdata datasets rafdb --json
    """
    from ferdata.core.tables import text_table  # noqa: PLC0415 - keeps start-up light
    from ferdata.ingesters import all_ingesters, dataset_info, declared_names  # noqa: PLC0415
    from ferdata.recipes.mix import load_mix, mix_names  # noqa: PLC0415 - keeps start-up light

    if name:
        shown = dataset_info(name)
        echo_json(shown) if as_json else typer.echo(describe(shown))
        return
    groups = {
        "dataset": [each.info for each in all_ingesters().values()],
        "declared": [dataset_info(each) for each in declared_names()],
    }
    if as_json:
        echo_json([each.model_dump(mode="json") for group in groups.values() for each in group])
    else:
        for head, group in groups.items():
            rows = [
                [each.name, f"{each.total:,}", f"{len(each.codes)}", each.title] for each in group
            ]
            typer.echo(text_table([head, "images", "classes", ""], rows, align="lrrl") + "\n")
        mixes = [[mix.name, mix.title] for mix in map(load_mix, mix_names())]
        typer.echo(text_table(["mix", ""], mixes, align="l"))
        typer.echo("\nFor details of a dataset: ferdata datasets NAME")


def describe(dataset: DatasetInfo) -> str:
    """Return everything that is known about a dataset as text."""
    parts = [
        f"{dataset.name}: {dataset.title}",
        _paragraph(dataset.description),
        _section("License", [dataset.license, dataset.usage]),
        _section("How to get it", [dataset.access.url, *_numbered(dataset.access.steps)]),
        _section("Cite", [dataset.citation.text]),
        "Layouts\n" + "\n".join(_layouts(dataset)),
        "Codes and counts" + _counts(dataset),
        _section("Images", [f"{source}: {text}" for source, text in dataset.image.items()]),
    ]
    if dataset.choices:
        parts.append("Choices\n" + "\n".join(_choices(dataset)))
    if dataset.attributes:
        parts.append(_section("Attributes", _attributes(dataset)))
    if dataset.caveats:
        parts.append(_section("Caveats", [f"- {caveat}" for caveat in dataset.caveats]))
    parts.append(_section("Sources", [dataset.source]))
    return "\n\n".join(parts)


def _section(title: str, texts: Iterable[str]) -> str:
    return "\n".join([title, *(_paragraph(text) for text in texts)])


def _paragraph(text: str) -> str:
    # Addresses and file names are not broken, so that they can be copied.
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent="  ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _numbered(steps: Iterable[str]) -> list[str]:
    return [f"{number}. {step}" for number, step in enumerate(steps, start=1)]


def _attributes(dataset: DatasetInfo) -> list[str]:
    return [
        f"{attribute}: {', '.join(f'{code} {word}' for code, word in words.items())}"
        for attribute, words in dataset.attributes.items()
    ]


def _choices(dataset: DatasetInfo) -> list[str]:
    lines = []
    for choice, values in dataset.choices.items():
        lines.append(f"  --{choice.replace('_', '-')} [default: {next(iter(values))}]")
        lines += [_paragraph(f"  {value}: {text}") for value, text in values.items()]
    return lines


def _layouts(dataset: DatasetInfo) -> list[str]:
    lines = []
    for layout in dataset.layouts:
        lines.append(f"  {layout.name} (images are {layout.framing}s)")
        lines.append(textwrap.indent(layout.tree.rstrip(), "    "))
        lines.append(f"    recognized by: {layout.evidence}\n")
    return "\n".join(lines).rstrip().splitlines()


def _counts(dataset: DatasetInfo) -> str:
    from ferdata.core.tables import text_table  # noqa: PLC0415 - keeps start-up light

    splits = list(dataset.counts)
    sums = {split: sum(counts.values()) for split, counts in dataset.counts.items()}

    def cell(number: int, split: str) -> str:
        return f"{number:,}" if sums[split] else ""  # only the total is known

    rows = [
        [str(code), label, *(cell(dataset.counts[split][label], split) for split in splits)]
        for code, label in dataset.codes.items()
    ]
    rows.append(["", "all", *(f"{dataset.totals.get(split, sums[split]):,}" for split in splits)])
    status = f" ({dataset.counts_status})" if dataset.counts_status != "published" else ""
    return f"{status}\n" + text_table(["code", "class", *splits], rows, align="llr", indent=2)
