"""A published split: one JSON file that says who is where, without an image, path or attribute.

Columns are compressed: names and small numbers with zlib, hashes as they are, and all in base 85.
RAF-DB's 15,339 rows take less than 300 kB.
"""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
from pydantic import Field

from ferdata.core.errors import OptionError, ParseError
from ferdata.core.files import write_json
from ferdata.core.manifest import Manifest
from ferdata.core.parsing import parsing
from ferdata.core.records import RecordPart, read_given
from ferdata.core.schema import SPLITS
from ferdata.core.split_rules import LeaveOneSubjectOutRule, SubjectFoldRule, parse_rules
from ferdata.curation.split_files.table import NEAR_BYTES, PIXEL_BYTES, SplitTable, split_digest

ENDING = ".json"

_NUMBERED = re.compile(r"(.*?)([0-9]{1,15})")

_MOST = 1 << 28  # bytes of an unpacked column: 10 million names


class PublishedSplit(RecordPart):
    """The content of a split file.

    Attributes:
        format: Name and version of the format.
        digest: The split's name, see `ferdata.curation.split_files.table.split_digest`.
        rule: The split rules as text.
        seed: Seed of what was drawn.
        datasets: Title, license, source and layout of each dataset.
        rows: Number of images.
        counts: Images by split, or by fold, and class.
        classes: Class names; a label is a position in them.
        columns: Packed columns by name: `id`, `split` or `fold`, `label`, `pixels`, `near`; and
            attributes that were asked for.
    """

    format: Literal["ferdata-split/1"] = "ferdata-split/1"
    digest: str
    rule: str
    seed: int
    datasets: dict[str, dict[str, str]]
    rows: int = Field(ge=0)
    counts: dict[str, int]
    classes: tuple[str, ...]
    columns: dict[str, str]

    def table(self) -> SplitTable:
        """Unpack the columns.

        Raises:
            ParseError: They are damaged, or the digest is not theirs.
        """
        with parsing("a split file"):
            columns = {name: _unpack(text) for name, text in self.columns.items()}
            names = _expand(columns["id"].decode().split("\0")) if self.rows else []
            splits = [SPLITS[each] for each in columns.get("split", b"")]
            folds = np.frombuffer(columns.get("fold", b""), "<u2").tolist()
            labels = [self.classes[each] for each in columns["label"]]
            pixels = _integers(columns.get("pixels", b""), PIXEL_BYTES)
            near = _integers(columns.get("near", b""), NEAR_BYTES)
        found = SplitTable(names, splits, folds, labels, pixels, near)
        lengths = {len(each) for each in (splits, folds, pixels, near) if len(each)}
        if {len(names), len(labels)} | lengths != {self.rows} or found.digest != self.digest:
            raise ParseError("a split file whose rows are those of its digest: it was changed")
        return found


def export_split(
    manifest: Manifest, facts: Mapping[str, Mapping[str, str]], attributes: Sequence[str] = ()
) -> PublishedSplit:
    """Describe the split of a manifest for others.

    Args:
        manifest: Rows with a split; augmented copies are left out.
        facts: Title, license and the like of each dataset, for those who read the file.
        attributes: Columns that are published too, for instance `subject`; none by default.

    Raises:
        OptionError: Rows have no split, or there is no such column.
    """
    known = manifest.table.column_names
    if unknown := sorted(set(attributes) - set(known)):
        raise OptionError(f"no column {', '.join(unknown)}; the manifest has {', '.join(known)}")
    sources = _sources(manifest)
    order = sources[np.argsort(manifest.strings("sample_id")[sources].astype(str), kind="stable")]
    rows = manifest.take(order)
    if missing := rows.table.column("split").null_count:
        raise OptionError(
            f"{missing:,} of {len(rows):,} rows have no split; export a build, or a manifest that "
            "was split"
        )
    said = manifest.provenance.get("split", {})
    table = _table(rows, said)
    columns = _packed(table, manifest.label_space.names)
    for name in attributes:
        values = ["" if each is None else str(each) for each in rows.column(name)]
        columns[name] = _pack("\0".join(values).encode())
    return PublishedSplit(
        digest=table.digest,
        rule=said.get("rule", ""),
        seed=said.get("seed", 0),
        datasets={name: dict(each) for name, each in facts.items()},
        rows=len(table),
        counts=table.counts(),
        classes=manifest.label_space.names,
        columns=columns,
    )


