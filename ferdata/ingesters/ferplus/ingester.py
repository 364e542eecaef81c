"""FER+: FER2013's images with ten votes each, and eight expressions.

Layouts, codes and counts: manifests/datasets/ferplus.yaml. Source: Barsoum et al., ICMI 2016.

The votes are joined with FER2013's csv by the position of the row. The number in an image's name is
not that position: it lags behind after each row without an image.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from ferdata.core.delimited import BLANK, open_table, posix_path, whole_number
from ferdata.core.errors import LayoutError
from ferdata.core.labels import CANONICAL
from ferdata.core.rejects import Reject
from ferdata.ingesters.catalog import register
from ferdata.ingesters.class_folders import class_folder
from ferdata.ingesters.contract import OF_REJECTS, Choices, Ingester, Layout
from ferdata.ingesters.evidence import Evidence, Sign
from ferdata.ingesters.fer2013.ingester import TABLE_COLUMNS, pixel_tables
from ferdata.ingesters.fer2013.names import USAGES, wrong_usage
from ferdata.ingesters.ferplus import clone
from ferdata.ingesters.ferplus.label_rules import COLUMNS, EMOTIONS, decide
from ferdata.ingesters.info import Counts
from ferdata.ingesters.label_list import note_table
from ferdata.ingesters.pixel_tables import open_table as open_pixel_table
from ferdata.ingesters.pixel_tables import read_rows
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree, common_folder, file_name, folder_name

logger = logging.getLogger(__name__)

ROWS = 35_887
"""Rows of fer2013.csv and of fer2013new.csv."""

_HEADER = ("Usage", "Image name", *COLUMNS)
_LIST_HEADER = ("Image name", "Box", *COLUMNS)
_ORDER = [COLUMNS.index(name) for name in CANONICAL]
_NO_TABLE = (
    "no images; put fer2013.csv (or icml_face_data.csv) beside it, or give a folder that contains "
    "both"
)
_ADVICE = "download fer2013new.csv from github.com/microsoft/FERPlus"


@register("ferplus")
class FerPlus(Ingester):
    """The votes with FER2013's csv or with images, or the folders of the authors' script."""

    def detect(self, tree: FileTree) -> list[Layout]:
        """Find fer2013new.csv, or the three folders with label.csv, or both."""
        return [*self._votes(tree), *self._folders(tree), *clone.detect(tree)]

    def read(self, layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
        """Read the rows in order; images without a label under the rule are rejects."""
        if layout.name == "csv":
            return self._read_csv(layout, choices)
        if layout.name == "clone":
            return self._read_clone(layout, choices)
        return self._read_folders(layout, choices)

    def expected_counts(self, layout: Layout, choices: Choices) -> Mapping[str, Counts]:
        """Return the counts of each split by its rule; copies in folders have other votes."""
        if layout.name == "clone" and choices["label_rule"] == "majority":
            return self.info.expected_counts("clone")
        if layout.name != "csv":
            return {}
        counts = {split: self._counts_by(_rule(split, choices), split) for split in USAGES.values()}
        return {split: by_class for split, by_class in counts.items() if by_class}

    def _counts_by(self, rule: str, split: str) -> Counts | None:
        if rule == "majority":
            return self.info.counts[split]
        # The two rules choose alike; they differ in what a trainer makes of the soft labels.
        chosen = "crossentropy" if rule == "probability" else rule
        return self.info.fingerprints.get(f"{chosen}, {split}")

    def _votes(self, tree: FileTree) -> Iterator[Layout]:
        tables = pixel_tables(tree)
        for votes in (path for path in tree.files if file_name(path).lower() == "fer2013new.csv"):
            table = _own_table(votes, tables)
            evidence = [Evidence(Sign.ANNOTATION, f"{votes} with the votes")]
            if table is not None:
                evidence.append(Evidence(Sign.TABLE, f"{table} with the images"))
            lists = [votes, table] if table else [votes]
            yield Layout.below(
                tree,
                common_folder(map(folder_name, lists)),
                self.name,
                "csv",
                *evidence,
                lists=lists,
                missing="" if table else _NO_TABLE,
            )

    def _folders(self, tree: FileTree) -> Iterator[Layout]:
        lists: dict[str, list[str]] = {}
        for path in tree.files:
            if file_name(path) == "label.csv" and class_folder(path) in clone.FOLDERS:
                lists.setdefault(folder_name(folder_name(path)), []).append(path)
        images = bool(lists) and any(path.endswith(".png") for path in tree.files)
        for base, mine in sorted(lists.items()):
            evidence = Evidence(Sign.TABLE, f"{', '.join(mine)} with the votes")
            missing = "" if images else "no images beside label.csv; run the authors' script"
            yield Layout.below(
                tree, base, self.name, "folders", evidence, lists=mine, missing=missing
            )

    def _read_csv(self, layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
        if len(layout.lists) < 2:
            raise LayoutError(
                f"{layout.root}: contains the votes ({layout.lists[0]}) but {_NO_TABLE}."
            )
        votes_file, table = layout.lists
        votes = _read_votes(layout, votes_file)
        rows = open_pixel_table(layout, table, TABLE_COLUMNS)
        if len(rows) != len(votes):
            raise LayoutError(
                f"{layout.root}: {table} has {len(rows)} rows and {votes_file} {len(votes)}; they "
                f"are joined row by row, so both must be complete ({ROWS:,} rows)."
            )
        if len(rows) != ROWS:
            logger.warning("ferplus: %d rows; the complete set has %d", len(rows), ROWS)
        for row, vote in zip(read_rows(layout, table, rows), votes, strict=True):
            if isinstance(row, Reject):
                yield row
                continue
            usage = row.word("usage")
            if vote.usage and usage.lower() != vote.usage.lower():
                raise LayoutError(
                    f"{layout.root}: row {int(row.key)} is {usage} in {table} and {vote.usage} in "
                    f"{votes_file}, so these are not the same rows in the same order. Use both "
                    "files as they were published."
                )
            yield _decide(layout, row.key, row.uri, vote, choices)

    def _read_folders(self, layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
        layout.tree.require_readable()
        files, listed = set(layout.tree.files), set[str]()
        order = list(clone.FOLDERS)
        for list_file in sorted(layout.lists, key=lambda path: order.index(folder_name(path))):
            folder = folder_name(list_file)
            table = open_table(layout.root / list_file, _LIST_HEADER, header="optional")
            for line in table.rows():
                uri = f"{list_file}#{line.number}"
                first, *_ = line.cells or (*table.head.dialect.split(line.text), "")
                name = posix_path(first.strip())
                path, key = f"{folder}/{name}", name.rpartition(".")[0]
                counts = _counts(line.cells[2:])
                if counts is None:
                    layout.ignored[path] = OF_REJECTS
                    yield layout.reject("", uri, f"malformed line: {line.text[:60]!r}")
                elif path in listed:
                    yield layout.reject(key, uri, "duplicate id: named on an earlier line")
                elif path not in files:
                    yield layout.reject(key, uri, f"missing image: no {path}")
                else:
                    yield _decide(layout, key, path, _Votes(clone.FOLDERS[folder], counts), choices)
                listed.add(path)
            note_table(layout, list_file, table)
        for path in sorted(files - listed):
            if path.lower().endswith(".png"):
                yield layout.reject("", path, "not in the list: no line of label.csv names it")

    def _read_clone(self, layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
        layout.tree.require_readable()
        votes_file = layout.lists[0]
        votes = _read_votes(layout, votes_file)
        images = clone.images(layout)
        last = {vote.name: row for row, vote in enumerate(votes) if vote.name}
        for row, vote in enumerate(votes):
            uri, key = f"{votes_file}#{vote.line}", vote.name.rpartition(".")[0]
            path = images.get((vote.usage.lower(), vote.name))
            if not vote.name:
                yield layout.reject("", uri, "not a face: the row has no image")
            elif last[vote.name] != row:
                reason = (
                    f"duplicate id: the image of line {votes[last[vote.name]].line} has its name"
                )
                yield layout.reject(key, uri, reason)
            elif path is None:
                yield layout.reject(key, uri, f"missing image: no {vote.name} for {vote.usage}")
            else:
                yield _decide(layout, key, path, vote, choices)
        for (_, name), path in sorted(images.items()):
            if name not in last:
                yield layout.reject("", path, f"not in the list: no line of {votes_file} names it")


@dataclass(frozen=True, slots=True)
class _Votes:
    """The votes on an image.

    Attributes:
        usage: The authors' word for the split; empty in a line with too few or too many cells.
        counts: Ten votes in the order of `COLUMNS`; None if they are malformed.
        name: The image's file name; empty for a row without one.
        line: Number of the line.
    """

    usage: str
    counts: tuple[int, ...] | None
    name: str = ""
    line: int = 0


def _decide(layout: Layout, key: str, uri: str, vote: _Votes, choices: Choices) -> Sample | Reject:
    """Turn votes into a row, by the rule for its split."""
    if vote.counts is None:
        return layout.reject(key, uri, "malformed votes: expected ten numbers")
    split = USAGES.get(vote.usage.lower())
    if split is None:
        return layout.reject(key, uri, wrong_usage(vote.usage))
    decision = decide(vote.counts, _rule(split, choices))
    if decision.label is None:
        return layout.reject(key, uri, decision.reason)
    return Sample(
        key,
        uri,
        decision.label,
        COLUMNS[max(range(EMOTIONS), key=vote.counts.__getitem__)],
        soft_label=[decision.soft_label[column] for column in _ORDER],
        votes=vote.counts,
        official_split=split,
        split_native=vote.usage,
    )


def _rule(split: str, choices: Choices) -> str:
    """Return the label rule of a split."""
    if split == "train" or choices["eval_label_rule"] == "same":
        return choices["label_rule"]
    return choices["eval_label_rule"]


def _own_table(votes: str, tables: Mapping[str, str]) -> str | None:
    """Return the csv of FER2013 that goes with a file of votes.

    The nearest of those with all columns, which is the one beside it if there is one; of several
    equally near ones the most certain.

    Args:
        votes: Path of the votes.
        tables: What `pixel_tables` returned.
    """

    def rank(table: str) -> tuple[bool, int]:
        folders = PurePosixPath(folder_name(votes)), PurePosixPath(folder_name(table))
        shared = PurePosixPath(common_folder(map(str, folders)))
        steps = sum(len(folder.relative_to(shared).parts) for folder in folders)
        return bool(tables[table]) or file_name(table).lower() == "train.csv", steps

    return min(tables, key=rank, default=None)


def _read_votes(layout: Layout, path: str) -> list[_Votes]:
    table = open_table(layout.root / path, _HEADER, advice=_ADVICE)
    votes, blank = [], 0
    for line in table.rows():
        if line.problem == BLANK:
            blank += 1  # a row only if others follow
            continue
        votes += [_Votes("", None)] * blank
        blank = 0
        usage, name = line.cells[:2] if line.cells else ("", "")
        votes.append(_Votes(usage, _counts(line.cells[2:]), name, line.number))
    note_table(layout, path, table)
    return votes


def _counts(cells: Sequence[str]) -> tuple[int, ...] | None:
    """Return ten votes, or None if they are not numbers from 0 to 99."""
    numbers = [number for cell in cells if (number := whole_number(cell)) is not None]
    well_formed = len(numbers) == len(cells) == len(COLUMNS)
    return tuple(numbers) if well_formed and all(0 <= each < 100 for each in numbers) else None
