"""Writing pages: Markdown tables, fences, and files that change only when their content does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

NOTE = "<!-- Made by docs/_ext/ferdata_docs; changes here are lost. -->"


def write_page(path: Path, *parts: str) -> None:
    """Write a page of Markdown parts; an unchanged one keeps its time, so it isn't read anew."""
    write_if_changed(
        path, "\n\n".join([NOTE, *(part.strip("\n") for part in parts if part)]) + "\n"
    )


def write_if_changed(path: Path, content: str | bytes) -> None:
    """Write a file unless it has this content already."""
    data = content.encode() if isinstance(content, str) else content
    if not path.is_file() or path.read_bytes() != data:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def table(header: Sequence[str], rows: Iterable[Sequence[str]], align: str = "") -> str:
    """Return a table in Markdown.

    Args:
        header: The column titles.
        rows: The cells, as Markdown; `|` is escaped.
        align: `l` or `r` for each column; default: left.
    """
    marks = ["--:" if each == "r" else "---" for each in align.ljust(len(header), "l")]
    lines = [_line(header), _line(marks, plain=True), *(_line(row) for row in rows)]
    return "\n".join(lines)


def fence(kind: str, text: str) -> str:
    """Return a fenced block; `kind` is a language or a directive such as `{option} --size`."""
    marks = "````" if "```" in text else "```"
    return f"{marks}{kind}\n{text.strip(chr(10))}\n{marks}"


def code(text: object) -> str:
    """Return text as inline code, also where it contains backticks."""
    marks = "``" if "`" in str(text) else "`"
    return f"{marks}{text}{marks}"


def toctree(names: Iterable[str], depth: int = 1) -> str:
    """Return a hidden list of pages, for the navigation."""
    return fence("{toctree}", f":hidden:\n:maxdepth: {depth}\n\n" + "\n".join(names))


def plain(text: str) -> str:
    """Return text of a data file as Markdown that shows it as it is."""
    escaped = "".join(f"\\{mark}" if mark in "\\*_[]<>#`|$" else mark for mark in text)
    return " ".join(escaped.split())


def _line(cells: Sequence[str], *, plain: bool = False) -> str:
    shown = cells if plain else [" ".join(each.replace("|", "\\|").split()) for each in cells]
    return "| " + " | ".join(shown) + " |"
