"""The manifest: one row per image, a declared Arrow schema, one Parquet file.

Every stage from `ingest` to `augment` is a function from manifest to manifest. The table contains
names, never indices, and posix paths relative to a data root, never absolute paths; so equal inputs
give equal manifests with equal digests on every machine.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ferdata.core.array_hash import hash_array
from ferdata.core.errors import LabelError, ManifestError, ParseError
from ferdata.core.files import write_atomically
from ferdata.core.labels import LabelSpace, class_weights
from ferdata.core.parquet import open_parquet
from ferdata.core.parsing import parse_json, parsing
from ferdata.core.rejects import Reject, load_rejects, rejects_file, save_rejects
from ferdata.core.schema import ADDED_COLUMNS, SCHEMA, SCHEMA_VERSION, SPLITS

if TYPE_CHECKING:  # pandas takes a quarter of a second to import, in every worker
    import pandas as pd

_BATCH_ROWS = 8192

_NAME = re.compile(r"[\w.+-]+")  # of a dataset, a detector

_DICTIONARY_COLUMNS = [field.name for field in SCHEMA if pa.types.is_string(field.type)]
"""Columns to store with a dictionary, since their values repeat."""


@dataclass(frozen=True)
class Manifest:
    """An immutable table of samples with their label space, rejects and provenance.

    Attributes:
        table: Rows with the columns of `SCHEMA`.
        label_space: The label space of `label`.
        rejects: Rows that were rejected so far.
        roots: Folder of each dataset's files on this machine. Not stored in the file.
        provenance: How this manifest was made, by stage; plain JSON values without paths and times.
    """

    table: pa.Table
    label_space: LabelSpace
    rejects: tuple[Reject, ...] = ()
    roots: Mapping[str, Path] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.table.schema.names != SCHEMA.names:
            missing = [name for name in SCHEMA.names if name not in self.table.schema.names]
            extra = [name for name in self.table.schema.names if name not in SCHEMA.names]
            raise ManifestError(
                f"a manifest has the columns of {SCHEMA_VERSION}; "
                f"missing: {missing or 'none'}, unknown: {extra or 'none'}."
            )

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __repr__(self) -> str:
        return (
            f"Manifest({len(self):,} rows, {len(self.label_space)} classes, "
            f"{len(self.rejects):,} rejects; to_pandas() shows them)"
        )

    @classmethod
    def from_rows(
        cls,
        rows: Iterable[Mapping[str, Any]],
        label_space: LabelSpace,
        **attributes: Any,
    ) -> Manifest:
        """Create a manifest from mappings of column to value, in constant extra memory.

        Args:
            rows: One mapping per row; missing columns become null.
            label_space: The label space of `label`.
            **attributes: `rejects`, `roots`, `provenance`.

        Raises:
            ManifestError: A row has an unknown column or a value of the wrong type.
        """
        batches: list[pa.RecordBatch] = []
        iterator = iter(rows)
        while chunk := list(islice(iterator, _BATCH_ROWS)):
            unknown = set().union(*chunk) - set(SCHEMA.names)
            if unknown:
                raise ManifestError(f"rows have unknown columns: {sorted(unknown)}")
            try:
                batches.append(pa.RecordBatch.from_pylist(chunk, schema=SCHEMA))
            except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
                raise ManifestError(f"a row does not fit the schema: {error}") from error
        return cls(pa.Table.from_batches(batches, schema=SCHEMA), label_space, **attributes)

    @classmethod
    def from_pandas(
        cls, frame: pd.DataFrame, label_space: LabelSpace, **attributes: Any
    ) -> Manifest:
        """Create a manifest from a data frame; missing columns become null.

        Raises:
            ManifestError: The frame has an unknown column or a value of the wrong type.
        """
        unknown = set(frame.columns) - set(SCHEMA.names)
        if unknown:
            raise ManifestError(f"the data frame has unknown columns: {sorted(unknown)}")
        columns = []
        for column in SCHEMA:
            if column.name not in frame.columns:
                columns.append(pa.nulls(len(frame), column.type))
                continue
            try:
                columns.append(pa.array(frame[column.name], column.type, from_pandas=True))
            except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
                raise ManifestError(f"column {column.name!r}: {error}") from error
        return cls(pa.table(columns, schema=SCHEMA), label_space, **attributes)

    def to_pandas(self) -> pd.DataFrame:
        """Return the table as a data frame; nested columns contain arrays or None."""
        frame: pd.DataFrame = self.table.to_pandas()
        return frame

    # -- reading columns -------------------------------------------------------------------

    def column(self, name: str) -> list[Any]:
        """Return one column as Python values."""
        return list(self.table.column(name).to_pylist())

    def strings(self, name: str) -> np.ndarray[Any, np.dtype[np.object_]]:
        """Return a string column as an object array with None for null."""
        values: np.ndarray[Any, np.dtype[np.object_]] = np.empty(len(self), dtype=object)
        values[:] = self.table.column(name).to_pylist()
        return values

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
        """Yield rows as dictionaries, decoded in batches."""
        table = self.table.select(list(columns)) if columns is not None else self.table
        for batch in table.to_batches(max_chunksize=_BATCH_ROWS):
            yield from batch.to_pylist()

    # -- making new manifests --------------------------------------------------------------

    def with_column(self, name: str, values: Any) -> Manifest:
        """Return a manifest with other values in a column.

        Args:
            name: A column of `SCHEMA`.
            values: An Arrow array, or anything that `pyarrow.array` accepts.
        """
        position = SCHEMA.get_field_index(name)
        if position < 0:
            raise ManifestError(f"{name!r} is not a column of {SCHEMA_VERSION}")
        column = SCHEMA.field(position)
        if not isinstance(values, pa.Array | pa.ChunkedArray):
            values = pa.array(values, column.type)
        return replace(self, table=self.table.set_column(position, column, values))

    def take(self, indices: Any) -> Manifest:
        """Return the rows at the given positions, in that order."""
        return replace(self, table=self.table.take(pa.array(indices, pa.int64())))

    def reject(
        self, mask: np.ndarray[Any, np.dtype[np.bool_]], rejects: Iterable[Reject]
    ) -> Manifest:
        """Return a manifest without the masked rows and with their rejects added.

        Args:
            mask: True for each row to reject, shape (N,).
            rejects: The reject of each masked row, in any order.

        Raises:
            ManifestError: The numbers of rejects and of masked rows differ.
        """
        added = tuple(rejects)
        if len(added) != int(mask.sum()):
            raise ManifestError(f"{int(mask.sum())} rows rejected with {len(added)} reasons")
        table = self.table.filter(pa.array(~mask))
        return replace(self, table=table, rejects=self.rejects + added)

    def append(self, table: pa.Table) -> Manifest:
        """Return a manifest with further rows of the same schema at its end."""
        return replace(self, table=pa.concat_tables([self.table, table.cast(SCHEMA)]))

    def with_provenance(self, stage: str, values: Mapping[str, Any]) -> Manifest:
        """Return a manifest with the provenance of a stage added."""
        return replace(self, provenance={**self.provenance, stage: dict(values)})

    # -- rules -----------------------------------------------------------------------------

    def validate(self) -> None:
        """Check every rule of the table; cheap enough to run after every stage.

        Raises:
            ManifestError: A rule is broken; the message says which and where.
        """
        for column in SCHEMA:
            if not column.nullable and self.table.column(column.name).null_count:
                raise ManifestError(f"column {column.name!r} has empty values")
        ids = self.table.column("sample_id")
        if pc.count_distinct(ids).as_py() != len(self):
            counts = ids.value_counts()
            twice = counts.filter(pc.greater(counts.field("counts"), 1))[0]["values"]
            raise ManifestError(f"sample_id {twice.as_py()!r} occurs more than once")
        self._require_values("label", self.label_space.names)
        self._require_values("split", SPLITS)
        self._require_values("official_split", SPLITS)
        self._require_values("framing", ("crop", "photograph"))
        self._require_sources()
        copies = pc.is_valid(self.table.column("parent_id"))
        outside = pc.and_(copies, pc.not_equal(self.table.column("split"), "train"))
        if pc.any(outside).as_py():
            name = ids.filter(outside)[0].as_py()
            raise ManifestError(f"augmented copy {name!r} is outside the train split")

    def _require_values(self, column: str, accepted: Sequence[str]) -> None:
        values = pc.unique(self.table.column(column).combine_chunks()).to_pylist()
        wrong = sorted(value for value in values if value is not None and value not in accepted)
        if wrong:
            raise ManifestError(
                f"column {column!r} contains {wrong[0]!r}; expected one of {', '.join(accepted)}"
            )

    def _require_sources(self) -> None:
        """Check that landmarks have a scheme and come from a `dataset`, a detector or `none`."""
        points, schemes = self.table.column("landmarks"), self.table.column("landmark_scheme")
        unnamed = pc.and_(pc.is_valid(points), pc.is_null(schemes))
        if pc.any(unnamed).as_py():
            name = self.table.column("sample_id").filter(unnamed)[0].as_py()
            raise ManifestError(f"{name!r} has landmarks but no landmark_scheme that tells them")
        sources = pc.unique(self.table.column("landmark_source").combine_chunks()).to_pylist()
        wrong = [each for each in sources if each is not None and not _NAME.fullmatch(each)]
        if wrong:
            raise ManifestError(
                f"column 'landmark_source' contains {wrong[0]!r}; expected dataset, none, or the "
                "name of a detector"
            )

    def counts(self) -> dict[str, dict[str, int]]:
        """Count rows by split and class.

        Returns:
            `{split: {label: rows}}` with every class of the label space; rows without a split are
            under `""`.
        """
        grouped = self.table.group_by(["split", "label"]).aggregate([([], "count_all")])
        splits = [*SPLITS, ""] if None in self.column("split") else list(SPLITS)
        counts = {split: dict.fromkeys(self.label_space.names, 0) for split in splits}
        for row in grouped.to_pylist():
            counts[row["split"] or ""][row["label"]] = row["count_all"]
        return counts

    def class_weights(
        self, split: str | None = None, *, normalize: bool = False
    ) -> dict[str, float]:
        """Return the weight of each class in a loss; see `ferdata.core.labels.class_weights`.

        Args:
            split: Count the rows of this split only; default: all rows.
            normalize: Make the weights sum to 1.
        """
        counts = self.counts()
        chosen = counts.values() if split is None else [counts[split]]
        rows = [sum(part[name] for part in chosen) for name in self.label_space.names]
        weights = class_weights(rows, normalize=normalize).tolist()
        return dict(zip(self.label_space.names, weights, strict=True))

    def digest(self, version: str = SCHEMA_VERSION) -> str:
        """Hash the content: rows in order, label space and schema version.

        Independent of chunking, Parquet and pyarrow's version. Provenance, rejects and roots are
        not included.

        Args:
            version: The schema version whose columns are hashed.

        Returns:
            Hexadecimal sha256.
        """
        digest = hashlib.sha256(version.encode())
        digest.update(json.dumps([self.label_space.name, self.label_space.names]).encode())
        for declared in SCHEMA:
            if declared.name in ADDED_COLUMNS.get(version, ()):
                continue
            digest.update(declared.name.encode())
            hash_array(digest, self.table.column(declared.name).combine_chunks())
        return digest.hexdigest()

    # -- files -----------------------------------------------------------------------------

    def save(self, path: Path, *, row_group_sizes: Sequence[int] | None = None) -> None:
        """Write the manifest as Parquet, atomically.

        Args:
            path: The file to write.
            row_group_sizes: Rows of each Parquet row group; default: groups of equal size.
        """
        metadata = {
            "ferdata.schema": SCHEMA_VERSION,
            "ferdata.label_space": self.label_space.to_json(),
            "ferdata.provenance": json.dumps(self.provenance, sort_keys=True),
        }
        schema = SCHEMA.with_metadata(metadata)
        table = self.table.replace_schema_metadata(metadata)
        with (
            write_atomically(path) as file,
            pq.ParquetWriter(
                file, schema, compression="zstd", use_dictionary=_DICTIONARY_COLUMNS
            ) as writer,
        ):
            start = 0
            for size in row_group_sizes or [len(self)]:
                writer.write_table(table.slice(start, size), row_group_size=max(size, 1))
                start += size

    @classmethod
    def load(
        cls, path: Path, *, roots: Mapping[str, Path] | None = None, row_group: int | None = None
    ) -> Manifest:
        """Read a manifest.

        Args:
            path: A file that `save` wrote.
            roots: Folder of each dataset's files on this machine.
            row_group: Read only this row group.

        Raises:
            ManifestError: The file is not a manifest, or has another schema version.
        """
        try:
            with open_parquet(path) as file, parsing("a readable Parquet file"):
                stored = file.metadata.metadata or {}
                metadata = {key.decode(): value.decode() for key, value in stored.items()}
                table = file.read() if row_group is None else file.read_row_group(row_group)
                table.validate(full=True)
        except FileNotFoundError:
            raise ManifestError(f"{path}: no such manifest") from None
        except (ParseError, OSError) as error:
            raise ManifestError(f"{path}: {error}") from error
        version = metadata.get("ferdata.schema")
        if version != SCHEMA_VERSION and version not in ADDED_COLUMNS:
            raise ManifestError(
                f"{path}: schema version {version!r}; this ferdata reads {SCHEMA_VERSION!r} and "
                f"{', '.join(ADDED_COLUMNS)}. Run the `ferdata ingest` or `ferdata build` that "
                "made it again, or update ferdata"
            )
        for name in ADDED_COLUMNS.get(version, ()):
            declared = SCHEMA.field(name)
            table = table.append_column(declared, pa.nulls(len(table), declared.type))
        if version in ADDED_COLUMNS:
            table = table.select(SCHEMA.names)
        try:
            space = LabelSpace.from_json(metadata["ferdata.label_space"])
            provenance = parse_json(metadata["ferdata.provenance"])
        except (LabelError, KeyError, ParseError) as error:
            raise ManifestError(f"{path}: its metadata is damaged ({error})") from error
        return cls(
            table.replace_schema_metadata(None),
            space,
            roots=dict(roots or {}),
            provenance=provenance,
        )


def save_manifest(manifest: Manifest, path: Path) -> None:
    """Write a manifest, with its rejects beside it."""
    manifest.save(path)
    save_rejects(manifest.rejects, rejects_file(path))


def load_manifest(path: Path) -> Manifest:
    """Read a manifest, with its rejects if they are beside it.

    Raises:
        ManifestError: A file can't be read.
    """
    manifest, beside = Manifest.load(path), rejects_file(path)
    return replace(manifest, rejects=load_rejects(beside)) if beside.is_file() else manifest
