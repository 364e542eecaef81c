"""FER+: FER2013's images with ten votes each, and eight expressions.

Layouts, codes and counts: manifests/datasets/ferplus.yaml; the rules that turn votes into labels:
ferplus_rules.py. Source: Barsoum et al., ICMI 2016.

The votes are joined with FER2013's csv by the position of the row. The number in an image's name is
not that position: it lags behind wherever a row has no image.
"""

from __future__ import annotations

import csv
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ferdata.core.errors import AnnotationError, LayoutError
from ferdata.core.labels import CANONICAL
from ferdata.core.manifest import Reject
from ferdata.ingesters.contract import Choices, Ingester, Layout, register, reject
from ferdata.ingesters.fer2013.ingester import USAGES, native_usage, open_table, pixel_tables
from ferdata.ingesters.ferplus.label_rules import COLUMNS, EMOTIONS, decide
from ferdata.ingesters.info import Counts
from ferdata.ingesters.label_list import read_lines
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree, common_folder, file_name, folder_name

logger = logging.getLogger(__name__)

ROWS = 35_887
"""Rows of fer2013.csv and of fer2013new.csv."""

_FOLDERS = {"FER2013Train": "train", "FER2013Valid": "validation", "FER2013Test": "test"}
_NATIVE = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}
_HEADER = ("usage", "image name", *(column.lower() for column in COLUMNS))
_ORDER = [COLUMNS.index(name) for name in CANONICAL]
_ADVICE = "take fer2013new.csv from github.com/microsoft/FERPlus"