def digest_of(manifest: Manifest) -> str:
    """Return the name of a manifest's split, see `split_digest`; augmented copies don't count."""
    columns = manifest.table.select(["sample_id", "split", "label"]).take(_sources(manifest))
    return split_digest(*(column.to_pylist() for column in columns.columns))


def save_split(split: PublishedSplit, path: Path) -> None:
    """Write a split file, atomically."""
    write_json(path, split.model_dump(mode="json"))


def load_split(path: Path) -> PublishedSplit:
    """Read a split file.

    Raises:
        OptionError: It can't be read, or is no split file.
    """
    return read_given(
        path, PublishedSplit, kind="split file of ferdata", writer="ferdata split export"
    )


def hash_prefixes(column: Sequence[str | None], size: int) -> npt.NDArray[np.uint64]:
    """Return the first bytes of hexadecimal hashes as integers, 0 for missing and blank ones."""
    texts = ((each or "0")[: 2 * size] for each in column)
    return np.fromiter((int(text, 16) for text in texts), np.uint64, len(column))


def _table(rows: Manifest, said: Mapping[str, Any]) -> SplitTable:
    folds = _folds(rows, said)
    return SplitTable(
        rows.column("sample_id"),
        () if folds else rows.column("split"),
        folds,
        rows.column("label"),
        hash_prefixes(rows.column("pixel_sha256"), PIXEL_BYTES),
        hash_prefixes(rows.column("perceptual_hash"), NEAR_BYTES),
    )


def _packed(table: SplitTable, classes: Sequence[str]) -> dict[str, str]:
    """Return the columns of a split file, see `PublishedSplit`."""
    columns = {
        "id": _pack("\0".join(_shorten(table.names)).encode()),
        "label": _pack(bytes(classes.index(label) for label in table.labels)),
    }
    if table.folds:
        columns["fold"] = _pack(np.asarray(table.folds, "<u2").tobytes())
    else:
        columns["split"] = _pack(bytes(SPLITS.index(split) for split in table.splits))
    for name, hashes, size in (
        ("pixels", table.pixels, PIXEL_BYTES),
        ("near", table.near, NEAR_BYTES),
    ):
        if hashes.any():
            columns[name] = _pack(_bytes(hashes, size), compress=False)
    return columns


def _sources(manifest: Manifest) -> npt.NDArray[np.int64]:
    """Return the positions of rows that are no augmented copies."""
    return np.flatnonzero(pc.is_null(manifest.table.column("parent_id")).to_numpy())


def _folds(rows: Manifest, said: Mapping[str, Any]) -> list[int]:
    """Return the fold of each row, if one rule of folds made the split; else none."""
    rules = set(said.get("rules", {}).values())
    rule = parse_rules(rules.pop()).common if len(rules) == 1 else None
    if not isinstance(rule, (SubjectFoldRule, LeaveOneSubjectOutRule)):
        return []
    subjects = [str(each) for each in rows.column("subject")]
    tested = [split == "test" for split in rows.column("split")]
    same = [part == "test" for part in rule.assign("", subjects)] == tested
    return rule.folds_of(subjects) if same else []


def _shorten(names: Sequence[str]) -> Iterator[str]:
    """Leave out each name that is the one before with its last number one higher."""
    before = ""
    for name in names:
        yield "" if name == _next(before) else name
        before = name


def _expand(names: Sequence[str]) -> list[str]:
    """Undo `_shorten`."""
    found: list[str] = []
    for name in names:
        found.append(name or _next(found[-1]))
    return found


def _next(name: str) -> str:
    """Return a name with its last number one higher; empty if it does not end in one."""
    match = _NUMBERED.fullmatch(name)
    return f"{match[1]}{int(match[2]) + 1:0{len(match[2])}d}" if match else ""


def _pack(data: bytes, *, compress: bool = True) -> str:
    return base64.b85encode(b"z" + zlib.compress(data, 9) if compress else b"r" + data).decode()


def _unpack(text: str) -> bytes:
    data = base64.b85decode(text)
    if data[:1] == b"r":
        return data[1:]
    return zlib.decompressobj().decompress(data[1:], _MOST)


def _bytes(values: npt.NDArray[np.uint64], size: int) -> bytes:
    return values.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 8 - size :].tobytes()


def _integers(data: bytes, size: int) -> npt.NDArray[np.uint64]:
    rows = np.frombuffer(data, np.uint8).reshape(-1, size)
    wide = np.zeros((len(rows), 8), np.uint8)
    wide[:, 8 - size :] = rows
    return wide.view(">u8").reshape(-1).astype(np.uint64)
