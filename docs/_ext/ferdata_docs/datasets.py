"""A page per dataset, from its facts: license, codes, counts, layouts, drawn samples."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from ferdata.core.resources import manifests_folder
from ferdata.ingesters import DatasetInfo, all_ingesters, dataset_info, declared_names
from ferdata.ingesters.demo import find_writer, write_demo
from ferdata.recipes.mix import load_mix, mix_names
from ferdata_docs.samples import drawn_tree, write_samples
from ferdata_docs.writing import code, fence, plain, table, toctree, write_page

SCALE = 1e-6
"""Of the drawn copies: one image of each class and split."""


def write_pages(folder: Path) -> None:
    """Write a page per dataset, one for declared sets, one for mixes, and the list of them."""
    out = folder / "datasets"
    infos = [each.info for each in all_ingesters().values()]
    rows = [
        [f"[`{each.name}`]({each.name}.md)", plain(each.title), f"{each.total:,}",
         f"{len(each.codes)}", each.redistribution]
        for each in infos
    ]  # fmt: skip
    write_page(
        out / "index.md",
        "# Datasets",
        "Made from `manifests/datasets/NAME.yaml`, which `ferdata datasets NAME` prints. All "
        "pictures are drawn: they "
        "show the layout and the size of a dataset's images, and no real person.",
        table(["name", "", "images", "classes", "passing images on"], rows, "llrrl"),
        "[Declared sets](declared.md) need no reader of their own, [mixes](mixes.md) are several "
        "datasets as one. For data of your own see "
        "[a set of your own](../../tutorials/own-set.md).",
        toctree([*(each.name for each in infos), "declared", "mixes"]),
    )
    for info in infos:
        write_page(out / f"{info.name}.md", *_dataset(info, folder))
    write_page(out / "declared.md", *_declared())
    write_page(out / "mixes.md", *_mixes())


def _dataset(info: DatasetInfo, folder: Path) -> Iterator[str]:
    yield f"# {info.name}: {plain(info.title)}"
    yield plain(info.description)
    picture = folder / "pictures" / f"{info.name}.png"
    with tempfile.TemporaryDirectory() as place:
        trees, copy = _draw(info, Path(place))
        caption = write_samples(copy, info, picture)
    yield f"![{caption}](../pictures/{info.name}.png)"
    yield f"*{caption}*"
    yield "## Terms and access"
    yield f":License: {plain(info.license)}\n:Use: {plain(info.usage)}\n:Passing images on: " + (
        info.redistribution
    )
    steps = [f"{number}. {plain(step)}" for number, step in enumerate(info.access.steps, 1)]
    yield f"<{info.access.url}>\n\n" + "\n".join(steps)
    yield "## Classes and counts"
    yield from _counts(info)
    yield "## Images"
    yield "\n".join(f"- {code(source)}: {plain(text)}" for source, text in info.image.items())
    yield from _choices(info)
    yield "## Layouts"
    yield "`ferdata detect DIR` recognizes these arrangements on disk."
    for layout in info.layouts:
        yield f"### {layout.name}"
        yield f"Images are {layout.framing}s. Recognized by {plain(layout.evidence)}."
        yield fence("text", layout.tree)
        if tree := trees.get(layout.name):
            told = f"ferdata demo {info.name} --layout {layout.name} --out copy"
            yield f"What `{told}` draws, shortened:"
            yield fence("text", tree)
    if info.attributes:
        yield "## Attributes"
        yield "\n".join(
            f"- {code(name)}: " + ", ".join(f"{key} {plain(word)}" for key, word in words.items())
            for name, words in info.attributes.items()
        )
    yield "## Caveats"
    yield "\n".join(f"- {plain(each)}" for each in info.caveats)
    yield "## Citation"
    yield plain(info.citation.text)
    yield fence("bibtex", info.citation.bibtex)
    yield f"Sources of this page: {plain(info.source)}."


def _draw(info: DatasetInfo, place: Path) -> tuple[dict[str, str], Path]:
    """Draw a tiny copy in each layout; returns their trees, and the folder of the first."""
    trees = {}
    layouts = find_writer(info.name).layouts
    for layout in layouts:
        write_demo(info.name, place / layout, layout=layout, scale=SCALE, quiet=True)
        trees[layout] = drawn_tree(place / layout)
    return trees, place / layouts[0]


def _counts(info: DatasetInfo) -> Iterator[str]:
    splits = list(info.counts)
    sums = {split: sum(counts.values()) for split, counts in info.counts.items()}
    rows = [
        [
            str(number),
            name,
            *(f"{info.counts[each][name]:,}" if sums[each] else "" for each in splits),
        ]
        for number, name in info.codes.items()
    ]
    totals = [f"**{info.totals.get(split, sums[split]):,}**" for split in splits]
    rows.append(["", "**all**", *totals])
    yield table(["code", "class", *splits], rows, "rl" + "r" * len(splits))
    yield f"Counts: {plain(info.counts_status)}. Label space: {code(info.label_space)}."


def _choices(info: DatasetInfo) -> Iterator[str]:
    if not info.choices:
        return
    yield "## Choices"
    for choice, values in info.choices.items():
        flag = f"--{choice.replace('_', '-')}"
        rows = [[code(value), plain(text)] for value, text in values.items()]
        yield f"`{flag}`, the first by default:"
        yield table(["value", ""], rows)


def _declared() -> Iterator[str]:
    yield "# Declared sets"
    yield (
        "These are read by name from declarations that ship with ferdata, `ferdata build NAME "
        "--data DIR`. They are also examples for [a set of your own](../../tutorials/own-set.md)."
    )
    for name in declared_names():
        info = dataset_info(name)
        path = manifests_folder() / "declarations" / f"{name}.yaml"
        yield f"## {name}: {plain(info.title)}"
        yield plain(info.description)
        yield fence("yaml", path.read_text(encoding="utf-8"))


def _mixes() -> Iterator[str]:
    yield "# Mixes"
    yield (
        "A mix is several datasets as one: `ferdata build NAME --data DIR`. Labels are matched by "
        "name. Give a YAML file of your own instead of a name."
    )
    for name in mix_names():
        path = manifests_folder() / "mixes" / f"{name}.yaml"
        yield f"## {plain(name)}"
        yield plain(load_mix(name).title)
        yield fence("yaml", path.read_text(encoding="utf-8"))
