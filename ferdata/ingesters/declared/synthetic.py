"""A synthetic copy of any declared set, drawn from its declaration.

What the declaration leaves open is numbered: `*`, and places without words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

from ferdata.core.draws import generator
from ferdata.core.errors import OptionError
from ferdata.core.given_splits import split_of_word
from ferdata.core.labels import CANONICAL, find_name
from ferdata.ingesters.declared.declaration import DROP, Declaration, Table
from ferdata.ingesters.declared.pattern import OTHERS, expand_range
from ferdata.ingesters.info import UNSPLIT, DatasetInfo
from ferdata.ingesters.synthetic import (
    ROWS_FOLDER,
    DemoImage,
    DemoWriter,
    save_image,
    scaled_count,
    store_row,
    write_lines,
)
from ferdata.synth.drawing import CLOSE, MIN_SIZE, SCENE, draw_face
from ferdata.synth.expressions import draw_expression
from ferdata.synth.identity import draw_identity

_OF_A_CLASS = 40
"""Images of each class and split of a set whose numbers are not declared."""

_SIDES = {"crop": 96, "photograph": 240}
"""Sides of images whose size is not declared, in pixels."""

_OF_PERSONS = ("gender", "race", "age_group")
"""Places whose words are those of the person."""

_EARLIER = 2
"""Frames of a sequence before those that are read."""

_TEXT = {".csv": ",", ".tsv": "\t", ".txt": " ", ".lst": " "}
"""What separates the cells of the tables that can be written."""


@dataclass(frozen=True)
class DeclaredImage(DemoImage):
    """One image of a copy.

    Attributes:
        path: Its path below the root.
        drawn: The expression to draw.
        subject: Who is drawn; empty for anybody.
        words: The word at each place of the pattern, or of each column of the table.
    """

    path: str
    drawn: str
    subject: str
    words: Mapping[str, str]


class DeclaredWriter(DemoWriter[DeclaredImage]):
    """Draws a set as its declaration describes it.

    Args:
        declaration: The declaration.
    """

    def __init__(self, declaration: Declaration) -> None:
        self.name = declaration.name  # type: ignore[misc]  # one class, many sets
        self.layouts = (declaration.layout,)  # type: ignore[misc]
        self.declaration = declaration
        self._pattern = declaration.file_pattern

    @property
    def info(self) -> DatasetInfo:
        """What the declaration tells."""
        return self.declaration.info

    def plan(self, layout: str, scale: float, seed: int) -> list[DeclaredImage]:
        """List the images, class by class.

        Raises:
            OptionError: The set lies in files that can't be drawn.
        """
        _require_writable(self.declaration)
        images: list[DeclaredImage] = []
        for split, by_class in self._counts().items():
            for label, count in by_class.items():
                number = scaled_count(count, scale)
                if (last := self.declaration.last_frames) is None:
                    made = (self._image(split, label, each) for each in range(number))
                    images += made
                else:
                    for each in range(max(1, number // last)):
                        images += self._sequence(split, label, each, last)
        return images

    def folders(self, layout: str) -> Sequence[str]:
        """Return the folder of a table's rows; images make their own."""
        return [] if self.declaration.table is None else [ROWS_FOLDER]

    def write_image(self, root: Path, layout: str, image: DeclaredImage, seed: int) -> None:
        """Draw an image; of a table, keep the row."""
        draws = generator(seed, f"{self.name}/{image.path}", purpose="demo image")
        side = _SIDES[self.declaration.framing]
        width, height = self.declaration.image_size or (side, side)
        identity = None
        if image.subject:
            person = generator(seed, f"{self.name}/{image.subject}", purpose="demo person")
            identity = draw_identity(person)
        intensity = (0.6, 1.0) if image.label is not None else (0.0, 0.2)
        face = draw_face(
            draw_expression(image.drawn, draws, intensity=intensity),
            draws,
            (max(width, MIN_SIZE), max(height, MIN_SIZE)),
            framing=CLOSE if self.declaration.framing == "crop" else SCENE,
            identity=identity,
        )
        path = root / image.path
        path.parent.mkdir(parents=True, exist_ok=True)
        save_image(path, face.pixels)
        if (table := self.declaration.table) is not None:
            cells = dict.fromkeys(map(str, table.columns()), "0")
            cells |= image.words
            if table.box is not None:
                corners = [f"{each:.0f}" for each in face.box.tolist()]
                cells |= zip(map(str, table.box), corners, strict=True)
            if table.five_points is not None:
                points = [f"{each:.1f}" for each in face.five_points.reshape(-1).tolist()]
                cells |= zip(map(str, table.five_points), points, strict=True)
            store_row(root, image, _line(table, cells))

    def write_lists(self, root: Path, layout: str, images: Sequence[DeclaredImage]) -> None:
        """Write the table, or one for each split."""
        if (table := self.declaration.table) is None:
            return
        by_file: dict[str, list[DeclaredImage]] = {}
        for each in images:
            by_file.setdefault(self._file(each.split), []).append(each)
        for file, rows in by_file.items():
            header = {str(column): str(column) for column in table.columns()}
            heads = [_line(table, header)] if table.has_header else []
            stored = (
                (root / ROWS_FOLDER / f"{each.stem}.txt").read_text(encoding="ascii")
                for each in rows
            )
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            write_lines(root / file, chain(heads, stored))

    def _counts(self) -> dict[str, dict[str, int]]:
        """Return the images by split and class, even where only totals are declared."""
        if self.declaration.counts:
            return self.declaration.counts
        names = self.declaration.classes
        if self.declaration.totals:
            return {
                split: dict.fromkeys(names, total // len(names))
                for split, total in self.declaration.totals.items()
            }
        pattern, table = self._pattern, self.declaration.table
        split = "split" in pattern.places or (table is not None and table.split is not None)
        splits = ("train", "test") if split else (UNSPLIT,)
        return {each: dict.fromkeys(names, _OF_A_CLASS) for each in splits}

    def _sequence(self, split: str, label: str, number: int, last: int) -> Iterator[DeclaredImage]:
        """Yield the frames of a sequence; the earlier ones are no rows."""
        for frame in range(_EARLIER + last):
            words = {"frame": f"{frame:03d}"}
            yield self._image(split, label, number, words, is_row=frame >= _EARLIER)

    def _image(
        self,
        split: str,
        label: str,
        number: int,
        fixed: Mapping[str, str] | None = None,
        *,
        is_row: bool = True,
    ) -> DeclaredImage:
        """Return one image of a class; subjects come in turn, then what else differs."""
        words = {"label": self._label_word(label), "split": self._split_word(split)}
        persons = self._persons[split]
        rest, person = divmod(number, len(persons))
        words["subject"] = persons[person]
        rest = rest if "subject" in self._pattern.places else number
        for place in self._pattern.places:
            known = self._words(place)
            if place in words:
                continue
            if not known:
                words[place] = f"{number:03d}"
            elif place in _OF_PERSONS:
                words[place] = known[person % len(known)]
            else:
                rest, index = divmod(rest, len(known))
                words[place] = known[index]
        words |= fixed or {}
        code = CANONICAL.index(label) if label in CANONICAL else -1
        drawn = label if label in CANONICAL else "neutral"
        stem = "_".join((split, words["label"], f"{number:06d}", words.get("frame", "")))
        path = self._path(label, words, number + 1)
        subject = words["subject"] if "subject" in self._pattern.places else ""
        if self.declaration.table is not None:
            words = self._cells(self.declaration.table, words, path)
        return DeclaredImage(
            stem, split, label if is_row else None, code, path, drawn, subject, words
        )

    def _path(self, label: str, words: Mapping[str, str], number: int) -> str:
        """Return the path of an image below the copy's root."""
        table = self.declaration.table
        if table is None:
            path = self._pattern.example(words, number)
        else:
            name = f"{label}_{words['split']}_{number}.jpg"
            path = "/".join(filter(None, (table.folder.strip("/"), name)))
        return "/".join(filter(None, (self.declaration.home, path)))

    @cached_property
    def _persons(self) -> dict[str, Sequence[str]]:
        """The persons of each split; nobody is in two splits unless there are too few."""
        counts = self._counts()
        known: Sequence[str] = self._words("subject")
        if not known:
            most = max(max(by_class.values()) for by_class in counts.values())
            known = [f"{number:03d}" for number in range(most * len(counts))]
        return {split: known[index :: len(counts)] or known for index, split in enumerate(counts)}

    def _cells(self, table: Table, words: Mapping[str, str], path: str) -> dict[str, str]:
        """Return the cells of an image's row by column."""
        below = "/".join(filter(None, (self.declaration.home, table.folder.strip("/"))))
        values = {
            "path": path.removeprefix(f"{below}/") if below else path,
            "label": words["label"],
            "split": words["split"],
            "subject": words["subject"],
        }
        columns = {name: getattr(table, name) for name in values}
        return {str(column): values[name] for name, column in columns.items() if column is not None}

    def _file(self, split: str) -> str:
        """Return the path of the table of a split, below the copy's root."""
        file = self._pattern.example({"split": self._split_word(split)}, 0)
        return "/".join(filter(None, (self.declaration.home, file)))

    def _words(self, place: str) -> tuple[str, ...]:
        """Return the words that are declared for a place."""
        return self._declared.get(place, ())

    @cached_property
    def _declared(self) -> dict[str, tuple[str, ...]]:
        return {
            place: tuple(word for word in expand_range(known) if word != OTHERS)
            for place, known in self.declaration.words.items()
        }

    def _label_word(self, label: str) -> str:
        """Return the set's own word for a class, as it is written in the declaration."""
        meaning = self.declaration.label_of
        for word in (*self._words("label"), *meaning):
            if meaning.get(word.lower(), find_name(word)) == label and label != DROP:
                return word
        return label

    def _split_word(self, split: str) -> str:
        """Return the set's own word for a split."""
        return next((each for each in self._words("split") if split_of_word(each) == split), split)


def _line(table: Table, cells: Mapping[str, str]) -> str:
    """Return a line of a table; numbered columns that are not declared hold 0."""
    columns = list(map(str, table.columns()))
    if not table.has_header:
        columns = [str(each) for each in range(1, max(map(int, columns)) + 1)]
    delimiter = _TEXT[Path(table.file).suffix.lower()]
    return delimiter.join(cells.get(column, "0") for column in dict.fromkeys(columns))


def _require_writable(declaration: Declaration) -> None:
    """Refuse sets whose files can't be drawn.

    Raises:
        OptionError: The images are inside of a file, or the table is of another format.
    """
    table = declaration.table
    if table is None:
        return
    if table.path is None or Path(table.file).suffix.lower() not in _TEXT:
        raise OptionError(
            f"{declaration.name}: no synthetic copy can be drawn of {table.file}; only of image "
            f"files with a table in {', '.join(_TEXT)}"
        )
