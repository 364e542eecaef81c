"""Splits as people have them: tables, lists of ids or paths, index arrays, published files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ferdata.core.delimited import (
    BLANK,
    Table,
    open_lines,
    open_table,
    open_table_at,
    posix_path,
    sniff_table,
    whole_number,
)
from ferdata.core.errors import AnnotationError, OptionError, ParseError
from ferdata.core.given_splits import split_of_word
from ferdata.core.parsing import parsing
from ferdata.core.schema import SPLITS
from ferdata.curation.split_files.published import ENDING, load_split
from ferdata.curation.split_files.table import SplitTable

_NAMES = (
    "sample_id",
    "path",
    "uri",
    "file",
    "filename",
    "file_name",
    "image",
    "image name",
    "name",
)
_SPLITS = ("split", "usage", "set", "subset")
_FOLD = "fold"
_LISTS = (".txt", ".csv", ".lst", ".list", ".tsv")
_FOLD_NAME = re.compile(r"(?:.*[^0-9])?(?P<fold>[0-9]{1,3})")
_KINDS = (
    "expected a file of `ferdata split export`, a table of path and split (or fold), a list of "
    "paths that say the split, a folder with train.txt and test.txt or fold_1.txt …, or arrays of "
    "indices (npz, or train.npy and test.npy)"
)


def read_split(path: Path) -> SplitTable:
    """Read a split from a file or folder.

    Args:
        path: A split file (json); a table or list (csv, txt …); an npz file with arrays of indices;
            an npy file with the fold of each row, -1 for rows that are always in train
            (scikit-learn's `PredefinedSplit`); or a folder with a list or an array for each split,
            or a list for each fold.

    Raises:
        OptionError: It can't be read, or says of no image, or twice of one, where it is.
    """
    try:
        if path.is_dir():
            found = _folder(path)
        elif path.suffix.lower() == ENDING:
            return load_split(path).table()
        elif path.suffix.lower() in (".npz", ".npy"):
            found = _arrays(path)
        else:
            found = _table(path)
    except (AnnotationError, ParseError) as error:
        raise OptionError(f"--split file: {error}") from None
    except OSError as error:
        raise OptionError(f"--split file: {path} can't be read ({error.strerror})") from None
    if not len(found):
        raise OptionError(f"--split file: {path} says of no image where it is; {_KINDS}")
    _require_once(found, path)
    return found


def _table(path: Path) -> SplitTable:
    head = sniff_table(path, (*_NAMES, *_SPLITS, _FOLD), widths=(2, 3))
    name, part = head.first_of(_NAMES), head.first_of((*_SPLITS, _FOLD))
    if name and part:
        return _two_columns(path, _rows(path, open_table(path, [name, part])))
    if len(head.rows[0]) == 1:
        lines = _lines(path)
        return SplitTable(lines, [_told_by_name(path, line, "") for line in lines])
    return _two_columns(path, _rows(path, open_table_at(path, (0, 1))))


def _rows(path: Path, table: Table) -> Iterator[tuple[str, str]]:
    """Yield the cells of each row."""
    for line in table.rows():
        if line.problem and line.problem != BLANK:
            raise OptionError(f"--split file: {path} line {line.number}: {line.problem}")
        if not line.problem:
            yield posix_path(line.cells[0]), line.cells[1]


def _two_columns(path: Path, rows: Iterator[tuple[str, str]]) -> SplitTable:
    """Read names and words that are splits, or folds, or labels of names that tell the split."""
    pairs = list(rows)
    words = {word for _, word in pairs}
    names = [name for name, _ in pairs]
    if words and all(split_of_word(word) for word in words):
        return SplitTable(names, [split_of_word(word) or "" for _, word in pairs])
    told = [_told_by_name(path, name, word) for name, word in pairs]
    if all(told):
        return SplitTable(names, told)
    numbers = [whole_number(word) for _, word in pairs]
    folds = [each for each in numbers if each is not None and 0 <= each < 1000]
    if len(folds) == len(pairs) > 0:
        return SplitTable(names, folds=[each + (min(folds) == 0) for each in folds])
    name, word = next((each for each in pairs if not split_of_word(each[1])), pairs[0])
    raise OptionError(
        f"--split file: {path}: {word!r} of {name} is no split; expected {', '.join(SPLITS)}, the "
        "number of a fold, or a path that says the split"
    )


def _told_by_name(path: Path, name: str, word: str) -> str:
    """Return the split that an image's path, its name (`train_00001.jpg`), or its list tells."""
    places = [*name.split("/")[:-1], name.rpartition("/")[2].partition("_")[0]]
    found = [part for part in map(split_of_word, places) if part]
    if not found and not word:
        found = [part for part in [split_of_word(path.stem)] if part]
    return found[0] if found else ""


def _folder(path: Path) -> SplitTable:
    """Read a list or an array for each split, or a list for each fold."""
    files = sorted(each for each in path.iterdir() if each.is_file())
    lists = [each for each in files if each.suffix.lower() in _LISTS]
    by_split = {each: split_of_word(each.stem) for each in lists}
    if any(by_split.values()):
        named = [(each, part) for each, part in by_split.items() if part]
        rows = [(name, part) for each, part in named for name in _first_column(each)]
        return SplitTable([name for name, _ in rows], [part for _, part in rows])
    arrays = {each.stem: each for each in files if each.suffix.lower() == ".npy"}
    if found := _indices({name: _load(each) for name, each in arrays.items()}):
        return found
    folds = [(each, _FOLD_NAME.fullmatch(each.stem)) for each in lists]
    numbered = [(each, int(match["fold"])) for each, match in folds if match]
    first = min((fold for _, fold in numbered), default=0)
    pairs = [(name, fold - first + 1) for each, fold in numbered for name in _first_column(each)]
    return SplitTable([name for name, _ in pairs], folds=[fold for _, fold in pairs])


def _first_column(path: Path) -> list[str]:
    """Return the names in a list, one a line, before a label if there is one."""
    head = sniff_table(path, _NAMES, widths=(2, 3))
    if not (name := head.first_of(_NAMES)) and len(head.rows[0]) == 1:
        return _lines(path)
    table = open_table(path, [name]) if name else open_table_at(path, (0, 1))
    return [posix_path(line.cells[0]) for line in table.rows() if not line.problem]


def _lines(path: Path) -> list[str]:
    return [posix_path(line.strip()) for line in open_lines(path) if line.strip()]


def _arrays(path: Path) -> SplitTable:
    if path.suffix.lower() == ".npy":
        folds = _load(path)
        if folds.ndim != 1 or folds.dtype.kind not in "iu" or folds.min(initial=0) < -1:
            raise AnnotationError(path, "is no array with the fold of each row, -1 for train")
        return SplitTable(folds=(folds + 1).tolist(), positions=range(len(folds)))
    with parsing("a file of arrays"), np.load(path, allow_pickle=False) as stored:
        arrays = {name: np.asarray(stored[name]) for name in stored.files}
    return _indices(arrays) or SplitTable()


def _indices(arrays: dict[str, npt.NDArray[Any]]) -> SplitTable | None:
    """Return the split of arrays of positions, by their names; None if none is named so."""
    rows: list[tuple[int, str]] = []
    for name, array in arrays.items():
        part = split_of_word(re.sub(r"[ _-]?(idx|index|indices|ids)$", "", name.lower()))
        if part and array.ndim == 1 and array.dtype.kind in "iu":
            rows += [(position, part) for position in array.tolist()]
    if not rows:
        return None
    return SplitTable(
        splits=[part for _, part in rows], positions=[position for position, _ in rows]
    )


def _load(path: Path) -> npt.NDArray[Any]:
    with parsing("an array"):
        return np.asarray(np.load(path, allow_pickle=False))


def _require_once(found: SplitTable, path: Path) -> None:
    """Refuse an image that is in two splits or folds."""
    keys: Sequence[object] = found.names or found.positions
    parts: Sequence[object] = found.folds or found.splits
    seen: dict[object, object] = {}
    for key, part in zip(keys, parts, strict=True):
        if seen.setdefault(key, part) != part:
            raise OptionError(f"--split file: {path}: {key} is in {seen[key]} and in {part}")
