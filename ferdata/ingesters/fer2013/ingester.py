"""FER2013: 35,887 gray crops of 48×48 pixels from the web, seven expressions.

Layouts, codes and counts: manifests/datasets/fer2013.yaml.
Source: Goodfellow et al., ICONIP 2013.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ferdata.core.errors import AnnotationError, LabelError
from ferdata.core.images import IMAGE_SUFFIXES
from ferdata.core.labels import BASIC7
from ferdata.core.manifest import Reject
from ferdata.core.pixel_rows import PIXELS, PixelRows, read_header
from ferdata.ingesters.class_folders import class_of, foreign_folder
from ferdata.ingesters.contract import Choices, Ingester, Layout, register, reject
from ferdata.ingesters.label_list import WRONG_CODES
from ferdata.ingesters.notices import Findings
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree, common_folder, file_name, folder_name

USAGES = {"training": "train", "publictest": "validation", "privatetest": "test"}
"""The authors' words for their splits, in lower case."""

_COLUMNS = ("emotion", PIXELS, "usage")
_OWN_NAMES = ("fer2013.csv", "icml_face_data.csv")
_NAMED = re.compile(r"(?P<usage>Training|PublicTest|PrivateTest)_\d+", re.IGNORECASE)
_SPLIT_FOLDER = re.compile(r"train|test|valid|val|validation", re.IGNORECASE)
_FOREIGN = "ckextended.csv has codes 0–7 and 920 rows, use `ferdata build ckplus`"


