"""The one reader of tables: every form in which somebody saves a csv, and what is none."""

from __future__ import annotations

import csv
import io
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferdata.core.delimited import (
    DELIMITERS,
    Table,
    open_table,
    posix_path,
    read_lines,
    read_words,
    real_number,
    sniff_table,
    split_line,
    whole_number,
)
from ferdata.core.delimited.lines import LONGEST
from ferdata.core.errors import AnnotationError

COLUMNS = ("image", "label")
ROWS = [["a/1.jpg", "3"], ["b/ü 2.jpg", "0"], ['c/"3".jpg', "6"]]
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252")


def save(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def cells(table: Table) -> list[list[str]]:
    return [list(line.cells) for line in table.rows()]


def written(rows: list[list[str]], **dialect: object) -> str:
    text = io.StringIO()
    csv.writer(text, **dialect).writerows(rows)
    return text.getvalue()


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_whoever_saved_it(tmp_path: Path, encoding: str, end: str, mark: str) -> None:
    table = [["image", "label"], *ROWS]
    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL):
        text = written(table, delimiter=mark, lineterminator=end, quoting=quoting)
        opened = open_table(save(tmp_path / "a.csv", text, encoding), COLUMNS)
        lines = list(opened.rows())
        assert [list(line.cells) for line in lines] == ROWS
        assert [line.number for line in lines] == [2, 3, 4]
        assert not any(line.problem for line in lines)
        assert DELIMITERS[mark] in opened.head.dialect.describe()
        said = " ".join(opened.notices)
        assert ("Windows-1252" in said) == (encoding == "cp1252")
        assert ("UTF-16" in said) == encoding.startswith("utf-16")


CELL = st.text(st.characters(exclude_characters="\r\n\x00\ufeff", exclude_categories=["Cs", "Cc"]))


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=8),
    mark=st.sampled_from(",;\t|"),
    everything=st.booleans(),
)
def test_any_cells_come_back(
    rows: list[list[str]], mark: str, everything: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "cells.csv"
    quoting = csv.QUOTE_ALL if everything else csv.QUOTE_MINIMAL
    names = [["image", "label", "note"], *rows]
    save(path, written(names, delimiter=mark, quoting=quoting, lineterminator="\n"))
    found = list(open_table(path, ("image", "label", "note")).rows())
    assert len(found) == len(rows)
    for line, row in zip(found, rows, strict=True):
        stripped = [cell.strip() for cell in row]
        assert list(line.cells) == (stripped if any(stripped) else [])


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\nimage;label\nx;3\n",
        "\n\nimage,label\nx,3\n",
        " Image , LABEL \nx,3\n",
        '"","image","label"\n"0","x","3"\n',
        "Unnamed: 0,label,image\n0,3,x\n",
        "image,label,,\nx,3,,\n",
        "image,label\n1,x,3\n",
        "# image label\nx 3\n",
        "image,label\nx,3,,,\n",
        "image\tlabel\nx\t3\n",
    ],
)
def test_headers(tmp_path: Path, text: str) -> None:
    if text.startswith("#"):
        text = text.replace("# ", "#")
    assert cells(open_table(save(tmp_path / "a.csv", text), COLUMNS)) == [["x", "3"]]


@pytest.mark.parametrize(
    "text",
    [
        "x.jpg,3\ny.jpg,4\n",
        "x.jpg 3\ny.jpg   4\n",
        "x.jpg\t3\r\ny.jpg\t4",
        '"x.jpg" 3\n"y.jpg" 4\n',
        "0,x.jpg,3\n1,y.jpg,4\n",
        ",0,1\n0,x.jpg,3\n1,y.jpg,4\n",
        "0,1\nx.jpg,3\ny.jpg,4\n",
        "sep=;\nx.jpg;3\ny.jpg;4\n",
        "image,label\nx.jpg,3\ny.jpg,4\n",
        "label;image\n3;x.jpg\n4;y.jpg\n",
    ],
)
def test_columns_by_place_or_by_name(tmp_path: Path, text: str) -> None:
    table = open_table(save(tmp_path / "a.txt", text), COLUMNS, header="optional")
    assert cells(table) == [["x.jpg", "3"], ["y.jpg", "4"]]


def test_optional_columns_are_empty_where_there_are_none(tmp_path: Path) -> None:
    path = save(tmp_path / "a.csv", "label,image\n3,x\n")
    assert cells(open_table(path, COLUMNS, optional=("split",))) == [["x", "3", ""]]
    path = save(tmp_path / "a.csv", "x,3\ny,4\n")
    table = open_table(path, COLUMNS, optional=("split",), header="optional")
    assert cells(table) == [["x", "3", ""], ["y", "4", ""]]


