"""Reading a dataset from arrays or rows, for those datasets that circulate so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ferdata.core.labels import find_name
from ferdata.core.rejects import Reject
from ferdata.ingesters.array_files import Block, find_blocks
from ferdata.ingesters.code_orders import own_order
from ferdata.ingesters.contract import Choices, Layout
from ferdata.ingesters.evidence import Evidence, Sign
from ferdata.ingesters.info import DatasetInfo
from ferdata.ingesters.label_list import is_other_dataset
from ferdata.ingesters.lookup import dataset_names
from ferdata.ingesters.order_choice import best_reading, choose_order, without_strays
from ferdata.ingesters.order_names import CODES_CHOICE
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.shares import evidence_of_shares
from ferdata.ingesters.tree import FileTree, common_folder, file_name, folder_name

KINDS = ("arrays", "parquet")
"""The layouts that are read here."""


@dataclass(frozen=True)
class ArrayRules:
    """What a dataset knows about its copies as arrays or rows.

    Attributes:
        key_of_name: Returns the key and official split of an image's own file name, or None.
        official: Returns the official split of a copy's word for it, or None.
        shape: Height and width of the dataset's images, if they are all equal.
        source: The layout's source.
        file_names: Names that the makers of the copy gave the file, in lower case.
        file_order: The order of the codes in such a file.
        label_space: The labels that are read; others are rejects.
    """

    key_of_name: Callable[[str], tuple[str, str] | None] = lambda _: None
    official: Callable[[str], str | None] = lambda _: None
    shape: tuple[int, int] | None = None
    source: str = "images"
    file_names: tuple[str, ...] = ()
    file_order: str | None = None
    label_space: tuple[str, ...] = ()


def detect_arrays(
    tree: FileTree, dataset: DatasetInfo, kind: str, rules: ArrayRules
) -> Iterator[Layout]:
    """Find files of arrays or rows that hold a dataset.

    Args:
        tree: The files.
        dataset: The dataset.
        kind: `arrays` or `parquet`.
        rules: What is known about such copies of it.
    """
    blocks = list(find_blocks(tree, kind))
    if not blocks:
        return
    files = sorted({block.file for block in blocks})
    total = sum(len(block.words) for block in blocks)
    listed = ", ".join(files[:3])
    evidence = [Evidence(Sign.FOLDERS, f"{total:,} images in {listed}")]
    if any(file_name(path).lower() in rules.file_names for path in files):
        evidence.append(Evidence(Sign.FILE, f"a file called {file_name(files[0])}"))
    if rules.shape and {block.shape for block in blocks} == {rules.shape}:
        evidence.append(Evidence(Sign.SIZE, "images of {}×{} pixels".format(*rules.shape)))
    named = [name for block in blocks for name in block.names if rules.key_of_name(name)]
    if named:
        text = f"{len(named):,} images named like {file_name(named[0])}"
        evidence.append(Evidence(Sign.NAMES, text))
    reading = best_reading(dataset, _parts(blocks))
    evidence += evidence_of_shares(dataset.name, reading, dataset_names())
    base = common_folder(map(folder_name, files))
    yield Layout.below(tree, base, dataset.name, kind, *evidence, lists=files, source=rules.source)


def read_arrays(
    layout: Layout, dataset: DatasetInfo, choices: Choices, rules: ArrayRules
) -> Iterator[Sample | Reject]:
    """Read the rows of all files, in the order of the files.

    Raises:
        OptionError: The order of the codes can't be told and must be named.
        WrongLabelsError: The order asked for can't be right.
    """
    blocks = list(find_blocks(layout.tree, layout.name))
    codes = _codes(_parts(blocks))
    in_codes = sum(sum(part.values()) for part in codes.values())
    if not is_other_dataset(in_codes, sum(len(block.words) for block in blocks)):
        codes = {}  # strays between names
    order = own_order(dataset)
    wanted = choices.get(CODES_CHOICE) or _usual_order(layout, rules)
    if codes and (wanted or not _are_own(dataset, codes)):
        order = choose_order(layout, dataset, codes, wanted)
    files = set(layout.tree.files)
    seen: set[str] = set()
    for block in blocks:
        for row, word in enumerate(block.words):
            name = block.names[row] if block.names else ""
            named = rules.key_of_name(name) if name else None
            key = named[0] if named else block.key(row)
            uri = _uri(block, row, name, files)
            label = order.codes.get(int(word)) if word.isdecimal() else find_name(word)
            if uri is None:
                yield layout.reject(key, block.uri(row), f"missing image: no {name}")
            elif label is None or label not in (rules.label_space or dataset.codes.values()):
                yield layout.reject(key, uri, f"label {word}: expected a class of {dataset.name}")
            elif key in seen:
                yield layout.reject(key, uri, "duplicate id: an earlier row has its name")
            else:
                seen.add(key)
                split = named[1] if named else rules.official(block.split)
                native = block.split or None
                yield Sample(key, uri, label, word, official_split=split, split_native=native)


def _usual_order(layout: Layout, rules: ArrayRules) -> str | None:
    """Return the order of codes in a file whose name tells who made it."""
    known = any(file_name(path).lower() in rules.file_names for path in layout.lists)
    return rules.file_order if known else None


def _are_own(dataset: DatasetInfo, codes: dict[str, dict[int, int]]) -> bool:
    """Say whether codes begin at 1 and are a dataset's that counts so, as no program does."""
    usual = without_strays(dataset, codes)
    seen = {code for part in usual.values() for code in part}
    return not seen or (min(dataset.codes) == 1 and seen == set(dataset.codes))


def _uri(block: Block, row: int, name: str, files: set[str]) -> str | None:
    """Return where an image is: in the file, or the file that it names; None if nowhere."""
    if block.has_images:
        return block.uri(row)
    places = (f"{folder_name(block.file)}/{name}".lstrip("/"), name)
    return next((place for place in places if place in files), None)


def _parts(blocks: Sequence[Block]) -> dict[str, Counter[str]]:
    parts: dict[str, Counter[str]] = {}
    for block in blocks:
        parts.setdefault(block.split or "all", Counter()).update(block.counts())
    return parts


def _codes(parts: dict[str, Counter[str]]) -> dict[str, dict[int, int]]:
    """Return the parts by code; empty where labels are words."""
    found = {
        name: {int(word): number for word, number in part.items() if word.isdecimal()}
        for name, part in parts.items()
    }
    return {name: part for name, part in found.items() if part}
