"""Lists of file names and label codes, as text or csv, read without losing a line.

Every line becomes an entry or a reject with line number and reason. Only a list that is wrong as a
whole (another dataset's codes, not a list at all) is an error.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ferdata.core.errors import AnnotationError, ImageError, LabelError
from ferdata.core.images import require_inside
from ferdata.core.rejects import Reject
from ferdata.ingesters.contract import Layout
from ferdata.ingesters.info import DatasetInfo

_WRONG_CODES = 0.05
_MALFORMED = 0.5


def is_other_dataset(wrong: int, total: int) -> bool:
    """Say whether so many wrong labels mean that they are another dataset's: above 5 %.

    Args:
        wrong: Number of wrong labels; one stray label never decides.
        total: Number of labels.
    """
    return wrong > max(1, _WRONG_CODES * total)


@dataclass(frozen=True, slots=True)
class Entry:
    """One well-formed line of a label list.

    Attributes:
        line: Its number, from 1.
        uri: The list and the line, `list.txt#12`.
        key: The sample's name inside the dataset, for instance `train_00001`.
        code: The label code.
    """

    line: int
    uri: str
    key: str
    code: int


@dataclass(frozen=True)
class ListFormat:
    """How a dataset writes its label lists.

    Attributes:
        example: A well-formed line, for messages.
        key_of: Returns the sample key of a file name, or None for a name that is not the dataset's.
        columns: Columns of file name and label in a csv; None for words on a line.
        advice: What to tell someone whose list has other codes.
    """

    example: str
    key_of: Callable[[str], str | None]
    columns: tuple[str, str] | None = None
    advice: str = ""


def read_label_list(layout: Layout, path: str, dataset: DatasetInfo, form: ListFormat) -> LabelList:
    """Read a label list.

    Args:
        layout: The layout that it belongs to.
        path: The list, relative to the layout's root.
        dataset: The dataset, for its codes.
        form: How its lines are written.

    Raises:
        AnnotationError: The file can't be read, is empty, or is not a label list.
        LabelError: Too many lines have codes that the dataset lacks.
    """
    found = LabelList(layout, path, dataset, form)
    lines = read_lines(layout.root / path)
    if form.columns is None:
        rows: Iterable[tuple[int, list[str]]] = enumerate(map(str.split, lines), start=1)
    else:
        rows = _csv_rows(layout.root / path, lines, form.columns)
    for number, words in rows:
        found.add(number, words)
    found.check()
    return found


@dataclass
class LabelList:
    """A label list, sorted line by line into entries and rejects.

    Attributes:
        layout: The layout that it belongs to.
        path: Its path, relative to the layout's root.
        dataset: The dataset.
        form: How its lines are written.
        entries: The well-formed lines by sample key, in order.
        rejects: The other lines.
        rejected: Keys of rejected lines, so that their images are not rejected again.
    """

    layout: Layout
    path: str
    dataset: DatasetInfo
    form: ListFormat
    entries: dict[str, Entry] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)
    rejected: set[str] = field(default_factory=set)
    _malformed: list[int] = field(default_factory=list)
    _wrong: list[tuple[int, str]] = field(default_factory=list)

    def add(self, number: int, words: list[str]) -> None:
        """Add a line, split into words."""
        if not words:
            self._reject(number, "", "blank line")
            return
        key = self._key(number, words)
        if key is None:
            return
        code = int(words[1]) if re.fullmatch(r"[0-9]{1,9}", words[1]) else None
        if code is None or code not in self.dataset.codes:
            self._wrong.append((number, words[1]))
            advice = f"; {self.form.advice}" if self.form.advice else ""
            reason = f"label code {words[1]}: expected {self.dataset.code_range}{advice}"
            self._reject(number, key, reason)
            self.rejected.add(key)
        elif first := self.entries.get(key):
            clash = f" says code {first.code}, this one {code}" if first.code != code else ""
            self._reject(number, key, f"duplicate id: line {first.line}{clash}")
        else:
            self.entries[key] = Entry(number, f"{self.path}#{number}", key, code)

    def check(self) -> None:
        """Refuse a list that is wrong as a whole; one stray line never is.

        Raises:
            AnnotationError: It is not a label list.
            LabelError: It has another dataset's codes.
        """
        path, lines = self.layout.root / self.path, len(self.entries) + len(self.rejects)
        if len(self._malformed) > max(1, _MALFORMED * lines):
            raise AnnotationError(
                f"{path} line {self._malformed[0]}",
                f"expected a line like {self.form.example!r}; {len(self._malformed)} of "
                f"{lines} lines differ. This is not a label list of {self.dataset.name}.",
            )
        if is_other_dataset(len(self._wrong), lines):
            number, code = self._wrong[0]
            advice = self.form.advice or "this is another dataset, or a list made by someone else"
            raise LabelError(
                f"{self.dataset.name}: label code {code} in {path} line {number}; expected one of "
                f"{self.dataset.code_range} ({len(self._wrong)} of {lines} lines have "
                f"other codes).\n{advice[0].upper()}{advice[1:]}."
            )

    def _key(self, number: int, words: list[str]) -> str | None:
        """Return the sample's key, or reject the line."""
        try:
            require_inside(words[0])
        except ImageError as error:
            self._reject(number, "", error.reason)
            return None
        key = self.form.key_of(words[0]) if len(words) == 2 else None
        if key is None:
            self._malformed.append(number)
            line = " ".join(words)[:80]
            self._reject(number, "", f"malformed line: {line!r}, not like {self.form.example!r}")
        return key

    def _reject(self, number: int, key: str, reason: str) -> None:
        self.rejects.append(self.layout.reject(key, f"{self.path}#{number}", reason))


def read_lines(path: Path) -> list[str]:
    """Return the lines of a text file with LF or CRLF, with or without a final newline.

    Raises:
        AnnotationError: The file can't be read or is empty.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise AnnotationError(path, f"can't be read ({error.strerror})") from None
    if not text.strip():
        raise AnnotationError(path, "is empty; expected a label list")
    # Not splitlines(), which also splits at form feeds and other characters inside a line.
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    return lines[:-1] if lines[-1] == "" else lines


def _csv_rows(
    path: Path, lines: list[str], columns: tuple[str, str]
) -> Iterator[tuple[int, list[str]]]:
    """Yield line number, file name and label of each line below the header."""
    header = [word.strip().lower() for word in next(csv.reader(lines[:1]), [])]
    if not set(columns) <= set(header):
        raise AnnotationError(
            f"{path} line 1", f"header {lines[0]!r}; expected the columns {','.join(columns)}"
        )
    positions = [header.index(column) for column in columns]
    for number, text in enumerate(lines[1:], start=2):
        # Each line on its own, so that a stray quote can't swallow the lines after it; and by the
        # csv module, which is slow, only where there are quotes.
        cells = next(csv.reader([text]), []) if '"' in text else text.split(",")
        words = [word.strip() for word in cells]
        if words and len(words) == len(header):
            words = [words[position] for position in positions]
        yield number, [word for word in words if word]
