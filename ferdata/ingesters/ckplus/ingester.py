"""CK+: sequences of 123 subjects from neutral to the peak of an expression, 327 of them labeled.

Layouts, codes and counts: manifests/datasets/ckplus.yaml; the official tree is read in
official.py. Source: Lucey et al., CVPR Workshops 2010.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from ferdata.core.errors import AnnotationError, OptionError
from ferdata.core.labels import BASIC8, LabelSpace
from ferdata.core.pixel_rows import PIXELS
from ferdata.core.rejects import Reject
from ferdata.ingesters.array_copies import ArrayRules, detect_arrays, read_arrays
from ferdata.ingesters.catalog import register
from ferdata.ingesters.ckplus import official
from ferdata.ingesters.ckplus.names import FRAME, SPACE, frames_wanted
from ferdata.ingesters.class_folders import class_folder, class_of, split_folder, wrong_folder
from ferdata.ingesters.contract import Choices, Ingester, Layout
from ferdata.ingesters.evidence import Evidence, Sign
from ferdata.ingesters.info import UNSPLIT, Counts
from ferdata.ingesters.pixel_tables import open_table, read_labeled_rows, try_header
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree, by_name, common_folder, file_name, folder_name

EXTENDED_CODES = {
    0: "anger",
    1: "disgust",
    2: "fear",
    3: "happiness",
    4: "sadness",
    5: "surprise",
    6: "neutral",
    7: "contempt",
}
"""The codes of ckextended.csv: those of FER2013, and contempt."""

_ARRAYS = ArrayRules(
    shape=(48, 48), file_names=("ck_data.h5",), file_order="ck48", label_space=SPACE.names
)

_TABLE = re.compile(r"ckextended.*\.csv", re.IGNORECASE)


@register("ckplus")
class CkPlus(Ingester):
    """The official tree, the CK+48 folders, ckextended.csv, and arrays."""

    def detect(self, tree: FileTree) -> list[Layout]:
        """Find the tree, files named like S010_004_00000017.png in class folders, or the csv.

        There is less evidence for re-made copies, so that the official tree is preferred where
        both are there, and the folders, whose file names tell the subject, before the csv.
        """
        own = [*official.detect(tree), *self._folders(tree), *self._tables(tree)]
        return [*own, *detect_arrays(tree, self.info, "arrays", _ARRAYS)]

    def read(self, layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
        """Read the chosen frames, sorted by name; the csv row by row."""
        if layout.name == "arrays":
            return self._read_arrays(layout, choices)
        read = {"official": official.read, "ck48": _read_folders, "ckextended": _read_table}
        return read[layout.name](layout, choices["frames"])

    def label_space(self, choices: Choices) -> LabelSpace:
        """Return the eight names if neutral frames are read, else the seven without neutral."""
        return BASIC8 if frames_wanted(choices["frames"]).neutral else SPACE

    def expected_counts(self, layout: Layout, choices: Choices) -> Mapping[str, Counts]:
        """Return the counts of the chosen frames: one or three of each labeled sequence."""
        wanted = frames_wanted(choices["frames"])
        counts = dict(self.info.expected_counts(layout.name)[UNSPLIT])
        neutral = counts.pop("neutral")
        if layout.name == "arrays":
            return {UNSPLIT: {label: 3 * count for label, count in counts.items()}}
        if layout.name != "ckextended":  # which has one peak frame, and neutral rows of its own
            neutral = sum(counts.values())
            counts = {label: wanted.peaks * count for label, count in counts.items()}
        return {UNSPLIT: counts | ({"neutral": neutral} if wanted.neutral else {})}

    def _read_arrays(self, layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
        """Read the three frames of each sequence, whose names an array does not keep."""
        if choices["frames"] != "last3":
            raise OptionError(
                f"--frames {choices['frames']}: {layout.lists[0]} contains the last three frames "
                "of each sequence and not which is which; use --frames last3, or the official tree."
            )
        for each in read_arrays(layout, self.info, choices, _ARRAYS):
            if isinstance(each, Sample):
                layout.notices.add("rows without a subject, so subjects can't be split", each.uri)
            yield each

    def _folders(self, tree: FileTree) -> Iterator[Layout]:
        named = [path for path in tree.files if FRAME.fullmatch(file_name(path)) and class_of(path)]
        if named:
            base = common_folder({folder_name(folder_name(path)) for path in named})
            found = f"{len(named):,} files named like S010_004_00000017.png"
            evidence = (
                Evidence(Sign.NAMES, found),
                Evidence(Sign.FOLDERS, "folders named after classes"),
            )
            yield Layout.below(tree, base, self.name, "ck48", *evidence)

    def _tables(self, tree: FileTree) -> Iterator[Layout]:
        for path in tree.files:
            if not _TABLE.fullmatch(file_name(path)):
                continue
            header = try_header(tree, path)
            found, missing = f"{path} with the columns {', '.join(header)}", ""
            if not header:  # reading says what it is
                found, missing = f"{path} is there and can't be read", "its table can't be read"
            if missing or {"emotion", PIXELS} <= set(header):
                folder, evidence = folder_name(path), Evidence(Sign.TABLE, found)
                yield Layout.below(
                    tree, folder, self.name, "ckextended", evidence, lists=[path], missing=missing
                )


def _read_folders(layout: Layout, frames: str) -> Iterator[Sample | Reject]:
    wanted = frames_wanted(frames)
    if wanted.neutral:
        raise OptionError(
            f"--frames {frames}: CK+48 contains only the last three frames of each sequence, none "
            "of them neutral; use the official tree, or --frames last3 or peak."
        )
    layout.tree.require_readable()
    sequences: dict[tuple[str, str], list[Sample]] = defaultdict(list)
    seen: dict[str, str] = {}
    for path in by_name(layout.tree.images()):
        match, label = FRAME.fullmatch(file_name(path)), class_of(path)
        if match is None:
            reason = "file name: not like S010_004_00000017.png"
            yield layout.reject(path.rpartition(".")[0], path, reason)
        elif label not in SPACE or label is None:
            yield layout.reject(match["key"], path, wrong_folder(path, "a class of CK+"))
        elif match["key"] in seen:
            yield layout.reject(match["key"], path, f"duplicate id: also {seen[match['key']]}")
        else:
            seen[match["key"]] = path
            sequences[match["subject"], match["sequence"]].append(
                Sample(
                    match["key"],
                    path,
                    label,
                    class_folder(path),
                    split_native=split_folder(path),
                    subject=match["subject"],
                    sequence=match["sequence"],
                    frame=int(match["frame"]),
                )
            )
    for rows in sequences.values():
        if len({sample.label for sample in rows}) > 1:
            layout.notices.add("sequences have frames in folders of different classes", rows[0].uri)
        if len(rows) < wanted.peaks:
            layout.notices.add(f"sequences have too few frames for --frames {frames}", rows[0].uri)
        yield from rows[-wanted.peaks :]


def _read_table(layout: Layout, frames: str) -> Iterator[Sample | Reject]:
    neutral = frames_wanted(frames).neutral
    rows = open_table(layout, layout.lists[0], ())
    if not len(rows):
        raise AnnotationError(rows.path, "has a header and no rows; expected 920")
    advice = f"ckextended.csv has {', '.join(EXTENDED_CODES.values())}"
    for each in read_labeled_rows(layout, rows, EXTENDED_CODES, advice):
        if isinstance(each, Reject):
            yield each
            continue
        row, label = each
        if label == "neutral" and not neutral:
            layout.notices.add(f"neutral frames are excluded by --frames {frames}", row.uri)
        else:
            layout.notices.add("rows without a subject, so subjects can't be split", row.uri)
            usage = row.word("usage") or None
            yield Sample(row.key, row.uri, label, str(row.number("emotion")), split_native=usage)
