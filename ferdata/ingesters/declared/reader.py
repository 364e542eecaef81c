"""The ingester of a declared set, made from its declaration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ferdata.core.errors import ImageError, LayoutError
from ferdata.core.image_formats import is_image
from ferdata.core.images import require_inside
from ferdata.core.labels import CANONICAL, LabelSpace
from ferdata.core.rejects import Reject
from ferdata.ingesters.contract import Choices, Ingester, Layout
from ferdata.ingesters.declared.declaration import (
    DROP,
    Declaration,
    Table,
    load_declaration,
    space_name,
)
from ferdata.ingesters.declared.label_words import LabelWords, label_word
from ferdata.ingesters.declared.pattern import PLACES, Pattern
from ferdata.ingesters.declared.row import Cells, Row
from ferdata.ingesters.declared.tables import class_names, table_rows
from ferdata.ingesters.evidence import Evidence, Sign
from ferdata.ingesters.info import DatasetInfo
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree, folder_name

_DROPPED = "images of labels that the declaration drops"
_UNLISTED = "images that the table doesn't list"

_WORDS = ("subject", "sequence", "session", "pose", "gender", "race", "age_group")
_NUMBERS = ("valence", "arousal")
_COORDINATES = ("box", "five_points")


class DeclaredIngester(Ingester):
    """Reads a set of one's own as its declaration says.

    Args:
        declaration: The declaration.
    """

    def __init__(self, declaration: Declaration) -> None:
        self.name = declaration.name  # type: ignore[misc]  # one class, many sets
        self.declaration = declaration

    @property
    def info(self) -> DatasetInfo:
        """What the declaration tells."""
        return self.declaration.info

    def detect(self, tree: FileTree) -> list[Layout]:
        """Return the declared layout.

        Raises:
            LayoutError: No file of the tree fits the declaration.
        """
        table = self.declaration.table
        pattern = _file_pattern(self.declaration)
        fitting = [path for path in tree.files if pattern.match(path) is not None]
        if table is None:
            fitting = [path for path in fitting if is_image(path)]
        if not fitting:
            some = ", ".join(tree.files[:3])
            raise LayoutError(
                f"{tree.root}: {self.name}: no {'image' if table is None else 'table'} fits "
                f"{pattern.text!r}; the folder holds {len(tree.files)} files, such as {some}. "
                f"`ferdata detect '{tree.root}' --write my.yaml` drafts a declaration."
            )
        evidence = Evidence(Sign.DECLARED, f"{len(fitting)} files fit {pattern.text}")
        return [
            Layout.below(
                tree,
                "",
                self.name,
                self.declaration.layout,
                evidence,
                lists=fitting if table is not None else (),
            )
        ]

    def read(self, layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
        """Yield each row.

        Raises:
            LabelError: More than a few labels are unknown.
            AnnotationError: A table can't be read.
        """
        if self.declaration.table is not None:
            yield from _TableReader(layout, self.declaration, self.declaration.table).read()
        else:
            yield from self._folders(layout)

    def space_of(self, labels: Iterable[str], choices: Choices) -> LabelSpace:
        """Return the label space of the classes that were read, expressions first."""
        found = set(labels)
        declared = [each for each in self.declaration.label_of.values() if each not in CANONICAL]
        names = [each for each in (*CANONICAL, *dict.fromkeys(declared)) if each in found]
        return LabelSpace(space_name(names), tuple(names))

    def recorded(self) -> dict[str, Any]:
        """Return the declaration: a manifest and a build are complete without its file."""
        return {"declaration": self.declaration.model_dump(mode="json", exclude_unset=True)}

    def _folders(self, layout: Layout) -> Iterator[Sample | Reject]:
        pattern = _file_pattern(self.declaration)
        words = LabelWords(self.declaration)
        for path in layout.tree.files:
            found = pattern.match(path) if is_image(path) else None
            if found is None:
                continue  # the inventory accounts for it
            label = words.label(found["label"])
            if label == DROP:
                layout.ignored[path] = _DROPPED
            elif label is None:
                yield layout.reject(path, path, f"label {found['label']}: {words.expected}")
            else:
                yield _sample(layout, path, path, label, found["label"], found)
        words.check(layout.root)


class _TableReader:
    """Reads the tables of a layout."""

    def __init__(self, layout: Layout, declaration: Declaration, table: Table) -> None:
        self.layout = layout
        self.table = table
        self.declaration = declaration
        self._seen: dict[str, str] = {}
        self._files = set(layout.tree.files)

    def read(self) -> Iterator[Sample | Reject]:
        """Yield each row of each file, then account for the images that no row names."""
        root, pattern = self.layout.root, _file_pattern(self.declaration)
        for file in self.layout.lists:
            words = LabelWords(self.declaration, class_names(root / file, self.table.label))
            split = (pattern.match(file) or {}).get("split", "")
            for row in table_rows(root, file, self.table):
                found = self._row(file, row, words, split)
                if found is not None:
                    yield found
            words.check(root / file)
        for path in self._files.difference(self._seen, self.layout.lists):
            if is_image(path):
                self.layout.ignored[path] = _UNLISTED

    def _row(self, file: str, row: Row, words: LabelWords, split: str) -> Sample | Reject | None:
        """Return a row's sample or reject; None where its label is dropped."""
        if row.problem:
            return self.layout.reject("", row.uri, row.problem)
        try:
            uri = row.stored or self._image(file, row)
        except ImageError as error:
            return self.layout.reject("", row.uri, error.reason)
        if uri in self._seen:
            return self.layout.reject(uri, row.uri, f"duplicate row: {self._seen[uri]} names {uri}")
        self._seen[uri] = row.uri
        word = label_word(row.cells[self.table.label])
        label = words.label(word)
        if label == DROP:
            self.layout.ignored[uri] = _DROPPED
            return None
        if label is None:
            return self.layout.reject(uri, uri, f"label {word or 'missing'}: {words.expected}")
        values = self._columns(row.cells)
        values.setdefault("split", row.split or split)
        return _sample(self.layout, uri, uri, label, word, values)

    def _image(self, file: str, row: Row) -> str:
        """Return the path of a row's image.

        Raises:
            ImageError: There is no such file, or it lies outside.
        """
        written = row.path or label_word(row.cells[self.table.path or ""])
        path = written.replace("\\", "/").removeprefix("./")
        require_inside(path)
        folders = [self.table.folder.strip("/")] if self.table.folder else ["", folder_name(file)]
        for folder in folders:
            if (found := f"{folder}/{path}" if folder else path) in self._files:
                return found
        raise ImageError(f"file is missing: {written}")

    def _columns(self, cells: Cells) -> dict[str, Any]:
        """Return the values of the declared columns by the name of their meaning."""
        values: dict[str, Any] = {}
        for name in ("split", "frame", "action_units", *_WORDS, *_NUMBERS):
            if (column := getattr(self.table, name)) is not None:
                values[name] = label_word(cells[column])
        for name in _COORDINATES:
            if (columns := getattr(self.table, name)) is not None:
                values[name] = [label_word(cells[column]) for column in columns]
        return values


