"""CK+ as its authors ship it: four trees of images, emotions, landmarks and action units."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ferdata.errors import AnnotationError, LayoutError
from ferdata.ingest.base import Layout, reject
from ferdata.ingest.datasets.ckplus_names import FRAME, frames_wanted
from ferdata.ingest.facts import facts
from ferdata.ingest.findings import Findings
from ferdata.ingest.label_list import read_lines
from ferdata.ingest.sample import Sample
from ferdata.ingest.tree import FileTree, common_folder, file_name, folder_name
from ferdata.manifest import Reject

_ANNOTATION = re.compile(r"(?P<key>S\d{3,4}_\d{3}_\d{8})_(?P<kind>emotion|landmarks|facs)\.txt")
_POINTS = 68


def detect(tree: FileTree) -> list[Layout]:
    """Find frames in folders by subject and film, with emotion files beside them."""
    frames = [path for path in tree.files if _is_frame(path)]
    if not frames:
        return []
    marks = [path for path in tree.files if _ANNOTATION.fullmatch(file_name(path))]
    emotions = sum(path.endswith("_emotion.txt") for path in marks)
    base = common_folder({_tree_of(path) for path in (*frames, *marks)})
    evidence = (
        f"{len(frames):,} files named like S010/004/S010_004_00000017.png",
        f"{emotions:,} emotion files",
    )
    sure = 0.95 if emotions else 0.5
    return [Layout("ckplus", "official", "images", tree.below(base), (), sure, evidence)]


def read(layout: Layout, choice: str) -> Iterator[Sample | Reject]:
    """Read the chosen frames of every labelled film, sorted by name.

    Args:
        layout: What `detect` returned.
        choice: A value of `--frames`.

    Raises:
        LayoutError: There are no emotion files, or a folder can't be listed.
    """
    layout.tree.require_readable()
    findings = Findings("ckplus")
    copy = _Copy.of(layout.tree, findings)
    if not copy.annotation["emotion"]:
        raise LayoutError(
            f"{layout.root}: holds CK+'s images and no emotion files; extract "
            "Emotion_labels.zip into the same folder (and Landmarks.zip and FACS_labels.zip)."
        )
    reader = _Reader(layout, copy, choice, findings)
    for film in sorted(copy.films):
        yield from reader.read(film)
    for film, path in sorted(copy.labels.items()):
        if film not in copy.films:
            key = "_".join(film)
            yield reject("ckplus", key, path, f"missing image: no frames of {'/'.join(film)}")
    findings.log()


_Film = tuple[str, str]


@dataclass
class _Copy:
    """Which files a copy has, by film and by frame."""

    films: dict[_Film, list[tuple[int, str, str]]] = field(default_factory=dict)
    annotation: dict[str, dict[str, str]] = field(default_factory=dict)
    labels: dict[_Film, str] = field(default_factory=dict)

    @classmethod
    def of(cls, tree: FileTree, findings: Findings) -> _Copy:
        """Sort the files of a tree; a frame that is there twice is taken once."""
        copy = cls(annotation={"emotion": {}, "landmarks": {}, "facs": {}})
        films: dict[_Film, dict[int, tuple[str, str]]] = defaultdict(dict)
        for path in tree.files:
            name = file_name(path)
            if frame := FRAME.fullmatch(name):
                if not _is_frame(path):
                    findings.add("images lie outside of a film's folder and are left out", path)
                    continue
                film = films[frame["subject"], frame["sequence"]]
                if int(frame["frame"]) in film:
                    findings.add("frames are there twice; the first path counts", path)
                film.setdefault(int(frame["frame"]), (frame["key"], path))
            elif match := _ANNOTATION.fullmatch(name):
                copy.annotation[match["kind"]].setdefault(match["key"], path)
                if match["kind"] == "emotion":
                    subject, sequence, _ = match["key"].split("_")
                    copy.labels.setdefault((subject, sequence), path)
        for film_name, frames in films.items():
            copy.films[film_name] = [(n, *frames[n]) for n in sorted(frames)]
        return copy


@dataclass(frozen=True)
class _Reader:
    """Turns films into rows."""

    layout: Layout
    copy: _Copy
    choice: str
    findings: Findings

    def read(self, film: _Film) -> Iterator[Sample | Reject]:
        """Yield the rows of a film, or the reject of all of it."""
        label_file = self.copy.labels.get(film)
        frames = self.copy.films[film]
        if label_file is None:
            self.findings.add("films have no label and are left out", frames[0][2])
            return
        wanted = frames_wanted(self.choice)
        codes = facts("ckplus").codes
        code = self._code(label_file)
        if code not in codes or codes[code] == "neutral":
            reason = f"label code {code}: expected 1–7" if code is not None else "malformed label"
            for _, key, path in frames[-wanted.peaks :]:
                yield reject("ckplus", key, path, f"{reason}: {label_file}")
            return
        if len(frames) < wanted.peaks + wanted.neutral:
            self.findings.add(f"films have too few frames for --frames {self.choice}", label_file)
        first = frames[:1] if wanted.neutral and len(frames) > 1 else []
        for number, key, path in first:
            yield self._sample(film, number, key, path, "neutral", "first frame")
        units = self._action_units(frames[-1][1])
        for number, key, path in frames[len(first) :][-wanted.peaks :]:
            is_last = key == frames[-1][1]
            yield self._sample(
                film, number, key, path, codes[code], str(code), units if is_last else None
            )

    def _sample(
        self,
        film: _Film,
        number: int,
        key: str,
        path: str,
        label: str,
        native: str,
        units: list[str] | None = None,
    ) -> Sample:
        points = self._landmarks(key)
        return Sample(
            key,
            path,
            label,
            native,
            action_units=units,
            subject=film[0],
            sequence=film[1],
            frame=number,
            landmarks=points,
            landmark_scheme=None if points is None else "ibug68",
            landmark_source=None if points is None else "dataset",
        )

    def _code(self, path: str) -> int | None:
        values = self._numbers(path)
        return int(values[0, 0]) if values is not None and values.size == 1 else None

    def _landmarks(self, key: str) -> npt.NDArray[np.float32] | None:
        path = self.copy.annotation["landmarks"].get(key)
        if path is None:
            if self.copy.annotation["landmarks"]:
                self.findings.add("frames have no landmark file", key)
            return None
        values = self._numbers(path)
        if values is None or values.shape != (_POINTS, 2):
            self.findings.add("landmark files are malformed and left out", path)
            return None
        return values.astype(np.float32)

    def _action_units(self, key: str) -> list[str] | None:
        """Read `unit intensity` lines; intensity 0 means that none is given."""
        path = self.copy.annotation["facs"].get(key)
        if path is None:
            return None
        values = self._numbers(path)
        if values is None or (values.size and values.shape[1] != 2):
            self.findings.add("FACS files are malformed and left out", path)
            return None
        return [f"AU{int(unit)}:{int(k)}" if k else f"AU{int(unit)}" for unit, k in values]

    def _numbers(self, path: str) -> npt.NDArray[np.float64] | None:
        """Read a file of numbers, one row a line; None where it is something else."""
        try:
            lines = [line.split() for line in read_lines(self.layout.root / path) if line.strip()]
            return np.array([[float(word) for word in words] for words in lines])
        except (AnnotationError, ValueError):
            return None


def _tree_of(path: str) -> str:
    """Return the folder above those of subject and film: `Emotion/S005/001/x.txt` → `Emotion`."""
    return folder_name(folder_name(folder_name(path)))


def _is_frame(path: str) -> bool:
    """Say whether an image lies in the folder of its own film: `S010/004/S010_004_….png`."""
    match = FRAME.fullmatch(file_name(path))
    if match is None:
        return False
    return f"/{path}".endswith(f"/{match['subject']}/{match['sequence']}/{file_name(path)}")
