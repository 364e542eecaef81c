"""What is audited: a manifest with the split that counts, and what else is known about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ferdata.audits.columns import Codes, Mask, encode, encode_together, is_source
from ferdata.audits.copy_pairs import CopyPairs
from ferdata.audits.disk_splits import split_columns
from ferdata.audits.families import Families, find_families
from ferdata.audits.findings import MOST_EXAMPLES, AuditedSet, Example
from ferdata.audits.options import AuditOptions
from ferdata.core.errors import ManifestError
from ferdata.core.manifest import Manifest
from ferdata.core.schema import SPLITS

if TYPE_CHECKING:
    from ferdata.audits.image_measures import ImageMeasures
    from ferdata.audits.images import ImagePlaces
    from ferdata.audits.reading import Refusal
    from ferdata.audits.runs import AuditedRun
    from ferdata.data.build import Build

PAIRS = (("train", "test"), ("train", "validation"), ("validation", "test"))
"""Splits that must share nothing: the one to learn from, the one to measure on."""


@dataclass(frozen=True)
class AuditSubject:
    """What is audited.

    Attributes:
        about: What it is, for the report.
        manifest: Its rows, augmented copies included.
        root: The folder that the uris are relative to; None where it is not known.
        options: What was asked.
        sides: With `--against`, the split that each row plays, as for `split`; else None.
        build: The build, if it is one.
        run: The run, if it is one.
        places: Where the images are; None if they are not to be opened.
        measures: What was measured on the images; None if they were not opened.
        copies: The pairs of source rows that show one image; None if nothing was compared.
        faces_known: Whether a face was looked for in every image.
        upside_down: Rows in which a face was found only when they were turned over, (N,).
        refusals: Why it could not be read as what it seemed to be.
    """

    about: AuditedSet
    manifest: Manifest
    root: Path | None = None
    options: AuditOptions = field(default_factory=AuditOptions)
    sides: Codes | None = None
    build: Build | None = None
    run: AuditedRun | None = None
    places: ImagePlaces | None = None
    measures: ImageMeasures | None = None
    copies: CopyPairs | None = None
    faces_known: bool = False
    upside_down: Mask | None = None
    refusals: tuple[Refusal, ...] = ()

    def __len__(self) -> int:
        return len(self.manifest)

    @property
    def table(self) -> pa.Table:
        """The manifest's table."""
        return self.manifest.table

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names."""
        return self.manifest.label_space.names

    @cached_property
    def sources(self) -> Mask:
        """Which rows are no augmented copies made by ferdata, (N,)."""
        return is_source(self.table)

    @cached_property
    def split(self) -> Codes:
        """The split that each row is used in: an index into `SPLITS`, −1 for none, (N,)."""
        return split_columns(self.table).used if self.sides is None else self.sides

    @cached_property
    def official(self) -> Codes:
        """The authors' split, as `split`."""
        return split_columns(self.table).official

    @cached_property
    def label(self) -> Codes:
        """The class of each row: an index into `classes`, (N,).

        Raises:
            ManifestError: A label is not in the label space.
        """
        column = self.table.column("label")
        positions = pc.index_in(column, pa.array(self.classes))
        if positions.null_count:
            wrong = column.filter(pc.is_null(positions))[0].as_py()
            raise ManifestError(f"{self.about.path}: label {wrong!r} is not in its label space")
        return np.asarray(positions.to_numpy(), np.int64)

    @cached_property
    def families(self) -> Families:
        """Which rows are copies of one image."""
        copies = CopyPairs.none() if self.copies is None else self.copies
        return find_families(self.table, copies, searched=self.copies is not None)

    @cached_property
    def _quality(self) -> tuple[Codes, pa.Array]:
        """The findings of all rows in one array, and the row of each."""
        column = self.table.column("quality").combine_chunks()
        rows = np.asarray(pc.list_parent_indices(column).to_numpy(), np.int64)
        return rows, column.flatten()

    @property
    def has_any_quality(self) -> bool:
        """Whether the images have been looked at."""
        column = self.table.column("quality")
        return bool(column.null_count < len(column))

    def has_quality(self, name: str) -> Mask:
        """Tell which rows have a finding of `ferdata.core.findings`, (N,)."""
        rows, texts = self._quality
        found = np.zeros(len(self), bool)
        found[rows[pc.starts_with(texts, f"{name}:").to_numpy(zero_copy_only=False)]] = True
        return found

    def quality_measure(self, name: str) -> npt.NDArray[np.float64]:
        """Return the number behind a finding, NaN where there is none, (N,)."""
        rows, texts = self._quality
        chosen = pc.starts_with(texts, f"{name}:")
        words = pc.replace_substring(texts.filter(chosen), f"{name}:", "")
        numeric = pc.match_substring_regex(words, r"^-?[0-9.]+(e-?[0-9]+)?$")
        values = pc.if_else(numeric, words, None).cast(pa.float64())
        found = np.full(len(self), np.nan)
        found[rows[chosen.to_numpy(zero_copy_only=False)]] = values.to_numpy(zero_copy_only=False)
        return found

    def median_side(self, rows: Mask) -> int:
        """Return the median of the images' shorter sides, in pixels; 0 where none is known."""
        width, height = (self.table.column(name).to_numpy() for name in ("width", "height"))
        sides = np.minimum(width, height)[rows].astype(float)
        known = sides[np.isfinite(sides)]
        return int(np.median(known)) if len(known) else 0

    def counts_by_split(self, *, sources: bool = True) -> dict[str, dict[str, int]]:
        """Count rows by split, `""` for none, and class.

        Args:
            sources: Leave out augmented copies made by ferdata.
        """
        found = {}
        for number, name in [*enumerate(SPLITS), (-1, "")]:
            rows = self.split == number
            rows = rows & self.sources if sources else rows
            if rows.any():
                found[name] = dict(zip(self.classes, self.counts(rows).tolist(), strict=True))
        return found

    def present(self) -> list[str]:
        """Return the splits that have rows."""
        found = set(np.unique(self.split).tolist())
        return [name for number, name in enumerate(SPLITS) if number in found]

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Yield the pairs of splits that are there and must share nothing."""
        there = self.present()
        yield from (pair for pair in PAIRS if set(pair) <= set(there))

    def in_split(self, name: str, *, sources: bool = True) -> Mask:
        """Return the rows of a split, (N,).

        Args:
            name: The split.
            sources: Leave out augmented copies made by ferdata.
        """
        chosen = self.split == SPLITS.index(name)
        return np.asarray(chosen & self.sources if sources else chosen)

    def counts(self, rows: Mask) -> npt.NDArray[np.int64]:
        """Count some rows by class, (K,)."""
        return np.bincount(self.label[rows], minlength=len(self.classes))

    def codes(self, *columns: str) -> Codes:
        """Number the distinct values of columns together; −1 where the last one is null, (N,)."""
        return encode_together(self.table, *columns)

    def words(self, name: str) -> tuple[Codes, list[Any]]:
        """Return the numbers of a column's values, −1 for null, and the values."""
        return encode(self.table.column(name))

    def example(self, rows: Sequence[int], text: str = "") -> Example:
        """Return an example of one row, or of several that belong together."""
        chosen = self.table.select(["sample_id", "uri", "label"]).take(pa.array(list(rows)))
        values = chosen.to_pydict()
        splits = tuple(SPLITS[code] if code >= 0 else "" for code in self.split[list(rows)])
        return Example(
            samples=tuple(values["sample_id"]),
            uris=tuple(values["uri"]),
            labels=tuple(values["label"]),
            splits=splits,
            text=text,
        )

    def examples(self, rows: Iterable[int], text: str = "") -> tuple[Example, ...]:
        """Return the first of some rows as examples, one row each."""
        first = [row for row, _ in zip(rows, range(MOST_EXAMPLES), strict=False)]
        return tuple(self.example([int(row)], text) for row in first)