def _file_pattern(declaration: Declaration) -> Pattern:
    """Return the pattern of the declared images, or of the table's files."""
    if declaration.table is not None:
        return Pattern.of(declaration.table.file, allowed=("split",))
    return Pattern.of(declaration.images or "", allowed=PLACES)


def _sample(
    layout: Layout, key: str, uri: str, label: str, word: str, values: dict[str, Any]
) -> Sample | Reject:
    """Return a sample with the columns that were read as words; a reject if one is no number."""
    columns: dict[str, Any] = {name: values.get(name) or None for name in _WORDS}
    try:
        frame = values.get("frame")
        columns["frame"] = int(frame) if frame else None
        for name in _NUMBERS:
            columns[name] = float(values[name]) if values.get(name) else None
        for name in _COORDINATES:
            cells = values.get(name, [])
            columns[name] = [float(each) for each in cells] if any(cells) else None
    except ValueError as error:
        return layout.reject(key, uri, f"malformed number: {error}")
    units = values.get("action_units")
    columns["action_units"] = units.replace(",", " ").replace(";", " ").split() if units else None
    return Sample(key, uri, label, word, split_native=values.get("split") or None, **columns)


def declared_ingester(path: str | Path) -> DeclaredIngester:
    """Return the ingester of a declaration.

    Raises:
        ManifestError: The file can't be read or is no valid declaration.
    """
    return DeclaredIngester(load_declaration(Path(path).expanduser()))
