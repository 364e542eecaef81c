"""The ingester of a declared set, made from its declaration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ferdata.core.errors import ImageError, LayoutError
from ferdata.core.image_formats import is_image, undecodable
from ferdata.core.images import require_inside
from ferdata.core.labels import CANONICAL, LabelSpace
from ferdata.core.rejects import Reject
from ferdata.ingesters.contract import Choices, Ingester, Layout
from ferdata.ingesters.declared.declaration import (
    DROP,
    Declaration,
    Table,
    space_name,
)
from ferdata.ingesters.declared.label_words import LabelWords, label_word
from ferdata.ingesters.declared.row import Cells, Row
from ferdata.ingesters.declared.tables import class_names, table_rows
from ferdata.ingesters.evidence import Evidence, Sign
from ferdata.ingesters.info import DatasetInfo
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree, common_folder, folder_name

_DROPPED = "images of labels that the declaration drops"
_UNLISTED = "images that the table doesn't list"
_LEFT_OUT = "images that the declaration leaves out"
_EARLIER = "frames before the last {} of a sequence"

_PROVED = 0.9
"""Confidence in a set whose files are named as no other's."""

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
        what = "image" if self.declaration.table is None else "table"
        text = self.declaration.file_pattern.text
        if not (fitting := self._fitting(tree)):
            some = ", ".join(tree.files[:3])
            hints = sorted({hint for path in tree.files if (hint := undecodable(path))})
            raise LayoutError(
                f"{tree.root}: {self.name}: no {what} fits {text!r}; the folder holds "
                f"{'. '.join([f'{len(tree.files)} files, such as {some}', *hints])}. "
                f"`ferdata detect '{tree.root}' --write my.yaml` drafts a declaration."
            )
        evidence = Evidence(Sign.DECLARED, f"{len(fitting)} files fit {text}")
        return [self._layout(tree, fitting, evidence)]

    def recognize(self, tree: FileTree) -> list[Layout]:
        """Return the declared layout if the files' names prove which set it is, else nothing."""
        if self.declaration.proof is None:
            return []
        pattern = self.declaration.pattern(self.declaration.proof)
        above = tree.root.resolve().name
        proving = sum(pattern.match(f"{above}/{path}") is not None for path in tree.files)
        fitting = self._fitting(tree) if proving else []
        if not fitting or 2 * proving < len(fitting):
            return []
        evidence = Evidence(Sign.NAMES, f"{proving:,} files fit {pattern.text}")
        return [self._layout(tree, fitting, evidence)]

    def _fitting(self, tree: FileTree) -> list[str]:
        """Return the images that fit the pattern, or the tables."""
        pattern = self.declaration.file_pattern
        files = tree.files if self.declaration.table is not None else tree.images()
        return [path for path in files if pattern.match(path) is not None]

    def _layout(self, tree: FileTree, fitting: Sequence[str], evidence: Evidence) -> Layout:
        """Describe the copy; a leading `**/` of its pattern leads to its root."""
        pattern = self.declaration.file_pattern
        return Layout.below(
            tree,
            common_folder({pattern.folder_above(path) for path in fitting}),
            self.name,
            self.declaration.layout,
            evidence,
            lists=fitting if self.declaration.table is not None else (),
        )

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
        words = LabelWords(self.declaration)
        for path, found in self._chosen(layout).items():
            label = words.label(found["label"])
            if label == DROP:
                layout.ignored[path] = _DROPPED
            elif label is None:
                yield layout.reject(path, path, f"label {found['label']}: {words.expected}")
            else:
                yield _sample(layout, path, path, label, found["label"], found)
        words.check(layout.root)

    def _chosen(self, layout: Layout) -> dict[str, dict[str, str]]:
        """Return the words at the places of each image; what is left out on purpose is ignored."""
        pattern = self.declaration.file_pattern
        left_out = [self.declaration.pattern(text) for text in self.declaration.ignore]
        chosen: dict[str, dict[str, str]] = {}
        for path in layout.tree.images():
            if any(each.match(path) is not None for each in left_out):
                layout.ignored[path] = _LEFT_OUT
            elif (found := pattern.match(path)) is not None:  # the inventory accounts for others
                chosen[path] = found
        if (last := self.declaration.last_frames) is not None:
            layout.ignored.update(dict.fromkeys(_earlier(chosen, last), _EARLIER.format(last)))
            for path in layout.ignored:
                chosen.pop(path, None)
            for path, found in chosen.items():
                found.setdefault("sequence", folder_name(path))
        return chosen


class _TableReader:
    """Reads the tables of a layout."""

    def __init__(self, layout: Layout, declaration: Declaration, table: Table) -> None:
        self.layout = layout
        self.table = table
        self.declaration = declaration
        self._seen: dict[str, str] = {}
        self._named: set[str] = set()
        self._files = set(layout.tree.files)

    def read(self) -> Iterator[Sample | Reject]:
        """Yield each row of each file, then account for the images that no row names."""
        root, pattern = self.layout.root, self.declaration.file_pattern
        for file in self.layout.lists:
            words = LabelWords(self.declaration, class_names(root / file, self.table.label))
            split = (pattern.match(file) or {}).get("split", "")
            for row in table_rows(root, file, self.table):
                found = self._row(file, row, words, split)
                if found is not None:
                    yield found
            words.check(root / file)
        for path in self._files.difference(self._named, self.layout.lists):
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
        self._named.add(uri)
        face = "" if self.table.face is None else label_word(row.cells[self.table.face])
        key = f"{uri}#{face}" if face else uri
        if key in self._seen:
            return self.layout.reject(key, row.uri, f"duplicate row: {self._seen[key]} names {key}")
        self._seen[key] = row.uri
        word = label_word(row.cells[self.table.label])
        label = words.label(word)
        if label == DROP:
            self.layout.ignored[uri] = _DROPPED
            return None
        if label is None:
            return self.layout.reject(key, uri, f"label {word or 'missing'}: {words.expected}")
        values = self._columns(row.cells)
        values.setdefault("split", row.split or split)
        return _sample(self.layout, key, uri, label, word, values)

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


def _earlier(found: Mapping[str, Mapping[str, str]], last: int) -> list[str]:
    """Return the frames that are not among the last ones of their sequence."""
    sequences: dict[tuple[str, str], list[str]] = {}
    for path, words in found.items():
        sequences.setdefault((folder_name(path), words.get("sequence", "")), []).append(path)
    return [
        path
        for paths in sequences.values()
        for path in sorted(paths, key=lambda path: (int(found[path]["frame"]), path))[:-last]
    ]


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
