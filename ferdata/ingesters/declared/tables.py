"""The rows of a declared table, whatever its file format: only the columns that are declared."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ferdata.core.delimited import BLANK, open_lines, open_table, open_table_at, sniff_table
from ferdata.core.errors import AnnotationError, ParseError
from ferdata.core.image_formats import is_image
from ferdata.core.parsing import parse_json, parsing
from ferdata.core.stored_images import ARRAY_SUFFIXES, ARROW_SUFFIX
from ferdata.core.yaml_files import describe_unknown_key
from ferdata.ingesters.declared.arrays import array_rows
from ferdata.ingesters.declared.declaration import Column, Table
from ferdata.ingesters.declared.fiftyone_json import fiftyone_rows
from ferdata.ingesters.declared.row import Row

_TEXT = (".csv", ".tsv", ".txt", ".lst", ".dat")
_JSON = (".json", ".jsonl", ".ndjson")
_COLUMNAR = (".parquet", ARROW_SUFFIX)
TABLE_SUFFIXES = (*_TEXT, *_JSON, *_COLUMNAR, *ARRAY_SUFFIXES)
"""Endings of files that can be read as a table."""

_BATCH_ROWS = 256
_NUMBER = re.compile(r"[+-]?[\d.]+")


def table_rows(root: Path, file: str, table: Table) -> Iterator[Row]:
    """Yield the rows of one file of a table.

    Args:
        root: The data folder.
        file: The file, relative to it.
        table: The declared columns.

    Raises:
        AnnotationError: The file can't be read, or lacks a column.
    """
    path = root / file
    suffix = path.suffix.lower()
    if suffix in ARRAY_SUFFIXES:
        return array_rows(path, file, table)
    if suffix in _COLUMNAR:
        return _columnar_rows(path, file, table)
    if suffix in _JSON:
        return _json_rows(path, file, table)
    if suffix in _TEXT:
        return _text_rows(path, file, table)
    raise AnnotationError(
        path, f"is no table that can be read; expected a file ending in {', '.join(TABLE_SUFFIXES)}"
    )


def class_names(path: Path, column: Column) -> tuple[str, ...]:
    """Return the class names that a Hugging Face file brings with a label column."""
    if path.suffix.lower() not in _COLUMNAR:
        return ()
    with _open_columnar(path) as file:
        stored = (file.schema_arrow.metadata or {}).get(b"huggingface", b"{}")
    try:
        features = parse_json(stored)["info"]["features"]
        feature = {name.lower(): each for name, each in features.items()}[str(column).lower()]
        return tuple(map(str, feature["names"]))
    except (ParseError, KeyError, TypeError, AttributeError):
        return ()


@dataclass(frozen=True)
class RowSample:
    """The first rows of a table whose columns are not declared yet.

    Attributes:
        header: The names of the columns; None for a text file without a header.
        rows: Cells.
        image: The column of a Parquet or Arrow file that holds images.
    """

    header: list[str] | None
    rows: list[list[Any]]
    image: str | None = None


def sample_rows(path: Path) -> RowSample:
    """Read a table without knowing its columns: all rows of text, else without image bytes.

    Raises:
        AnnotationError: It can't be read.
    """
    suffix = path.suffix.lower()
    if suffix in _COLUMNAR:
        with _open_columnar(path) as file:
            schema = file.schema_arrow
            nested = [field.name for field in schema if _holds_images(field)]
            plain = [each.name for each in schema if each.type.num_fields == 0]
            names = [name for name in plain if name not in nested]
            rows = [list(row.values()) for row in file.read(columns=names).to_pylist()]
        header = [name.lower() for name in names]
        return RowSample(header, rows, nested[0] if nested else None)
    if suffix in _JSON:
        values = _json_values(path)
        header = list(values[0]) if isinstance(values[0], dict) else []
        rows = [[each.get(name) for name in header] for each in values if isinstance(each, dict)]
        return RowSample([str(name).lower() for name in header], rows)
    split = sniff_table(path).dialect.split
    cut = ([cell.strip() for cell in split(line)] for line in open_lines(path))
    lines = [cells for cells in cut if any(cells)]
    if not lines:
        raise AnnotationError(path, "has empty cells only; a table was expected")
    if any(_NUMBER.fullmatch(cell) or is_image(cell) for cell in lines[0]):
        return RowSample(None, lines)
    return RowSample([cell.lower() for cell in lines[0]], lines[1:])


def _holds_images(field: Any) -> bool:
    import pyarrow as pa  # noqa: PLC0415 - few sets need it

    if pa.types.is_struct(field.type):
        return bool(field.type.get_field_index("bytes") >= 0)
    return bool(pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type))


def _text_rows(path: Path, file: str, table: Table) -> Iterator[Row]:
    columns = table.columns()
    if table.has_header:
        opened = open_table(path, [str(column) for column in columns])
    else:
        opened = open_table_at(path, [int(column) - 1 for column in columns])
    for line in opened.rows():
        uri = f"{file}#{line.number}"
        if not line.problem:
            yield Row(uri, dict(zip(columns, line.cells, strict=True)))
        elif line.problem != BLANK:
            yield Row(uri, problem=line.problem)


def _json_rows(path: Path, file: str, table: Table) -> Iterator[Row]:
    values = _json_values(path)
    names = {str(key).lower() for each in values if isinstance(each, dict) for key in each}
    _positions(path, sorted(names), table)
    for number, each in enumerate(values):
        uri = f"{file}#{number}"
        if isinstance(each, dict):
            cells = {str(key).lower(): value for key, value in each.items()}
            yield Row(uri, {name: cells.get(str(name).lower()) for name in table.columns()})
        else:
            yield Row(uri, problem="malformed row: not an object with keys")


def _json_values(path: Path) -> list[Any]:
    """Return the list of rows in a JSON file, or of the lines of JSON.

    Raises:
        AnnotationError: It is something else.
    """
    try:
        if path.suffix.lower() == ".json":
            values = parse_json(path.read_bytes())
        else:
            values = [parse_json(line) for line in open_lines(path) if line.strip()]
    except ParseError as error:
        raise AnnotationError(path, f"is {error}") from None
    except OSError as error:
        raise AnnotationError(path, f"can't be read ({error.strerror})") from None
    if isinstance(values, dict) and (rows := fiftyone_rows(values, path.parent)) is not None:
        return rows
    if isinstance(values, dict):  # {"train": […]} or {"data": […]}
        lists = [each for each in values.values() if isinstance(each, list)]
        values = lists[0] if len(lists) == 1 else values
    if not isinstance(values, list) or not values:
        raise AnnotationError(path, 'expected a list of rows, as in [{"file": …, "label": …}]')
    return values


def _columnar_rows(path: Path, file: str, table: Table) -> Iterator[Row]:
    with _open_columnar(path) as opened:
        names = list(opened.schema_arrow.names)
        positions = _positions(path, [name.lower() for name in names], table)
        stored = {column: names[position] for column, position in positions.items()}
        number = 0
        for batch in opened.iter_batches(_BATCH_ROWS, columns=sorted(set(stored.values()))):
            for values in batch.to_pylist():
                cells = {column: values[name] for column, name in stored.items()}
                yield _columnar_row(f"{file}#{number}", cells, table, stored, number)
                number += 1


def _columnar_row(
    uri: str, cells: dict[Column, Any], table: Table, stored: Mapping[Column, str], number: int
) -> Row:
    """Return a row whose image is in the file, or, as in Hugging Face's, at a path."""
    if table.image is None:
        return Row(uri, cells)
    image = cells.pop(table.image)
    data, path = (image.get("bytes"), image.get("path")) if isinstance(image, dict) else (image, "")
    if isinstance(data, bytes):
        file = uri.partition("#")[0]
        return Row(uri, cells, stored=f"{file}#{stored[table.image]}/{number}")
    if path:
        return Row(uri, cells, path=str(path))
    return Row(uri, problem="malformed row: no image bytes and no path")


@contextmanager
def _open_columnar(path: Path) -> Iterator[Any]:
    from ferdata.core.arrow_stream import ArrowStream  # noqa: PLC0415 - few sets need it
    from ferdata.core.parquet import open_parquet  # noqa: PLC0415

    kind = path.suffix.lower().removeprefix(".")
    try:
        with ExitStack() as stack, parsing(f"a whole {kind} file"):
            is_arrow = f".{kind}" == ARROW_SUFFIX
            yield ArrowStream(path) if is_arrow else stack.enter_context(open_parquet(path))
    except (OSError, ParseError) as error:
        raise AnnotationError(path, f"is no readable {kind} file: {error}") from None


def _positions(path: Path, header: Sequence[str], table: Table) -> dict[Column, int]:
    """Return where each declared column stands."""
    found = {}
    for column in table.columns():
        name = str(column).strip().lower()
        if name not in header:
            unknown = describe_unknown_key(name, header).replace("key", "column")
            raise AnnotationError(path, f"{unknown}. Its columns are {', '.join(header)}")
        found[column] = header.index(name)
    return found
