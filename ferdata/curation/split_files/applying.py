"""Applying split files: each row gets its split, and what does not fit is listed."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np

from ferdata.core.errors import OptionError
from ferdata.core.given_splits import FileRule, MatchedRule
from ferdata.core.manifest import Manifest
from ferdata.core.records import RecordPart
from ferdata.core.rejects import Reject
from ferdata.core.split_rules import SplitRule, SplitRules
from ferdata.curation.split_files.matching import Matches, match_rows
from ferdata.curation.split_files.reading import read_split
from ferdata.curation.split_files.table import SplitTable

logger = logging.getLogger(__name__)

_FEWEST = 0.5
"""A file that names fewer of the rows than this is another dataset's."""

_SHOWN = 5
_NAMES = ("sample_id", "uri")
_NOT_NAMED = "not in the split file"


class Relabeled(RecordPart):
    """A row whose label differs from that in the split file."""

    sample_id: str
    label: str
    in_file: str


class Differences(RecordPart):
    """How a copy differs from the one that a split file was made for.

    Attributes:
        file: The split file's name.
        digest: The split's name, see `split_digest`; empty for lists without labels.
        rows: Entries of the file for this dataset.
        matched: Rows by how they were found: `name`, `pixels`, `near` or `position`.
        missing: Entries without a row, by name.
        extra: Rows that the file does not name.
        ambiguous: Rows that could be several entries with different splits or labels.
        relabeled: Rows whose label differs; the copy's label is used.
    """

    file: str
    digest: str
    rows: int
    matched: dict[str, int]
    missing: tuple[str, ...]
    extra: tuple[str, ...]
    ambiguous: tuple[str, ...]
    relabeled: tuple[Relabeled, ...]

    @property
    def differs(self) -> bool:
        """Whether anything is missing, extra, ambiguous or relabeled."""
        return bool(self.missing or self.extra or self.ambiguous or self.relabeled)

    def summary(self) -> dict[str, Any]:
        """Return the counts, with the first few names of each kind, as JSON values."""
        said = self.model_dump(mode="json")
        for kind in ("missing", "extra", "ambiguous", "relabeled"):
            names = said.pop(kind)
            said[kind] = len(names)
            if names:
                said[f"{kind}_first"] = names[:_SHOWN]
        return said

    def sentences(self) -> list[str]:
        """Say what differs, one sentence a kind."""
        texts = {
            "missing": "images of the split file are not in this copy",
            "extra": "rows are not in the split file and are rejected",
            "ambiguous": "rows could be several images of the split file and are rejected",
            "relabeled": "rows have another label than in the split file; the copy's is used",
        }
        found = []
        for kind, text in texts.items():
            names = getattr(self, kind)
            if names:
                first = names[0].sample_id if kind == "relabeled" else names[0]
                found.append(f"{len(names):,} {text}: {first}{', …' if len(names) > 1 else ''}")
        return found


@dataclass(frozen=True)
class _Applied:
    """What a file says of a dataset's rows, and the rows to reject with their reasons."""

    rule: MatchedRule
    rejected: list[tuple[int, str]]


def apply_split_files(manifest: Manifest, rules: SplitRules) -> tuple[Manifest, SplitRules]:
    """Replace rules that name a file by what the file says of each row.

    Args:
        manifest: Source images; with pixel hashes, rows are also found under other names.
        rules: Resolved rules.

    Returns:
        The rows that the files name, the others being rejects (stage `curate`); and rules without
        files.

    Raises:
        OptionError: A file can't be read, or is not one of this dataset.
    """
    datasets = manifest.strings("dataset")
    chosen: dict[str, SplitRule] = {}
    rejects: dict[int, Reject] = {}
    for dataset in sorted(set(datasets)):
        rule = rules.of(dataset)
        chosen[dataset] = rule
        if isinstance(rule, FileRule):
            rows = np.flatnonzero(datasets == dataset)
            applied = _apply(manifest.take(rows), dataset, rule)
            chosen[dataset] = applied.rule
            for row, reason in applied.rejected:
                place = int(rows[row])
                name, uri = (manifest.table.column(each)[place].as_py() for each in _NAMES)
                rejects[place] = Reject(name, uri, "curate", reason)
    if not any(isinstance(rule, MatchedRule) for rule in chosen.values()):
        return manifest, rules
    mask = np.zeros(len(manifest), bool)
    mask[list(rejects)] = True
    return manifest.reject(mask, rejects.values()), SplitRules(by_dataset=tuple(chosen.items()))


def compare_split(rows: Manifest, dataset: str, rule: FileRule) -> Differences:
    """Compare the rows of a dataset with a split file, without applying it.

    Raises:
        OptionError: The file can't be read.
    """
    table, parts = _read(dataset, rule)
    return _differences(rows, rule, table, match_rows(rows, table, parts))


def _apply(rows: Manifest, dataset: str, rule: FileRule) -> _Applied:
    table, parts = _read(dataset, rule)
    matches = match_rows(rows, table, parts)
    found = _differences(rows, rule, table, matches)
    if sum(found.matched.values()) < _FEWEST * len(rows):
        uri = rows.column("uri")[int(np.flatnonzero(matches.entry < 0)[0])]
        raise OptionError(
            f"--split {rule.text}: {int((matches.entry < 0).sum()):,} of {len(rows):,} rows of "
            f"{dataset} are not in {rule.path}, {uri} for instance; name every image by its path "
            "inside the data folder, or by its sample id."
        )
    for sentence in found.sentences():
        logger.warning("%s: %s", dataset, sentence)
    names = rows.column("sample_id")
    splits = {
        names[row]: parts[entry] for row, entry in enumerate(matches.entry.tolist()) if entry >= 0
    }
    ambiguous = set(matches.ambiguous)
    rejected = [
        (row, "ambiguous: several images of the split file" if row in ambiguous else _NOT_NAMED)
        for row in np.flatnonzero(matches.entry < 0).tolist()
    ]
    return _Applied(MatchedRule(rule.text, splits, found.summary()), rejected)


def _read(dataset: str, rule: FileRule) -> tuple[SplitTable, list[str]]:
    """Read what a file says of a dataset, and the split of each entry."""
    table = read_split(rule.path)
    own = [k for k, name in enumerate(table.names) if name.startswith(f"{dataset}/")]
    if own and len(own) < len(table):
        table = table.take(own)
    return table, table.assignment(rule.fold, f"--split file: {rule.path.name}")


def _differences(
    rows: Manifest, rule: FileRule, table: SplitTable, matches: Matches
) -> Differences:
    names = rows.column("sample_id")
    ambiguous = set(matches.ambiguous)
    open_rows = np.flatnonzero(matches.entry < 0).tolist()
    return Differences(
        file=rule.path.name,
        digest=table.digest if table.names and table.labels else "",
        rows=len(table),
        matched=matches.by,
        missing=tuple(table.names[entry] for entry in matches.missing) if table.names else (),
        extra=tuple(names[row] for row in open_rows if row not in ambiguous),
        ambiguous=tuple(names[row] for row in matches.ambiguous),
        relabeled=tuple(
            Relabeled(sample_id=names[row], label=label, in_file=table.labels[entry])
            for row, entry in matches.relabeled
            for label in [rows.table.column("label")[row].as_py()]
        ),
    )