@register("ferplus")
class FerPlus(Ingester):
    """The votes with FER2013's csv, or the folders that the authors' script makes."""

    def detect(self, tree: FileTree) -> list[Layout]:
        """Find fer2013new.csv, or the three folders with label.csv."""
        return [*self._csv(tree), *self._folders(tree)]

    def read(self, layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
        """Read the rows in order; images without a label under the rule are rejects."""
        if layout.name == "csv":
            return self._read_csv(layout, choices)
        return self._read_folders(layout, choices)

    def expected_counts(self, layout: Layout, choices: Choices) -> Mapping[str, Counts]:
        """Return the counts of each split by its rule; copies in folders have other votes."""
        if layout.name != "csv":
            return {}
        return {split: self._counts_by(_rule(split, choices), split) for split in _NATIVE}

    def _counts_by(self, rule: str, split: str) -> Counts:
        if rule == "majority":
            return self.info.counts[split]
        # The two rules choose alike; they differ in what a trainer makes of the shares.
        chosen = "crossentropy" if rule == "probability" else rule
        return self.info.fingerprints[f"{chosen}, {split}"]

    def _csv(self, tree: FileTree) -> list[Layout]:
        layouts = []
        for votes in (path for path in tree.files if file_name(path).lower() == "fer2013new.csv"):
            table = next(iter(pixel_tables(tree)), None)
            base = folder_name(votes)
            evidence = [f"{votes} with the votes"]
            if table is not None:
                base = common_folder([base, folder_name(table)])
                evidence.append(f"{table} with the images")
            cut = len(base) + 1 if base else 0
            lists = tuple(path[cut:] for path in (votes, table) if path)
            sure = 0.98 if table else 0.5
            inside = tree.below(base)
            layouts.append(Layout(self.name, "csv", "images", inside, lists, sure, tuple(evidence)))
        return layouts

    def _folders(self, tree: FileTree) -> list[Layout]:
        lists = [
            path
            for path in tree.files
            if file_name(path) == "label.csv" and file_name(folder_name(path)) in _FOLDERS
        ]
        bases = sorted({folder_name(folder_name(path)) for path in lists})
        images = any(path.endswith(".png") for path in tree.files) if lists else False
        layouts = []
        for base in bases:
            inside = tree.below(base)
            cut = len(base) + 1 if base else 0
            mine = tuple(path[cut:] for path in lists if folder_name(folder_name(path)) == base)
            evidence = f"{', '.join(mine)}, the votes" + ("" if images else ", without images")
            sure = 0.97 if images else 0.4
            layouts.append(Layout(self.name, "folders", "images", inside, mine, sure, (evidence,)))
        return layouts

    def _read_csv(self, layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
        if len(layout.lists) < 2:
            raise LayoutError(
                f"{layout.root}: holds the votes ({layout.lists[0]}) and not the images; put "
                "fer2013.csv (or icml_face_data.csv) beside it, or give a folder that holds both."
            )
        votes_file, table = layout.lists
        votes = _read_votes(layout.root / votes_file)
        rows = open_table(layout, table)
        if len(rows) != len(votes):
            raise LayoutError(
                f"{layout.root}: {table} has {len(rows)} rows and {votes_file} {len(votes)}; they "
                f"belong together row by row, so both must be whole ({ROWS:,} rows)."
            )
        if len(rows) != ROWS:
            logger.warning("ferplus: %d rows, where the whole set has %d", len(rows), ROWS)
        for row, (cells, vote) in enumerate(zip(rows.rows(), votes, strict=True)):
            key, uri = f"{row:05d}", f"{table}#{row}"
            if cells is None:
                reason = f"malformed row: no cell for each of {', '.join(rows.header)}"
                yield reject(self.name, key, uri, reason)
                continue
            usage = native_usage(cells)
            if vote.usage and usage.lower() != vote.usage.lower():
                raise LayoutError(
                    f"{layout.root}: row {row} is {usage} in {table} and {vote.usage} in "
                    f"{votes_file}; these are not one set in one order. Take both files as they "
                    "were published."
                )
            yield self._decide(key, uri, vote, choices)

    def _read_folders(self, layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
        layout.tree.require_readable()
        files, listed = set(layout.tree.files), set[str]()
        for list_file in sorted(
            layout.lists, key=lambda path: list(_FOLDERS).index(folder_name(path))
        ):
            folder = folder_name(list_file)
            usage = _NATIVE[_FOLDERS[folder]]
            for number, line in enumerate(read_lines(layout.root / list_file), start=1):
                uri = f"{list_file}#{number}"
                cells = next(csv.reader([line]), [])
                counts = _counts(cells[2:]) if len(cells) == 2 + len(COLUMNS) else None
                if counts is None:
                    listed.add(f"{folder}/{cells[0].strip()}" if cells else "")
                    yield reject(self.name, "", uri, f"malformed line: {line[:60]!r}")
                    continue
                path, key = f"{folder}/{cells[0].strip()}", cells[0].strip().rpartition(".")[0]
                if path in listed:
                    yield reject(self.name, key, uri, "duplicate id: named on an earlier line")
                elif path not in files:
                    yield reject(self.name, key, uri, f"missing image: no {path}")
                else:
                    yield self._decide(key, path, _Votes(usage, counts), choices)
                listed.add(path)
        for path in sorted(files - listed):
            if path.lower().endswith(".png"):
                yield reject(self.name, "", path, "not in the list: no line of label.csv names it")

    def _decide(self, key: str, uri: str, vote: _Votes, choices: Choices) -> Sample | Reject:
        """Turn votes into a row, by the rule for its split."""
        if vote.counts is None:
            return reject(self.name, key, uri, "malformed votes: expected ten numbers")
        split = USAGES.get(vote.usage.lower())
        if split is None:
            reason = f"usage {vote.usage}: expected Training, PublicTest or PrivateTest"
            return reject(self.name, key, uri, reason)
        decision = decide(vote.counts, _rule(split, choices))
        if decision.label is None:
            return reject(self.name, key, uri, decision.reason)
        return Sample(
            key,
            uri,
            decision.label,
            COLUMNS[max(range(EMOTIONS), key=vote.counts.__getitem__)],
            soft_label=[decision.target[column] for column in _ORDER],
            votes=vote.counts,
            official_split=split,
            split_native=vote.usage,
        )


def _rule(split: str, choices: Choices) -> str:
    """Return the rule by which a split gets its labels."""
    if split == "train" or choices["eval_label_rule"] == "same":
        return choices["label_rule"]
    return choices["eval_label_rule"]


@dataclass(frozen=True, slots=True)
class _Votes:
    """A row of the votes.

    Attributes:
        usage: The authors' word for the split; empty where the line has not as many cells as the
            header.
        counts: Ten votes in the order of `COLUMNS`; None where they are malformed.
    """

    usage: str
    counts: tuple[int, ...] | None


def _read_votes(path: Path) -> list[_Votes]:
    lines = read_lines(path)
    header = tuple(word.strip().lower() for word in lines[0].split(","))
    if set(_HEADER) - set(header):
        missing = ", ".join(sorted(set(_HEADER) - set(header)))
        raise AnnotationError(f"{path} line 1", f"has no column {missing}; {_ADVICE}")
    usage, columns = header.index("usage"), [header.index(name) for name in _HEADER[2:]]
    votes = []
    for line in lines[1:]:
        cells = [cell.strip() for cell in line.split(",")]
        whole = len(cells) == len(header)
        counts = _counts([cells[column] for column in columns]) if whole else None
        votes.append(_Votes(cells[usage] if whole else "", counts))
    return votes


def _counts(cells: list[str]) -> tuple[int, ...] | None:
    """Return ten votes, or None where they are no numbers from 0 to 100."""
    if not all(cell.strip().isdecimal() and len(cell.strip()) < 3 for cell in cells):
        return None
    return tuple(int(cell) for cell in cells)
