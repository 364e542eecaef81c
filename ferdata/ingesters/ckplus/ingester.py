"""CK+: films of 123 people from neutral to the peak of an expression, 327 of them labeled.

Layouts, codes and counts: manifests/datasets/ckplus.yaml; the official trees are read in
official.py. Source: Lucey et al., CVPR Workshops 2010.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from ferdata.core.errors import AnnotationError, LabelError, OptionError
from ferdata.core.images import IMAGE_SUFFIXES
from ferdata.core.labels import BASIC8, LabelSpace
from ferdata.core.manifest import Reject
from ferdata.core.pixel_rows import PIXELS, PixelRows, read_header
from ferdata.ingesters.ckplus import official
from ferdata.ingesters.ckplus.names import FRAME, SPACE, frames_wanted
from ferdata.ingesters.class_folders import class_of, foreign_folder
from ferdata.ingesters.contract import Choices, Ingester, Layout, register, reject
from ferdata.ingesters.info import UNSPLIT, Counts
from ferdata.ingesters.label_list import WRONG_CODES
from ferdata.ingesters.notices import Findings
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree, common_folder, file_name, folder_name

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
"""The codes of ckextended.csv: those of FER2013, with contempt behind them."""


@register("ckplus")
class CkPlus(Ingester):
    """The official trees, the CK+48 folders, and ckextended.csv."""

    def detect(self, tree: FileTree) -> list[Layout]:
        """Find the trees, files named like S010_004_00000017.png in class folders, or the csv.

        The re-made copies are less sure, so that the authors' trees are read where both lie side by
        side, and the folders, which know the people, before the csv.
        """
        found = [*official.detect(tree), *self._folders(tree), *self._table(tree)]
        return sorted(found, key=lambda layout: -layout.confidence)

    def read(self, layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
        """Read the frames that were chosen, sorted by name; the csv row by row."""
        if layout.name == "official":
            return official.read(layout, choices["frames"])
        if layout.name == "ck48":
            return self._read_folders(layout, choices["frames"])
        return self._read_table(layout, choices["frames"])

    def label_space(self, choices: Choices) -> LabelSpace:
        """Return the eight names where neutral frames are read, else seven without neutral."""
        return BASIC8 if frames_wanted(choices["frames"]).neutral else SPACE

    def expected_counts(self, layout: Layout, choices: Choices) -> Mapping[str, Counts]:
        """Return the counts of the frames that are chosen: one or three of each labeled film."""
        wanted = frames_wanted(choices["frames"])
        counts = dict(self.info.expected_counts(layout.name)[UNSPLIT])
        neutral = counts.pop("neutral")
        if layout.name != "ckextended":  # which has one peak frame, and neutral rows of its own
            neutral = sum(counts.values())
            counts = {label: wanted.peaks * count for label, count in counts.items()}
        return {UNSPLIT: counts | ({"neutral": neutral} if wanted.neutral else {})}

    def _folders(self, tree: FileTree) -> list[Layout]:
        named = [path for path in tree.files if FRAME.fullmatch(file_name(path)) and class_of(path)]
        if not named:
            return []
        base = common_folder({folder_name(folder_name(path)) for path in named})
        evidence = f"{len(named):,} files named like S010_004_00000017.png in class folders"
        return [Layout(self.name, "ck48", "images", tree.below(base), (), 0.9, (evidence,))]

    def _table(self, tree: FileTree) -> list[Layout]:
        layouts = []
        for path in tree.files:
            if not re.fullmatch(r"ckextended.*\.csv", file_name(path), re.IGNORECASE):
                continue
            try:
                header = read_header(tree.root / path)
            except AnnotationError:
                continue
            if {"emotion", PIXELS} <= set(header):
                base = tree.below(folder_name(path))
                evidence = f"{path} with the columns {', '.join(header)}"
                lists = (file_name(path),)
                layouts.append(
                    Layout(self.name, "ckextended", "images", base, lists, 0.85, (evidence,))
                )
        return layouts

    def _read_folders(self, layout: Layout, frames: str) -> Iterator[Sample | Reject]:
        wanted = frames_wanted(frames)
        if wanted.neutral:
            raise OptionError(
                f"--frames {frames}: CK+48 holds only the last three frames of each film, none of "
                "them neutral; use the official trees, or --frames last3 or peak."
            )
        layout.tree.require_readable()
        findings = Findings(self.name)
        films: dict[tuple[str, str], list[Sample]] = defaultdict(list)
        seen: dict[str, str] = {}
        for path in sorted(layout.tree.files, key=lambda path: (file_name(path), path)):
            if f".{path.rpartition('.')[2].lower()}" not in IMAGE_SUFFIXES:
                continue
            match, label = FRAME.fullmatch(file_name(path)), class_of(path)
            if match is None:
                reason = "file name: not like S010_004_00000017.png"
                yield reject(self.name, path.rpartition(".")[0], path, reason)
            elif label not in SPACE or label is None:
                yield reject(self.name, match["key"], path, foreign_folder(path, "a class of CK+"))
            elif match["key"] in seen:
                reason = f"duplicate id: also {seen[match['key']]}"
                yield reject(self.name, match["key"], path, reason)
            else:
                seen[match["key"]] = path
                films[match["subject"], match["sequence"]].append(
                    Sample(
                        match["key"],
                        path,
                        label,
                        file_name(folder_name(path)),
                        split_native=folder_name(folder_name(path)) or None,
                        subject=match["subject"],
                        sequence=match["sequence"],
                        frame=int(match["frame"]),
                    )
                )
        for film in films.values():
            if len({sample.label for sample in film}) > 1:
                findings.add("films have frames in folders of different classes", film[0].uri)
            if len(film) < wanted.peaks:
                findings.add(f"films have too few frames for --frames {frames}", film[0].uri)
            yield from film[-wanted.peaks :]
        findings.log()

    def _read_table(self, layout: Layout, frames: str) -> Iterator[Sample | Reject]:
        neutral = frames_wanted(frames).neutral
        table = layout.lists[0]
        rows = PixelRows(layout.root / table)
        if not len(rows):
            raise AnnotationError(rows.path, "has a header and no rows; expected 920")
        findings = Findings(self.name)
        foreign = 0
        for row, cells in enumerate(rows.rows()):
            key, uri = f"{row:05d}", f"{table}#{row}"
            if cells is None:
                reason = f"malformed row: no cell for each of {', '.join(rows.header)}"
                yield reject(self.name, key, uri, reason)
                continue
            word = cells["emotion"].decode("ascii", "replace")
            label = EXTENDED_CODES.get(int(word)) if re.fullmatch("[0-9]{1,3}", word) else None
            if label is None:
                foreign += 1
                yield reject(self.name, key, uri, f"label code {word}: expected 0–7")
            elif label == "neutral" and not neutral:
                findings.add(f"neutral frames are left out by --frames {frames}", uri)
            else:
                findings.add("rows without subject (this copy lost it): people mix", uri)
                usage = cells.get("usage", b"").decode("ascii", "replace") or None
                yield Sample(key, uri, label, word, split_native=usage)
        if foreign > max(1, WRONG_CODES * len(rows)):
            raise LabelError(
                f"ckplus: {foreign} of {len(rows)} rows of {layout.root / table} have label codes "
                "that are not 0–7 (anger, disgust, fear, happiness, sadness, surprise, neutral, "
                "contempt); this is another table."
            )
        findings.log()
