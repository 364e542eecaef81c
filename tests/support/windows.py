"""Rules of Windows and macOS that are stricter than Linux's, kept by this process for a while."""

from __future__ import annotations

import builtins
import io
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

_PORTS = (f"{port}{number}" for port in ("com", "lpt") for number in range(10))
_DEVICES = {"con", "prn", "aux", "nul", *_PORTS}
_FORBIDDEN = re.compile(r'[<>:"\\|?*\x00-\x1f]')
_MOST_BYTES = 255  # of one name: ext4, APFS and NTFS
_LONGEST = 160  # characters of a path below a folder, of Windows' 260


def refuse_text_of_the_system(monkeypatch: pytest.MonkeyPatch, below: Path) -> None:
    """Refuse to write text whose line ends or encoding are left to the system.

    Args:
        monkeypatch: Undoes it.
        below: The folder of the files that this is about.
    """
    original = io.open

    def opened(  # the signature of open
        file: Any,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        *more: Any,
        **rest: Any,
    ) -> Any:
        writes = bool(set(mode) & set("wax+")) and "b" not in mode
        named = isinstance(file, str | os.PathLike) and Path(file).is_relative_to(below)
        if writes and named and (newline is None or encoding in (None, "locale")):
            raise AssertionError(f"{file}: Windows would write other bytes")
        return original(file, mode, buffering, encoding, errors, newline, *more, **rest)

    monkeypatch.setattr(io, "open", opened)
    monkeypatch.setattr(builtins, "open", opened)


def keep_open_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse to remove or replace a file that this process has open or mapped."""

    def guard(name: str, *, target: bool) -> None:
        original = getattr(os, name)

        def checked(path: Any, *others: Any, **more: Any) -> Any:
            for each in (path, *(others[:1] if target else ())):
                if isinstance(each, str | os.PathLike) and _is_open(Path(each)):
                    raise PermissionError(13, "The file is in use by this process", str(each))
            return original(path, *others, **more)

        monkeypatch.setattr(os, name, checked)

    for name in ("unlink", "remove"):
        guard(name, target=False)
    for name in ("replace", "rename"):
        guard(name, target=True)


def _is_open(path: Path) -> bool:
    name = os.path.realpath(path)
    return name in set(_open_files())


def _open_files() -> Iterator[str]:
    for link in Path("/proc/self/fd").iterdir():
        try:
            yield os.readlink(link)  # noqa: PTH115 - the text, not a path
        except FileNotFoundError:  # the descriptor of the listing itself
            continue
    with open("/proc/self/maps", "rb") as file:  # noqa: PTH123 - not through what is patched
        for line in file:
            if len(parts := line.split(maxsplit=5)) > 5:
                yield os.fsdecode(parts[5].strip())


def unportable(paths: Iterable[str]) -> list[str]:
    """Return the paths, relative and with `/`, that Windows or macOS can't have, and why."""
    problems, seen = [], dict[str, str]()
    for path in sorted(paths):
        if len(path) > _LONGEST:
            problems.append(f"{path}: {len(path)} characters")
        for part in PurePosixPath(path).parts:
            if part.partition(".")[0].rstrip().lower() in _DEVICES:
                problems.append(f"{path}: {part} is a device")
            if _FORBIDDEN.search(part) or part.endswith((".", " ")):
                problems.append(f"{path}: {part} has letters that a name can't have")
            if len(part.encode()) > _MOST_BYTES:
                problems.append(f"{path}: {part} has {len(part.encode())} bytes")
        other = seen.setdefault(path.casefold(), path)
        if other != path:
            problems.append(f"{path} and {other} differ in case only")
    return problems