def test_every_line_is_told(tmp_path: Path) -> None:
    text = 'image,label\na,1\n\n,\nb\n"c,5\nd,\x00,\n' + "e" * (LONGEST + 10) + "\nf,2\nTotal: 2\n"
    lines = list(open_table(save(tmp_path / "a.csv", text), COLUMNS).rows())
    assert [(line.number, line.problem or list(line.cells)) for line in lines] == [
        (2, ["a", "1"]),
        (3, "blank line"),
        (4, "blank line"),
        (5, "malformed line: 1 cells, expected 2"),
        (6, ['"c', "5"]),  # a stray quote swallows nothing
        (7, ["d", "\x00"]),
        (8, f"malformed line: longer than {LONGEST:,} characters"),
        (9, ["f", "2"]),
        (10, "malformed line: 1 cells, expected 2"),
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"\n \r\n", "is empty"),
        (b"\0" * 5000, "nothing but zero bytes"),
        ("image,label\na,1\n".encode("utf-32"), "text in UTF-32"),
        ("image,label\na,1\n".encode("utf-32-be"), "text in UTF-32"),
        (b"PK\x03\x04....[Content_Types].xml..xl/workbook.xml", "Excel workbook; open it and save"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", "Excel workbook"),
        (b"PK\x03\x04....labels.csv", "zip archive; extract it"),
        (b"\x1f\x8b\x08....", "gzip"),
        (b"PAR1....", "Parquet"),
        (b"\x89HDF\r\n\x1a\n....", "HDF5"),
        (b"\x93NUMPY\x01....", "numpy"),
        (b"<!DOCTYPE html><html><body>Log in", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid x", "git lfs pull"),
        (np.random.default_rng(0).bytes(4000), "binary data"),
        (b"image:label\na:1\n", "separated by ':'"),
        (b"image,class\na,1\n", "no column label; its columns are image, class"),
        (b"a,1\nb,2\n", "no column image, label"),
    ],
)
def test_what_it_is_instead(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "a.csv").write_bytes(data)
    with pytest.raises(AnnotationError, match=r"a\.csv") as caught:
        open_table(tmp_path / "a.csv", COLUMNS)
    assert said in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match="can't be read"):
        open_table(tmp_path / "none.csv", COLUMNS)
    with pytest.raises(AnnotationError, match="not a regular file"):
        open_table(tmp_path, COLUMNS)


def test_a_table_of_any_size_takes_constant_memory(tmp_path: Path) -> None:
    with (tmp_path / "a.csv").open("w") as file:
        file.write("image,label\n")
        file.writelines(f"{'x' * 200}{row}.jpg,{row % 7}\n" for row in range(40_000))
    tracemalloc.start()
    try:
        assert sum(1 for _ in open_table(tmp_path / "a.csv", COLUMNS).rows()) == 40_000
        assert tracemalloc.get_traced_memory()[1] < 2e6
    finally:
        tracemalloc.stop()


def test_what_the_file_alone_tells(tmp_path: Path) -> None:
    head = sniff_table(save(tmp_path / "a.csv", "File;Emotion\na.jpg;3\n", "utf-16"))
    assert head.names == ("file", "emotion")
    assert head.rows[1] == ("a.jpg", "3")
    assert head.has_header
    assert head.dialect.describe() == "UTF-16, separated by semicolons"
    assert not sniff_table(save(tmp_path / "b.csv", "a.jpg,3\nb.jpg,4\n")).has_header


def test_only_line_ends_end_a_line(tmp_path: Path) -> None:
    path = save(tmp_path / "a.txt", "a\x0cb\nc\u2028d\r\ne")
    assert read_lines(path) == ["a\x0cb", "c\u2028d", "e"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
def test_words(tmp_path: Path, encoding: str) -> None:
    assert read_words(save(tmp_path / "a.txt", " 1\t2 \r\n3", encoding)) == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("line", "mark", "expected"),
    [
        ('a,"b,c",d', ",", ["a", "b,c", "d"]),
        ('"a","b"', ",", ["a", "b"]),
        ('"a","b"""', ",", ["a", 'b"']),
        ('"",""', ",", ["", ""]),
        ('a"b,c', ",", ['a"b', "c"]),
        ('"a,b', ",", ['"a', "b"]),
        ('"a",', ",", ["a", ""]),
        ('"a"x,b', ",", ['"a"x', "b"]),
        (' "a" ;b', ";", ["a", "b"]),
        ('"a b" c', " ", ["a b", "c"]),
        ("", ",", [""]),
        ("", " ", []),
    ],
)
def test_quotes(line: str, mark: str, expected: list[str]) -> None:
    assert split_line(line, mark) == expected


@pytest.mark.parametrize(
    ("word", "number"),
    [
        *((word, 3) for word in ("3", " 3 ", "3.0", "3.", '"3"', "+3", "3,0", "3,00", "03", "3e0")),
        ("3.000000000000000000e+00", 3),
        ("30e-1", 3),
        ("-1", -1),
        ("123456789012345678", None),
        *((word, None) for word in ("", "x", "3.5", "3,000", "3 4", "nan", "1e99", "9" * 25, "٣")),
    ],
)
def test_whole_numbers(word: str, number: int | None) -> None:
    assert whole_number(word) == number


@pytest.mark.parametrize(
    ("word", "number"),
    [("0.5", 0.5), ("-0,25", -0.25), ("1e-3", 0.001), ("nan", None), ("inf", None), ("1_0", None)],
)
def test_real_numbers(word: str, number: float | None) -> None:
    assert real_number(word) == number


@pytest.mark.parametrize(
    ("word", "path"),
    [
        ("a/b.jpg", "a/b.jpg"),
        (r"a\b.jpg", "a/b.jpg"),
        (r"a\\b\c.jpg", "a/b/c.jpg"),
        ("./a/b.jpg", "a/b.jpg"),
        ("", ""),
    ],
)
def test_paths(word: str, path: str) -> None:
    assert posix_path(word) == path
