"""Files as accidents leave them: cut, flipped, re-encoded, re-separated, blown up.

Every draw comes of a seed, so that a case is repeated by its number.
"""

from __future__ import annotations

import gzip
import io
import re
import zipfile
from collections.abc import Callable

import numpy as np

Draws = np.random.Generator
Mutation = Callable[[bytes, Draws], bytes]


def _place(data: bytes, draws: Draws) -> int:
    """Return a position; headers, where most of a format's structure is, get half of the draws."""
    high = min(len(data), 160) if draws.random() < 0.5 else len(data)
    return int(draws.integers(0, high + 1))


def truncate(data: bytes, draws: Draws) -> bytes:
    return data[: _place(data, draws)]


def empty(data: bytes, draws: Draws) -> bytes:
    return b""


def flip(data: bytes, draws: Draws) -> bytes:
    changed = bytearray(data)
    for _ in range(int(draws.integers(1, 20))):
        if changed:
            changed[min(_place(data, draws), len(data) - 1)] = int(draws.integers(0, 256))
    return bytes(changed)


def insert_zeros(data: bytes, draws: Draws) -> bytes:
    at = _place(data, draws)
    return data[:at] + b"\0" * int(draws.integers(1, 40)) + data[at:]


def insert_noise(data: bytes, draws: Draws) -> bytes:
    at = _place(data, draws)
    return data[:at] + draws.bytes(int(draws.integers(1, 60))) + data[at:]


def zero_tail(data: bytes, draws: Draws) -> bytes:
    at = _place(data, draws)
    return data[:at] + b"\0" * (len(data) - at)


def delete(data: bytes, draws: Draws) -> bytes:
    at = _place(data, draws)
    return data[:at] + data[at + int(draws.integers(1, 200)) :]


def duplicate_lines(data: bytes, draws: Draws) -> bytes:
    lines = data.splitlines(keepends=True) or [b""]
    at = int(draws.integers(0, len(lines)))
    return b"".join([*lines[:at], *lines[at : at + 3] * int(draws.integers(2, 5)), *lines[at:]])


def shuffle_lines(data: bytes, draws: Draws) -> bytes:
    lines = data.splitlines(keepends=True)
    return b"".join(lines[at] for at in draws.permutation(len(lines)))


def re_encode(data: bytes, draws: Draws) -> bytes:
    text = data.decode("utf-8", "replace")
    text = text.replace("a", "ä") if draws.random() < 0.3 else text
    names = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "utf-8-sig", "cp037", "utf-7")
    return text.encode(str(draws.choice(names)), "replace")


def swap_delimiters(data: bytes, draws: Draws) -> bytes:
    old, new = draws.choice(list(b",;\t |:"), 2)
    return data.replace(bytes([old]), bytes([new]))


def swap_line_ends(data: bytes, draws: Draws) -> bytes:
    end = (b"\r", b"\r\n", b"\n\n", b"\x0c", b"\x85")[int(draws.integers(0, 5))]
    return data.replace(b"\r\n", b"\n").replace(b"\n", end)


def huge_cell(data: bytes, draws: Draws) -> bytes:
    at = _place(data, draws)
    filling = (b"9", b"x", b'"', b"1 ", b"1;", b"[", b"{", b"- ", b",")[int(draws.integers(0, 9))]
    return data[:at] + filling * int(draws.choice((50_000, 200_000))) + data[at:]


_NUMBERS = (
    b"99999999999999999999999999",
    b"-99999999999999999999",
    b"9223372036854775808",
    b"nan",
    b"-inf",
    b"1e400",
    b"3.0",
    b"+3",
    b"",
    b"0x10",
    b"1_0",
    "٣".encode(),
    "²".encode(),
    b"true",
    b"null",
    b"2001-99-99",
    b"[[]]",
    b'"\\ud800"',
    b"\xed\xa0\x80",
    b"..\\..\\x",
    b"a\x00b",
)


def other_numbers(data: bytes, draws: Draws) -> bytes:
    """Put something else for a few numbers."""
    found = list(re.finditer(rb"[0-9]+(?:\.[0-9]+)?", data[:200_000]))
    if not found:
        return data
    for at in sorted(draws.integers(0, len(found), 3).tolist(), reverse=True):
        start, end = found[at].span()
        data = data[:start] + _NUMBERS[int(draws.integers(0, len(_NUMBERS)))] + data[end:]
    return data


def other_words(data: bytes, draws: Draws) -> bytes:
    """Put something else for a word, everywhere."""
    found = re.findall(rb"[A-Za-z_-]{3,}", data[:20_000])
    if not found:
        return data
    word = found[int(draws.integers(0, len(found)))]
    return data.replace(word, _NUMBERS[int(draws.integers(0, len(_NUMBERS)))])


def stray_quotes(data: bytes, draws: Draws) -> bytes:
    for _ in range(int(draws.integers(1, 6))):
        at = _place(data, draws)
        data = data[:at] + b'"' + data[at:]
    return data


def another_kind(data: bytes, draws: Draws) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("xl/workbook.xml", data)
    kinds = (
        archive.getvalue(),
        gzip.compress(data, mtime=0),
        b"<!DOCTYPE html><html>" + data,
        b"\x89PNG\r\n\x1a\n" + data,
        b"\x93NUMPY\x01\x00" + data,
        b"\x80\x04\x95" + data,
        b"[" * 3_000,
        b"a: &a [*a]\n",
        b"!!python/object/apply:os.getcwd []",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        draws.bytes(len(data) or 100),
    )
    return kinds[int(draws.integers(0, len(kinds)))]


MUTATIONS: tuple[Mutation, ...] = (
    truncate,
    empty,
    flip,
    insert_zeros,
    insert_noise,
    zero_tail,
    delete,
    duplicate_lines,
    shuffle_lines,
    re_encode,
    swap_delimiters,
    swap_line_ends,
    huge_cell,
    other_numbers,
    other_words,
    stray_quotes,
    another_kind,
)


def mutate(data: bytes, draws: Draws) -> tuple[bytes, str]:
    """Return a file's bytes after one accident or two, and what happened."""
    chosen = [MUTATIONS[at] for at in draws.integers(0, len(MUTATIONS), 1 + draws.integers(0, 2))]
    for change in chosen:
        data = change(data, draws)
    return data, " + ".join(change.__name__ for change in chosen)
