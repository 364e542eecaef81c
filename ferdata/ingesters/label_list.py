"""Lists of file names and label codes, as text or csv, read without losing a line.

Every line becomes an entry or a reject with line number and reason. Only a list that is wrong as a
whole (another dataset's codes, not a list at all) is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ferdata.core.delimited import Table, open_table, posix_path, whole_number
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
        columns: Names of the columns of file name and label, where there is a header.
        has_header: Whether the list is published with a header. A copy may come without it, but
            other names are refused, because they may mean something else.
        advice: What to tell someone whose list has other codes.
    """

    example: str
    key_of: Callable[[str], str | None]
    columns: tuple[str, str] = ("image", "label")
    has_header: bool = False
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
    expected = f"expected a line like {form.example!r}"
    table = open_table(layout.root / path, form.columns, header="optional", advice=expected)
    head = table.head
    if form.has_header and not table.is_named and form.key_of(head.rows[0][0]) is None:
        raise AnnotationError(
            f"{table.path} line {head.line}",
            f"header {', '.join(head.names)!r} ({head.dialect.describe()}); expected the columns "
            f"{','.join(form.columns)}",
        )
    for line in table.rows():
        if line.problem:
            found.add_malformed(line.number, line.text)
        else:
            found.add(line.number, line.cells)
    found.check()
    note_table(layout, path, table)
    return found


def note_table(layout: Layout, path: str, table: Table) -> None:
    """Say in which unusual form a table was; to be called when it has been read.

    Args:
        layout: The layout that it belongs to.
        path: The table, relative to the layout's root.
        table: The same.
    """
    for kind in table.notices:
        layout.notices.add(kind, path)


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

    def add_malformed(self, number: int, text: str) -> None:
        """Add a line that has not the cells of a label list."""
        shown = " ".join(text.split())[:80]
        if shown:
            self._malformed.append(number)
            reason = f"malformed line: {shown!r}, not like {self.form.example!r}"
        self._reject(number, "", reason if shown else "blank line")

    def add(self, number: int, words: Sequence[str]) -> None:
        """Add a line's cells: file name and label."""
        key = self._key(number, words)
        if key is None:
            return
        code = whole_number(words[1])
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

    def _key(self, number: int, words: Sequence[str]) -> str | None:
        """Return the sample's key, or reject the line."""
        name = posix_path(words[0])
        try:
            require_inside(name)
        except ImageError as error:
            self._reject(number, "", error.reason)
            return None
        key = self.form.key_of(name)
        if key is None or not words[1]:
            self.add_malformed(number, " ".join(words))
            return None
        return key

    def _reject(self, number: int, key: str, reason: str) -> None:
        self.rejects.append(self.layout.reject(key, f"{self.path}#{number}", reason))
