"""The declaration of a set of one's own: a YAML file of a few lines, and the info made from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ferdata.core.errors import ManifestError
from ferdata.core.labels import BASIC7, BASIC8, CANONICAL, find_name
from ferdata.core.yaml_files import check_model, read_model, read_values
from ferdata.ingesters.code_orders import code_order
from ferdata.ingesters.declared.pattern import PLACES, Pattern, expand_range
from ferdata.ingesters.info import (
    UNSPLIT,
    Access,
    Citation,
    DatasetInfo,
    LayoutInfo,
    Redistribution,
    shipped_file,
)
from ferdata.ingesters.order_names import ORDER_NAMES, OrderName

Text = Annotated[str, Field(min_length=1)]
Column = str | int

NOT_STATED = "not stated"
"""What cards say where the declaration says nothing."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")

DROP = "drop"
"""In place of a label: images of this class are left out."""

_KEYS = {"images", "table"}
"""The keys by which a YAML file is recognized as a declaration."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Table(_Part):
    """A table of images: which files, and which column holds what.

    Columns are names, or numbers from 1 for a file without a header. In HDF5 and npz files
    they are names of arrays.

    Attributes:
        file: The file relative to the data folder; `*` and `{split}` match several, as in
            `{split}.txt`. Its ending decides how it is read: csv, tsv, txt, json, jsonl, parquet,
            h5, hdf5 or npz.
        path: Column with the path of each image.
        image: Column or array with the images themselves; `{split}_pixel` for several arrays.
        folder: Folder that the paths are relative to; default: the data folder or the table's.
        label: Column or array with the labels.
        split: Column with the words of the split.
        subject: Column with the identifier of the person.
        face: Column that tells the faces of one image apart, where rows are faces.
        sequence: Column with the sequence that the image is a frame of.
        frame: Column with the number of the frame.
        session: Column with the recording session.
        pose: Column with the direction of the head.
        gender: Column with a word for the gender.
        race: Column with a word for the race.
        age_group: Column with a word for the age.
        valence: Column with the valence, −1 to 1.
        arousal: Column with the arousal, −1 to 1.
        action_units: Column with FACS units, as in `AU1 AU12:3`.
        box: Columns of x1, y1, x2, y2 in pixels.
        five_points: Columns of x, y of eye centers, nose tip and mouth corners.
    """

    file: Text
    label: Column
    path: Column | None = None
    image: Column | None = None
    folder: str = ""
    split: Column | None = None
    subject: Column | None = None
    face: Column | None = None
    sequence: Column | None = None
    frame: Column | None = None
    session: Column | None = None
    pose: Column | None = None
    gender: Column | None = None
    race: Column | None = None
    age_group: Column | None = None
    valence: Column | None = None
    arousal: Column | None = None
    action_units: Column | None = None
    box: tuple[Column, Column, Column, Column] | None = None
    five_points: Annotated[tuple[Column, ...], Field(min_length=10, max_length=10)] | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Table:
        if (self.path is None) == (self.image is None):
            raise ValueError(
                "name either path: (the column with image paths) or image: (the images themselves)"
            )
        kinds = {type(column) for column in self.columns()}
        if len(kinds) > 1:
            raise ValueError(
                "columns are either all names or, without a header, all numbers from 1"
            )
        if not self.has_header and min(int(each) for each in self.columns()) < 1:
            raise ValueError("columns are numbered from 1")
        Pattern.of(self.file, allowed=("split",))
        return self

    @property
    def has_header(self) -> bool:
        """Whether the columns are named."""
        return isinstance(self.label, str)

    def columns(self) -> list[Column]:
        """Return all columns that are read."""
        found: list[Column] = []
        for name in type(self).model_fields:
            value = getattr(self, name)
            if name not in ("file", "folder") and value is not None:
                found += value if isinstance(value, tuple) else [value]
        return found


class Declaration(_Part):
    """A set of one's own.

    Attributes:
        name: Its name in sample ids and records.
        title: Its full name; default: the name.
        license: The terms, in a line.
        redistribution: Whether the terms allow passing images on: `allowed` or `forbidden`.
        citation: What to cite, as text or BibTeX.
        homepage: Where it comes from.
        images: A pattern of image paths, such as `{split}/{label}/*.png`, with `**` for any
            folders, `#` for a digit and the places `{split}`, `{label}`, `{subject}`,
            `{sequence}`, `{frame}`, `{session}`, `{pose}`, `{gender}`, `{race}` and `{age_group}`.
        table: Or a table of images.
        labels: The class of each code or word, `drop` for images to leave out; or a known order of
            codes. Words that name an expression need none.
        framing: `crop` if the images are face crops, else `photograph`.
        words: The words that occur at a place of the pattern; images with others don't fit, unless
            `*` is one of them. `P01..P80` stands for a range. Other places than those of `images`
            can be named here, too.
        ignore: Patterns of images that are left out.
        last_frames: How many images are read from the end of each sequence, which are the images
            of one folder, or of one `{sequence}` in it.
        proof: A pattern of paths that no other set has, the folder's own name included;
            `ferdata detect` recognizes the set by it.
        home: The set's own folder, for synthetic copies.
        image_size: Width and height of the images in pixels.
        counts: Images by split and class; the split is `unsplit` where there is none.
        totals: Images by split, where counts by class are not known.
        description: One or two sentences.
        access: How to get it, in steps.
        source: Where all this is known from.
        caveats: What users of the set should know.
    """

    name: Text
    title: str = ""
    license: Text = NOT_STATED
    redistribution: Redistribution = "not stated"
    citation: Text = NOT_STATED
    homepage: Text = NOT_STATED
    images: Text | None = None
    table: Table | None = None
    labels: OrderName | dict[str | int, Text] | None = None
    framing: Literal["crop", "photograph"]
    words: dict[str, tuple[Text, ...]] = {}
    ignore: tuple[Text, ...] = ()
    last_frames: Annotated[int, Field(ge=1)] | None = None
    proof: Text | None = None
    home: str = ""
    image_size: tuple[int, int] | None = None
    counts: dict[str, dict[str, int]] = {}
    totals: dict[str, int] = {}
    description: Text = "A set of one's own, read by a declaration."
    access: tuple[Text, ...] = (NOT_STATED,)
    source: Text = "its declaration"
    caveats: tuple[Text, ...] = ()

    @field_validator("words")
    @classmethod
    def _named_places(cls, words: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for place, known in words.items():
            if not place.isidentifier() or place.startswith("_") or not known:
                raise ValueError(f"{place}: {list(known)}: expected words for the name of a place")
        return words

    @field_validator("name")
    @classmethod
    def _usable_name(cls, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r}: use letters without accents, digits and . _ + - only")
        if shipped_file(name).is_file():
            raise ValueError(f"{name} is a dataset of ferdata; choose another name")
        return name

    @field_validator("labels", mode="before")
    @classmethod
    def _known_labels(cls, labels: object) -> object:
        if labels is None or labels in ORDER_NAMES:
            return labels
        if not isinstance(labels, dict) or not all(labels.values()):
            raise ValueError(
                f"expected a class for each code or word, as in {{0: anger}}, or one of "
                f"{', '.join(ORDER_NAMES)}; found {labels!r}"
            )
        return labels

    @model_validator(mode="after")
    def _consistent(self) -> Declaration:
        if (self.images is None) == (self.table is None):
            raise ValueError("name either images: (a pattern of paths) or table: (a file)")
        if self.images is not None:
            pattern = self.pattern(self.images)
            if "label" not in pattern.places:
                raise ValueError(f"images: {self.images!r} has no {{label}}; or use a table")
        if self.last_frames and (self.images is None or "{frame}" not in self.images):
            raise ValueError("last_frames needs a {frame} in images:")
        for text in (*self.ignore, *filter(None, [self.proof])):
            self.pattern(text)
        for split, counts in self.counts.items():
            if unknown := set(counts) - set(self.classes):
                raise ValueError(f"counts of {split}: {', '.join(sorted(unknown))}: no such class")
        return self

    def pattern(self, text: str) -> Pattern:
        """Return a pattern of paths with the places and words of this set.

        Raises:
            ValueError: It has an unknown place.
        """
        words = {place: expand_range(known) for place, known in self.words.items()}
        allowed = tuple(dict.fromkeys((*PLACES, *self.words)))
        return Pattern.of(text, allowed=allowed, words=words)

    @property
    def file_pattern(self) -> Pattern:
        """The pattern of the images, or of the table's files."""
        if self.table is not None:
            return Pattern.of(self.table.file, allowed=("split",), words=self.pattern("").words)
        return self.pattern(self.images or "")

    @property
    def classes(self) -> list[str]:
        """The classes as far as they are declared, else all expressions."""
        labels = list(self.label_of.values())
        labels += [name for word in self.words.get("label", ()) if (name := find_name(word))]
        found = [label for label in dict.fromkeys(labels) if label != DROP]
        return found if len(found) > 1 else list(CANONICAL)

    @property
    def layout(self) -> str:
        """The name of its only layout."""
        return "folders" if self.table is None else "table"

    @property
    def label_of(self) -> dict[str, str]:
        """The class of each code or word that the declaration knows."""
        if self.labels is None:
            return {}
        if isinstance(self.labels, dict):
            return {
                str(word).strip().lower(): find_name(label) or label.strip()
                for word, label in self.labels.items()
            }
        return {str(code): name for code, name in code_order(self.labels).items()}

    @property
    def _images_are(self) -> str:
        if self.image_size is None:
            return "as the files are"
        return "×".join(map(str, self.image_size)) + " pixels"

    @property
    def info(self) -> DatasetInfo:
        """What a dataset's info says, as far as the declaration tells it."""
        names = self.classes
        counts = self.counts or {split: {} for split in self.totals or (UNSPLIT,)}
        known = "as stated in its sources; copies are not compared"
        what = self.images if self.table is None else f"the table {self.table.file}"
        return DatasetInfo(
            name=self.name,
            title=self.title or self.name,
            description=self.description,
            license=self.license,
            usage=NOT_STATED,
            redistribution=self.redistribution,
            access=Access(url=self.homepage, steps=self.access),
            citation=Citation(text=self.citation, bibtex=self.citation),
            source=self.source,
            label_space=space_name(names),
            codes=dict(enumerate(names)),
            counts_status=known if self.counts or self.totals else "unknown",
            counts={
                split: {name: by_class.get(name, 0) for name in names}
                for split, by_class in counts.items()
            },
            totals=self.totals,
            image={"images": self._images_are},
            caveats=self.caveats,
            layouts=(
                LayoutInfo(
                    name=self.layout,
                    framing=self.framing,
                    evidence=f"files as declared: {what}",
                    tree=str(what),
                    counts={},
                ),
            ),
        )


def space_name(names: list[str]) -> str:
    """Return the name of a label space over some classes."""
    for known in (BASIC7, BASIC8):
        if set(known.names) == set(names):
            return known.name
    return "declared"


def is_declaration(path: Path) -> bool:
    """Say whether a YAML file declares a set of images.

    Raises:
        ManifestError: The file can't be read.
    """
    values = read_values(path)
    return isinstance(values, dict) and not _KEYS.isdisjoint(values)


def load_declaration(path: Path) -> Declaration:
    """Read a declaration.

    Raises:
        ManifestError: The file can't be read or is no valid declaration.
    """
    if not is_declaration(path):
        raise ManifestError(
            f"{path}: declares no set of images, which has a key 'images' or 'table'"
        )
    return read_model(path, "declaration", Declaration)


def parse_declaration(values: Mapping[str, Any], where: str) -> Declaration:
    """Return the declaration in a manifest's record or in a mix.

    Args:
        values: The content.
        where: What holds it, for messages.

    Raises:
        ManifestError: It is not valid.
    """
    return check_model(values, where, "declaration", Declaration)
