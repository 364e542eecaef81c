"""CK+ as its authors ship it: four trees of images, emotions, landmarks and action units."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ferdata.core.errors import AnnotationError, LabelError, LayoutError
from ferdata.core.images import IMAGE_SUFFIXES
from ferdata.core.manifest import Reject
from ferdata.ingesters.ckplus.names import FRAME, SPACE, frames_wanted
from ferdata.ingesters.contract import Layout, reject
from ferdata.ingesters.info import dataset_info
from ferdata.ingesters.label_list import WRONG_CODES, read_lines
from ferdata.ingesters.notices import Findings
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree, common_folder, file_name, folder_name

_ANNOTATION = re.compile(r"(?P<key>S\d{3,4}_\d{3}_\d{8})_(?P<kind>emotion|landmarks|facs)\.txt")
_POINTS = 68
_EXPECTED = "expected 1–7"

_Film = tuple[str, str]


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
    """Read the chosen frames of every labeled film, sorted by name.

    Args:
        layout: What `detect` returned.
        choice: A value of `--frames`.

    Raises:
        LayoutError: There are no emotion files, or a folder can't be listed.
        LabelError: More than `WRONG_CODES` of the emotion files have no code of CK+.
    """
    layout.tree.require_readable()
    findings = Findings("ckplus")
    copy = _Copy.of(layout.tree, findings)
    if not copy.labels:
        raise LayoutError(
            f"{layout.root}: holds CK+'s images and no emotion files; extract "
            "Emotion_labels.zip into the same folder (and Landmarks.zip and FACS_labels.zip)."
        )
    reader = _Reader(layout, copy, choice, findings)
    for film in sorted(copy.films):
        yield from reader.read(film)
    reader.check()
    for film, paths in sorted(copy.labels.items()):
        if film not in copy.films:
            reason = f"missing image: no frames of {'/'.join(film)}"
            yield reject("ckplus", "_".join(film), paths[0], reason)
    for path in copy.strays:
        reason = "file name: not like S010/004/S010_004_00000017.png"
        yield reject("ckplus", path.rpartition(".")[0], path, reason)
    findings.log()


@dataclass(frozen=True)
class _Frame:
    """One frame of a film.

    Attributes:
        number: As in its file name.
        key: `S010_004_00000017`.
        path: Where it lies.
        again: Further files of the same name.
    """

    number: int
    key: str
    path: str
    again: tuple[str, ...]


@dataclass
class _Copy:
    """Which files a copy has.

    Attributes:
        films: Each film's frames, sorted by number.
        labels: Each film's emotion files; more than one only where a copy is muddled.
        annotation: Landmark and FACS files by kind and key of the frame.
        strays: Images among the films that are no film's frames.
    """

    films: dict[_Film, list[_Frame]] = field(default_factory=dict)
    labels: dict[_Film, list[str]] = field(default_factory=lambda: defaultdict(list))
    annotation: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    strays: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, tree: FileTree, findings: Findings) -> _Copy:
        """Sort the files of a tree."""
        copy = cls()
        paths: dict[_Film, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        others = []
        for path in tree.files:
            if match := _ANNOTATION.fullmatch(file_name(path)):
                copy._annotate(match, path)
            elif f".{path.rpartition('.')[2].lower()}" not in IMAGE_SUFFIXES:
                continue
            elif (frame := FRAME.fullmatch(file_name(path))) and _is_frame(path):
                paths[frame["subject"], frame["sequence"]][frame["key"]].append(path)
            else:
                others.append(path)
        for film, keys in paths.items():
            copy.films[film] = [
                _Frame(int(key.rpartition("_")[2]), key, first, tuple(again))
                for key, (first, *again) in sorted(keys.items())
            ]
            for frame_again in (each.again for each in copy.films[film] if each.again):
                kind = "frames are there more than once; the first path counts"
                findings.add(kind, frame_again[0])
        inside = {_tree_of(frames[0].path) for frames in copy.films.values()}
        for path in others:
            if any(f"/{path}".startswith(f"/{each}/" if each else "/") for each in inside):
                copy.strays.append(path)
            else:
                findings.add("images lie outside of the films' tree and are left out", path)
        return copy

    def _annotate(self, match: re.Match[str], path: str) -> None:
        if match["kind"] == "emotion":
            subject, sequence, _ = match["key"].split("_")
            self.labels[subject, sequence].append(path)
        else:
            self.annotation[match["kind"]].setdefault(match["key"], path)


@dataclass
class _Reader:
    """Turns films into rows."""

    layout: Layout
    copy: _Copy
    choice: str
    findings: Findings
    foreign: list[str] = field(default_factory=list)

    def read(self, film: _Film) -> Iterator[Sample | Reject]:
        """Yield the rows of a film, or the rejects of all of them."""
        frames, label_files = self.copy.films[film], self.copy.labels.get(film)
        if label_files is None:
            self.findings.add("films have no label and are left out", frames[0].path)
            return
        wanted = frames_wanted(self.choice)
        if len(frames) < wanted.peaks + wanted.neutral:
            kind = f"films have too few frames for --frames {self.choice}"
            self.findings.add(kind, label_files[0])
        first = frames[:1] if wanted.neutral and len(frames) > 1 else []
        lost = _lost_peak(frames, label_files)
        if lost is not None:
            key, path = lost
            yield reject("ckplus", key, path, f"missing image: the last frame, which {path} names")
        peaks = frames[max(len(first), len(frames) - wanted.peaks + (lost is not None)) :]
        code = self._code(label_files)
        for frame in (*first, *peaks):
            for path in frame.again:
                yield reject("ckplus", frame.key, path, f"duplicate id: also {frame.path}")
            if isinstance(code, str):
                yield reject("ckplus", frame.key, frame.path, code)
            elif frame in first:
                yield self._sample(film, frame, "neutral", "first frame")
            else:
                is_peak = lost is None and frame is frames[-1]
                units = self._action_units(frame.key) if is_peak else None
                label = dataset_info("ckplus").codes[code]
                yield self._sample(film, frame, label, str(code), units)

    def check(self) -> None:
        """Refuse a copy whose emotion files are wrong as a whole; one stray file never is."""
        films = sum(film in self.copy.films for film in self.copy.labels)
        if len(self.foreign) > max(1, WRONG_CODES * films):
            raise LabelError(
                f"ckplus: {self.foreign[0]} ({len(self.foreign)} of {films} labeled films have no "
                f"code 1–7: {', '.join(SPACE.names)}).\nThese are another dataset's labels, or "
                "were made by someone else; extract Emotion_labels.zip anew."
            )

    def _sample(
        self,
        film: _Film,
        frame: _Frame,
        label: str,
        native: str,
        units: list[str] | None = None,
    ) -> Sample:
        points = self._landmarks(frame.key)
        return Sample(
            frame.key,
            frame.path,
            label,
            native,
            action_units=units,
            subject=film[0],
            sequence=film[1],
            frame=frame.number,
            landmarks=points,
            landmark_scheme=None if points is None else "ibug68",
            landmark_source=None if points is None else "dataset",
        )

    def _code(self, paths: list[str]) -> int | str:
        """Return a film's label code, or the reason why it has none."""
        found = [self._numbers(path) for path in paths]
        if any(each is None or each.size != 1 or not _are_whole(each) for each in found):
            reason = f"malformed label: expected one number in {' and '.join(paths)}"
        else:
            codes = [int(each.item()) for each in found if each is not None]
            if len(set(codes)) > 1:
                said = " and ".join(f"{k} in {path}" for k, path in zip(codes, paths, strict=True))
                return f"contradictory labels: {said}"
            if len(codes) > 1:
                self.findings.add("films have emotion files that say the same twice", paths[1])
            if dataset_info("ckplus").codes.get(codes[0], "neutral") != "neutral":
                return codes[0]
            reason = f"label code {codes[0]}: {_EXPECTED} in {paths[0]}"
        self.foreign.append(reason)
        return reason

    def _landmarks(self, key: str) -> npt.NDArray[np.float32] | None:
        path = self.copy.annotation["landmarks"].get(key)
        if path is None:
            self.findings.add("frames have no landmark file (is Landmarks.zip extracted?)", key)
            return None
        values = self._numbers(path)
        if values is None or values.shape != (_POINTS, 2):
            self.findings.add("landmark files are malformed and left out", path)
            return None
        return values.astype(np.float32)

    def _action_units(self, key: str) -> list[str] | None:
        """Read `unit intensity` lines; intensity 0 means that none is given [readme]."""
        path = self.copy.annotation["facs"].get(key)
        if path is None:
            self.findings.add("peak frames have no FACS file (is FACS_labels.zip extracted?)", key)
            return None
        values = self._numbers(path)
        if values is None or values.shape[1] != 2 or not _are_whole(values):
            self.findings.add("FACS files are malformed and left out", path)
            return None
        return [f"AU{int(unit)}:{int(k)}" if k else f"AU{int(unit)}" for unit, k in values]

    def _numbers(self, path: str) -> npt.NDArray[np.float64] | None:
        """Read a file of finite numbers, one row a line; None where it is something else."""
        try:
            lines = [line.split() for line in read_lines(self.layout.root / path) if line.strip()]
            values = np.array([[float(word) for word in words] for words in lines])
        except (AnnotationError, ValueError):
            return None
        return values if np.isfinite(values).all() else None


def _lost_peak(frames: list[_Frame], label_files: list[str]) -> tuple[str, str] | None:
    """Return key and emotion file of a film's last frame where the images end before it.

    An emotion file is named after the last frame [readme]; of a film that was cut short, the last
    image that is left is not the peak.
    """
    path = max(label_files, key=file_name)
    key = file_name(path).removesuffix("_emotion.txt")
    return (key, path) if key > frames[-1].key else None


def _are_whole(values: npt.NDArray[np.float64]) -> bool:
    return bool((values == np.rint(values)).all())


def _tree_of(path: str) -> str:
    """Return the folder above those of subject and film: `Emotion/S005/001/x.txt` → `Emotion`."""
    return folder_name(folder_name(folder_name(path)))


def _is_frame(path: str) -> bool:
    """Say whether an image lies in the folder of its own film: `S010/004/S010_004_….png`."""
    match = FRAME.fullmatch(file_name(path))
    if match is None:
        return False
    return f"/{path}".endswith(f"/{match['subject']}/{match['sequence']}/{file_name(path)}")