@register("fer2013")
class Fer2013(Ingester):
    """The csv in both of its forms, Kaggle's folders, and re-made copies in class folders."""

    def detect(self, tree: FileTree) -> list[Layout]:
        """Find a csv with emotion and pixels, or images in class folders."""
        layouts = [layout for path in pixel_tables(tree) for layout in [self._csv(tree, path)]]
        layouts += self._folders(tree)
        return sorted(layouts, key=lambda layout: -layout.confidence)

    def read(self, layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
        """Read the rows of the csv, or the images sorted by path."""
        if layout.lists:
            return self._read_csv(layout)
        return self._read_folders(layout)

    def _csv(self, tree: FileTree, path: str) -> Layout:
        header = read_header(tree.root / path)
        # Kaggle's copy of the contest has blanks in its header and the pixels last.
        name = "icml" if header[-1] == PIXELS and "usage" in header else "csv"
        return Layout(
            self.name,
            name,
            "images",
            tree.below(folder_name(path)),
            (file_name(path),),
            _table_confidence(path, header),
            (f"{path} has the columns {', '.join(header)}",),
        )

    def _folders(self, tree: FileTree) -> list[Layout]:
        images = [path for path in tree.files if _is_image(path)]
        named = [p for p in images if class_of(p) and _NAMED.fullmatch(_stem(p))]
        if named:
            base = _base(named)
            evidence = f"{len(named):,} files named like Training_123.jpg in class folders"
            return [Layout(self.name, "kaggle", "images", tree.below(base), (), 0.95, (evidence,))]
        classed = [path for path in images if class_of(path) in BASIC7]
        codes = {file_name(folder_name(path)) for path in images}
        if not classed and {"0"} <= codes <= {str(code) for code in self.info.codes}:
            classed = images
        if not classed:
            return []
        base, number = _base(classed), len(classed)
        evidence = f"{number:,} images in folders named after the classes; any dataset may be that"
        share = len({file_name(folder_name(path)) for path in classed}) / len(BASIC7)
        return [
            Layout(
                self.name,
                "class-folders",
                "images",
                tree.below(base),
                (),
                0.35 if share >= 1 else 0.2,
                (evidence,),
            )
        ]

    def _read_csv(self, layout: Layout) -> Iterator[Sample | Reject]:
        table = layout.lists[0]
        rows = open_table(layout, table)
        foreign = 0
        for row, cells in enumerate(rows.rows()):
            key, uri = f"{row:05d}", f"{table}#{row}"
            if cells is None:
                reason = f"malformed row: no cell for each of {', '.join(rows.header)}"
                yield reject(self.name, key, uri, reason)
                continue
            word, usage = cells["emotion"].decode("ascii", "replace"), native_usage(cells)
            label = self.info.codes.get(int(word)) if re.fullmatch("[0-9]{1,3}", word) else None
            if label is None:
                foreign += 1
                reason = f"label code {word}: expected {self.info.code_range}; {_FOREIGN}"
                yield reject(self.name, key, uri, reason)
            elif usage.lower() not in USAGES:
                reason = f"usage {usage}: expected Training, PublicTest or PrivateTest"
                yield reject(self.name, key, uri, reason)
            else:
                yield Sample(
                    key,
                    uri,
                    label,
                    word,
                    official_split=USAGES[usage.lower()],
                    split_native=usage,
                )
        if foreign > max(1, WRONG_CODES * len(rows)):
            raise LabelError(
                f"fer2013: {foreign} of {len(rows)} rows of {layout.root / table} have label codes "
                f"that are not {self.info.code_range}; {_FOREIGN}."
            )

    def _read_folders(self, layout: Layout) -> Iterator[Sample | Reject]:
        layout.tree.require_readable()
        findings = Findings(self.name)
        seen: dict[str, str] = {}
        codes = {str(code): name for code, name in self.info.codes.items()}
        for path in sorted(filter(_is_image, layout.tree.files)):
            named = _NAMED.fullmatch(_stem(path))
            official = layout.name == "kaggle"
            key = _stem(path) if official and named else path.rpartition(".")[0]
            folder = file_name(folder_name(path))
            label = class_of(path) or codes.get(folder)
            if label not in BASIC7 or label is None:
                reason = foreign_folder(path, ", ".join(BASIC7.names))
                yield reject(self.name, key, path, reason)
            elif official and not named:
                reason = "file name: not like Training_123.jpg, so its split is not known"
                yield reject(self.name, key, path, reason)
            elif key in seen:
                yield reject(self.name, key, path, f"duplicate id: also {seen[key]}")
            else:
                seen[key] = path
                if not official:
                    findings.add("images whose place in the authors' split is lost", path)
                yield Sample(
                    key,
                    path,
                    label,
                    folder,
                    official_split=USAGES[named["usage"].lower()] if official and named else None,
                    split_native=named["usage"] if official and named else _split_word(path),
                )
        findings.log()


def pixel_tables(tree: FileTree) -> list[str]:
    """Return the csv files of a tree that hold FER2013, the best first.

    Those with the columns emotion and pixels, CK+'s left out; and those with FER2013's own names,
    whatever their columns, so that a damaged header is told and not overlooked.
    """
    found = []
    for path in tree.files:
        name = file_name(path).lower()
        if name.endswith(".csv") and not name.startswith("ckextended"):
            try:
                header = read_header(tree.root / path)
            except AnnotationError:
                continue
            if name in _OWN_NAMES or {"emotion", PIXELS} <= set(header):
                found.append((-_table_confidence(path, header), path.count("/"), path))
    return [path for _, _, path in sorted(found)]


def _table_confidence(path: str, header: tuple[str, ...]) -> float:
    """Say how sure it is that a csv is FER2013.

    The contest hands out the same rows twice, as `_OWN_NAMES`; equal numbers would be a tie.
    """
    name = file_name(path).lower()
    if not set(_COLUMNS) <= set(header):
        return 0.5
    return 0.95 - 0.01 * _OWN_NAMES.index(name) if name in _OWN_NAMES else 0.6


def open_table(layout: Layout, table: str) -> PixelRows:
    """Open the csv of a layout.

    Raises:
        AnnotationError: It can't be read, or a column is missing.
    """
    rows = PixelRows(layout.root / table)
    missing = [column for column in _COLUMNS if column not in rows.header]
    if missing:
        raise AnnotationError(
            f"{layout.root / table} line 1",
            f"has no column {', '.join(missing)}; its columns are {', '.join(rows.header)}. "
            "Take fer2013.csv or icml_face_data.csv, which have all three.",
        )
    return rows


def native_usage(cells: dict[str, bytes]) -> str:
    """Return a row's Usage as it stands in the file."""
    return cells["usage"].decode("ascii", "replace")


def _is_image(path: str) -> bool:
    return f".{path.rpartition('.')[2].lower()}" in IMAGE_SUFFIXES


def _stem(path: str) -> str:
    return file_name(path).rpartition(".")[0]


def _split_word(path: str) -> str | None:
    """Return the folder above the class folder where it is named after a split."""
    word = file_name(folder_name(folder_name(path)))
    return word if _SPLIT_FOLDER.fullmatch(word) else None


def _base(paths: list[str]) -> str:
    """Return the folder above those of all classes, and of the splits where there are any."""
    bases = set()
    for folder in {folder_name(path) for path in paths}:
        base = folder_name(folder)
        bases.add(folder_name(base) if _SPLIT_FOLDER.fullmatch(file_name(base)) else base)
    return common_folder(bases)
