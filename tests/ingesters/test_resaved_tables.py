"""Tables that a spreadsheet or pandas saved again: the same rows as from the authors' form."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ferdata import ingesters
from ferdata.core.errors import FerdataError
from ferdata.core.images import read_image
from ferdata.ingesters.demo import write_demo

TABLES = {
    ("affectnet", "full"): "Manually_Annotated_file_lists/*.csv",
    ("affectnet", "kaggle"): "labels.csv",
    ("ckplus", "ckextended"): "*.csv",
    ("fer2013", "csv"): "*.csv",
    ("fer2013", "icml"): "*.csv",
    ("ferplus", "csv"): "*.csv",
    ("ferplus", "folders"): "*/label.csv",
    ("rafdb", "kaggle"): "*.csv",
}
SCALE = 0.0005
NAMELESS = ("ferplus", "folders")  # its lists have no header

Rows = list[list[str]]


def table(rows: Rows, **dialect: object) -> str:
    text = io.StringIO()
    csv.writer(text, **{"lineterminator": "\n", **dialect}).writerows(rows)
    return text.getvalue()


def numbered(rows: Rows, has_header: bool) -> Rows:
    """Add the index that pandas adds; without a header, it numbers the columns too."""
    if has_header:
        head, body = ["", *rows[0]], rows[1:]
    else:
        head, body = ["", *map(str, range(len(rows[0])))], rows
    return [head, *([str(at), *row] for at, row in enumerate(body))]


def whole(cell: str) -> str:
    return f"{cell}.0" if cell.isdecimal() else cell


def of_cells(change: Callable[[str], str]) -> Callable[[Rows, bool], bytes]:
    return lambda rows, _: table([[change(cell) for cell in row] for row in rows]).encode()


FORMS: dict[str, Callable[[Rows, bool], bytes]] = {
    "utf16_crlf": lambda rows, _: table(rows, lineterminator="\r\n").encode("utf-16"),
    "utf16_be_tabs": lambda rows, _: table(rows, delimiter="\t").encode("utf-16-be"),
    "semicolons_quoted_indexed": lambda rows, has: table(
        numbered(rows, has), delimiter=";", quoting=csv.QUOTE_ALL
    ).encode(),
    "indexed": lambda rows, has: table(numbered(rows, has)).encode("utf-8-sig"),
    "cr_bars": lambda rows, _: table(rows, delimiter="|", lineterminator="\r").encode(),
    "excel": lambda rows, _: b"sep=;\n" + table(rows, delimiter=";").encode("cp1252"),
    "empty_columns": lambda rows, _: table([[*row, "", ""] for row in rows]).encode(),
    "floats": of_cells(whole),
    "spaced": of_cells(lambda cell: f" {cell} "),
    "backslashes": of_cells(lambda cell: cell.replace("/", "\\")),
}


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    out = tmp_path_factory.mktemp("originals")
    return {
        (name, layout): write_demo(
            name, out / f"{name}-{layout}", layout=layout, scale=SCALE, quiet=True
        ).root
        for name, layout in TABLES
    }


@pytest.fixture
def copy(
    originals: dict[tuple[str, str], Path], name: str, layout: str, tmp_path: Path
) -> tuple[Path, list[Path]]:
    """Return a copy of a dataset, free to be changed, and its tables."""
    root = tmp_path / "copy"
    shutil.copytree(originals[name, layout], root)
    return root, sorted(root.glob(TABLES[name, layout]))


@pytest.mark.parametrize(("name", "layout"), TABLES)
@pytest.mark.parametrize("form", FORMS)
def test_the_same_rows(
    name: str, layout: str, form: str, copy: tuple[Path, list[Path]], tmp_path: Path
) -> None:
    root, tables = copy
    before, kind = ingesters.ingest(name, root), ingesters.detect(root)[0].name
    uri = before.column("uri")[-1]
    pixels = read_image(before.roots[name], uri).pixel_sha256
    for path in tables:
        with path.open(newline="") as file:
            rows = list(csv.reader(file))
        path.write_bytes(FORMS[form](rows, (name, layout) != NAMELESS))
    best = ingesters.detect(root)[0]
    assert (best.dataset, best.name) == (name, kind)
    after = ingesters.ingest(name, root)
    assert after.digest() == before.digest()
    assert after.rejects == before.rejects
    assert read_image(after.roots[name], uri).pixel_sha256 == pixels


@pytest.mark.parametrize(("name", "layout"), [each for each in TABLES if each[0] != "ferplus"])
def test_junk_at_the_end_is_rejected_line_by_line(
    name: str, layout: str, copy: tuple[Path, list[Path]]
) -> None:
    root, tables = copy
    before = ingesters.ingest(name, root)
    tables[0].write_bytes(tables[0].read_bytes() + b"\n\nTotal\nsource: my drive\n")
    after = ingesters.ingest(name, root)
    assert after.digest() == before.digest()
    new = [each for each in after.rejects if each not in before.rejects]
    assert len(new) == len({each.uri for each in new}) == 4
    assert all(tables[0].name in each.uri for each in new)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"PK\x03\x04...[Content_Types].xml", "Excel workbook"),
        (b"PK\x03\x04...", "zip archive"),
        ("image,label\n".encode("utf-32"), "UTF-32"),
        (b"<html>Sign in", "web page"),
        (b"\0" * 4096, "zero bytes"),
    ],
    ids=["excel", "zip", "utf32", "html", "zeros"],
)
@pytest.mark.parametrize(("name", "layout"), [each for each in TABLES if each[1] != "kaggle"])
def test_what_a_table_is_instead(
    name: str, layout: str, data: bytes, said: str, copy: tuple[Path, list[Path]]
) -> None:
    root, tables = copy
    for path in tables:
        path.write_bytes(data)
    with pytest.raises(FerdataError, match=said):
        ingesters.ingest(name, root)


TEXT_FORMS: dict[str, Callable[[list[str]], bytes]] = {
    "utf16": lambda lines: "\r\n".join(lines).encode("utf-16"),
    "cr": lambda lines: "\r".join(lines).encode(),
    "tabs": lambda lines: "\n".join(lines).replace(" ", "\t").encode(),
    "csv": lambda lines: "\n".join(lines).replace(" ", ",").encode(),
    "quoted": lambda lines: "\n".join(f'"{line}"'.replace(" ", '";"') for line in lines).encode(),
    "header": lambda lines: "\n".join(["image label", *lines]).encode(),
    "floats": lambda lines: "\n".join(f"{line}.0" for line in lines).encode(),
    "bom": lambda lines: "\n".join(lines).encode("utf-8-sig"),
}


@pytest.mark.parametrize("form", TEXT_FORMS)
@pytest.mark.parametrize("part", ["basic", "compound"])
def test_rafdbs_list(part: str, form: str, request: pytest.FixtureRequest) -> None:
    root = request.getfixturevalue(part)
    name = "rafdb" if part == "basic" else "rafdb-compound"
    before = ingesters.ingest(name, root)
    path = root / "EmoLabel/list_patition_label.txt"
    path.write_bytes(TEXT_FORMS[form](path.read_text().splitlines()))
    assert ingesters.detect(root)[0].dataset == name
    after = ingesters.ingest(name, root)
    assert after.digest() == before.digest()
    assert len(after.rejects) == len(before.rejects)
